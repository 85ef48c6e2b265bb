// SPDX-License-Identifier: GPL-3.0-or-later
/* interest.h - the figures a scenario asks about: those its expectations compare.
 *
 * Every term of an expectation is one, with the stat it means (cpu.run == 50% is about the share), and so
 * is every call over terms: max(vm.loop-*.wait.max). Where a term's @ moves it to another point it is still
 * the same figure: a table or a curve shows it at every point. A quotient of two figures of one point is one
 * figure, and they are none: exits.io_port / work.done is exits an iteration. */
#ifndef VLAB_OUT_INTEREST_H
#define VLAB_OUT_INTEREST_H

#include "out/report.h"
#include "scenario/expect.h"

#define INTEREST_MAX 8

struct interest {
    struct expect_node node;            /* a term, a call or a quotient */
    const char *entity, *metric, *stat; /* of the term, or of the call's or quotient's first; borrowed */
    const char *per;                    /* the metric of a quotient's second; NULL: it is none */
    const char *unit;                   /* "s", "1/s", "" ... */
    bool percent;                       /* best shown in % */
    char name[200];                     /* vm.db.latency.p99, max(vm.loop-*.wait.max) */
};

/* In the order they are written, each once; how many (at most INTEREST_MAX). What has no value at any point
 * is left out. Where the expectations compare nothing: the shares of ready
 * of the first VMs, or of what all VMs wait for longer than for a pCPU. */
size_t interest_of(const struct report *rp, struct interest list[INTEREST_MAX]);
/* n == 0: it has no value at this point. */
struct estimate interest_at(const struct report *rp, const struct interest *w, size_t point);

#endif
