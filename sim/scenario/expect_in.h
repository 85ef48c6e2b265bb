// SPDX-License-Identifier: GPL-3.0-or-later
/* expect_in.h - what the files that read expectations share. */
#ifndef VLAB_SCENARIO_EXPECT_IN_H
#define VLAB_SCENARIO_EXPECT_IN_H

#include "scenario/expect.h"
#include "scenario/file.h"
#include "scenario/names.h"

#define EXPECT_MAX_NODES 256u
#define EXPECT_MAX_DEPTH 40u

struct expect_parse {
    struct reader *r;
    const struct scenario_file *f;
    const struct scenario *sc;
    struct node *node; /* the line in the file */
    const char *text;
    size_t at;
    size_t point;
    bool second_stat;   /* cpu.STATE without a stat is its total */
    bool quiet;         /* a try: say nothing */
    bool failed, mixed; /* mixed: failed because units do not go together */
    bool skip;          /* names a point that --set took out of the sweep */
    bool all_fixed;
    unsigned nodes, depth;
};

/* A mistake from text[from] on, len characters. */
__attribute__((format(printf, 4, 5))) void expect_error(struct expect_parse *p, size_t from, size_t len,
                                                        const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void expect_hint(struct expect_parse *p, const char *fmt, ...);
struct expect_node *expect_node_new(struct expect_parse *p, enum expect_kind kind);
/* Number with its unit. `within`: % is a factor and pp are points. */
struct expect_node *expect_number(struct expect_parse *p, char *suffix, size_t suffix_size);
/* ENTITY.METRIC[.STAT] */
struct expect_node *expect_term(struct expect_parse *p, bool glob_ok);
/* The entity with which the term of len characters at `from` begins: an enum name_entity, and how long it is;
 * 0: told. */
unsigned expect_entity(struct expect_parse *p, size_t from, size_t len, size_t *used);
/* Whether there is a VM or peer of that name, at the point the term is asked at; told where not. */
bool expect_endpoint(struct expect_parse *p, const char *name, size_t at);
/* The @KEY=VALUE that follow: moves every term below n. */
void expect_points(struct expect_parse *p, struct expect_node *n);
/* Why no run can break it; NULL: one can. */
const char *expect_unbreakable(const struct expect *e);

#endif
