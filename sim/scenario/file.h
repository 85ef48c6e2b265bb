// SPDX-License-Identifier: GPL-3.0-or-later
/* file.h - the inside of a scenario_file: its tree, and the axes of its sweep. */
#ifndef VLAB_SCENARIO_FILE_H
#define VLAB_SCENARIO_FILE_H

#include "base/buf.h"
#include "scenario/reader.h"

#define SWEEP_MAX_POINTS 1000000u

/* One dimension of the sweep: keys whose values go side by side (one key, or those under `zip`). */
struct axis {
    uint32_t n_keys, n_values;
    const char **keys;      /* [n_keys] */
    struct node **key_node; /* [n_keys] where each is written */
    struct node ***values;  /* [n_keys][n_values] */
};

struct scenario_file {
    struct arena a;
    char *name, *dir; /* for messages; where its other files are relative to */
    char *text;
    size_t len;
    struct node *root; /* --set is put in here */
    struct axis *axes;
    uint32_t n_axes;
    const char **taken; /* keys that --set took out of the sweep */
    uint32_t n_taken;
};

/* Reads `sweep` into axes. False: told. */
bool sweep_read(struct scenario_file *f, struct diag *d);
void sweep_take(struct scenario_file *f, const char *key);
/* Which value of axis i point p has. */
uint32_t sweep_index(const struct scenario_file *f, size_t point, uint32_t axis);
struct sweep_at {
    const char *key, *value;
};
/* To the point that differs from *point in these keys, which the sweep has. Keys of one zip are asked
 * together. False: there is none; *bad is the one that cannot be, or not beside those before it. */
bool sweep_move(const struct scenario_file *f, size_t *point, const struct sweep_at *at, uint32_t n,
                uint32_t *bad);
bool sweep_has(const struct scenario_file *f, const char *key);
/* Puts value at a path like vms.db.cpu.weight. `where` is blamed. False: told. */
bool sweep_put(struct reader *r, struct node *root, const char *path, struct node *value, struct node *where);
/* The tree of one point. */
struct node *sweep_tree(struct scenario_file *f, struct reader *r, size_t point);

/* The name of a scenario that states none: that of its file. */
const char *scenario_default_name(struct arena *a, const char *path);
/* A node as YAML flow: {a: 1, b: [2, 3]}. */
void dump_flow(struct buf *b, const struct node *n);

/* Parses the expectations of this point into sc. */
void expect_read(struct reader *r, const struct scenario_file *f, size_t point, struct node *list,
                 struct scenario *sc);

#endif
