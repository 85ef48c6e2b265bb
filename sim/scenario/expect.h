// SPDX-License-Identifier: GPL-3.0-or-later
/* expect.h - what must come out of a run: EXPR OP EXPR [within X], parsed, checked and unchangeable.
 *
 *     vm.db.latency.p99 < 50ms
 *     vm.db.throughput >= 0.9 * vm.db.throughput@vms.batch.count=0
 *     sum(vm.batch-*.cpu.run) == 150% within 1pp
 *
 * With replications a line is judged by an interval (metrics/expect_eval.h), and an availability has none
 * where it rests on fewer than 30 failures: the line is then undecided.
 *
 * Every node has a unit; sides that do not go together are refused, and so is an expectation that no
 * run can break. A scenario holds the lines of its own point: `@KEY=VALUE` is resolved to a point number. */
#ifndef VLAB_SCENARIO_EXPECT_H
#define VLAB_SCENARIO_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum expect_op { EXPECT_LT, EXPECT_LE, EXPECT_EQ, EXPECT_GE, EXPECT_GT };

enum expect_kind {
    EXPECT_NUM,
    EXPECT_TERM, /* entity.metric.stat at a point */
    EXPECT_ADD,
    EXPECT_SUB,
    EXPECT_MUL,
    EXPECT_DIV,
    EXPECT_SUM, /* over args, whose terms may be globs */
    EXPECT_MEAN,
    EXPECT_MAX,
    EXPECT_MIN
};

struct expect_unit {
    int8_t s, b; /* powers of seconds and of bytes */
};

struct expect_node {
    enum expect_kind kind;
    struct expect_unit unit;
    bool any_unit;  /* the number 0 with no unit is none of these: it must be written as 0s */
    bool percent;   /* best shown in % */
    double num;     /* EXPECT_NUM, in base units (s, B, 1) */
    uint64_t exact; /* the whole number that num rounds, where is_exact */
    bool is_exact;
    const char *entity, *metric, *stat; /* EXPECT_TERM */
    double most;                        /* the most a term can be */
    bool glob;
    bool here; /* its point is the one it is asked at, not moved by @ */
    size_t point;
    const struct expect_node *a, *b; /* operands */
    struct expect_node *const *args; /* of a call */
    uint32_t n_args;
};

struct expect {
    const char *text; /* as written */
    const char *left; /* the left side as written */
    enum expect_op op;
    const struct expect_node *lhs, *rhs;
    double within;  /* 0: none */
    bool relative;  /* within is a factor of the right side */
    bool within_pp; /* within was written in points */
    bool fixed;     /* every term has its @ for every swept key: the same at every point */
    size_t point;   /* it was parsed for */
};

/* Whether a term of either side is of this metric (`slowdown` costs a run of its own). */
bool expect_mentions(const struct expect *e, const char *metric);
const char *expect_op_text(enum expect_op op);
/* "s", "1/s", "" ...; out is used for odd ones. */
const char *expect_unit_text(struct expect_unit u, char *out, size_t size);

#endif
