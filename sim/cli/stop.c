// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/stop.h"

#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t stop_asked; /* tenths of a second on the clock when it was, and not 0 */

static void ask_stop(int sig)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    sig_atomic_t now = (sig_atomic_t)((t.tv_sec * 10 + t.tv_nsec / 100000000) % 1000000000 + 1);
    if (!stop_asked) {
        stop_asked = now;
    } else if (now > stop_asked + 2) {
        signal(sig, SIG_DFL);
        raise(sig);
    }
}

void stop_catch(struct stop *s)
{
    struct sigaction act = {.sa_handler = ask_stop};
    stop_asked = 0;
    sigaction(SIGINT, &act, &s->was_int);
    sigaction(SIGTERM, &act, &s->was_term);
}

void stop_release(const struct stop *s)
{
    sigaction(SIGINT, &s->was_int, NULL);
    sigaction(SIGTERM, &s->was_term, NULL);
}

bool stop_is_asked(void)
{
    return stop_asked != 0;
}
