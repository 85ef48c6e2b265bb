// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "out/num.h"

enum { BAR = 24, EVERY_NS = 100000000 };

static int64_t real_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void progress_begin(struct progress *p, int fd, const char *what, size_t runs, int64_t duration_ns)
{
    const char *term = getenv("TERM");
    bool seen = isatty(fd) && term && strcmp(term, "dumb") != 0;
    *p = (struct progress){.fd = seen ? fd : -1, .what = what, .runs = runs, .duration_ns = duration_ns};
    p->began_ns = p->drawn_ns = seen ? real_ns() : 0;
}

char *progress_line(const struct progress *p, char *out, size_t size, double share, double spent_s)
{
    char bar[BAR + 1], run[64] = "", left[NUM_LEN + 8] = "", num[NUM_LEN];
    int full = (int)(share * BAR);
    for (int i = 0; i < BAR; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR] = '\0';
    if (p->runs > 1) snprintf(run, sizeof run, "  run %zu of %zu", p->run + 1, p->runs);
    /* The first tenth of a second says nothing about the rest. */
    if (share > 0.0 && spent_s >= 0.1) {
        double rest = ceil(fmin(spent_s * (1 - share) / share, 1e7));
        if (rest < 100)
            snprintf(left, sizeof left, "  %.0f s left", rest);
        else
            snprintf(left, sizeof left, "  %s left", num_time(num, rest));
    }
    snprintf(out, size, "%.40s  [%s] %3d%%%s%s", p->what, bar, (int)(share * 100), run, left);
    return out;
}

static void put(struct progress *p, const char *line)
{
    char out[256];
    int n = snprintf(out, sizeof out, "\r%s\x1b[K", line);
    /* A terminal that cannot be written to has no one to tell. */
    if (write(p->fd, out, (size_t)n) != n) p->fd = -1;
}

void progress_at(struct progress *p, size_t run, int64_t t_ns)
{
    if (p->fd < 0) return;
    int64_t now = real_ns();
    if (now - p->drawn_ns < EVERY_NS) return;
    p->drawn_ns = now;
    p->run = run;
    double inside = p->duration_ns > 0 ? (double)t_ns / (double)p->duration_ns : 0.0;
    double share = ((double)run + fmin(inside, 1.0)) / (double)p->runs;
    char line[200];
    put(p, progress_line(p, line, sizeof line, share, (double)(now - p->began_ns) / 1e9));
    p->drawn = true;
}

void progress_end(struct progress *p)
{
    if (p->fd >= 0 && p->drawn) put(p, "");
    p->fd = -1;
}
