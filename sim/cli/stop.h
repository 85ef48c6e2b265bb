// SPDX-License-Identifier: GPL-3.0-or-later
/* stop.h - Ctrl-C and SIGTERM: the first asks for an end in order, another one a moment later ends at once.
 * Terminals and tools may send the same signal twice in a row: that is one. */
#ifndef VLAB_CLI_STOP_H
#define VLAB_CLI_STOP_H

#include <signal.h>
#include <stdbool.h>

struct stop {
    struct sigaction was_int, was_term;
};

/* From now on; not asked yet. One at a time. */
void stop_catch(struct stop *s);
/* As it was before; what was asked stays known. */
void stop_release(const struct stop *s);
bool stop_is_asked(void);

#endif
