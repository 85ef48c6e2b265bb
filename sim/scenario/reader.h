// SPDX-License-Identifier: GPL-3.0-or-later
/* reader.h - what the files that read a scenario share: the tree against the key table, and getters.
 *
 * First reader_check goes over a whole tree: unknown keys, keys not built yet, wrong types, units and
 * ranges are all told there, once. A getter then takes a value from a tree that was checked; where the
 * value was bad it returns the default, so one mistake does not hide another. */
#ifndef VLAB_SCENARIO_READER_H
#define VLAB_SCENARIO_READER_H

#include "scenario/keys.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"

struct reader {
    struct arena *a;
    struct diag *d;
    const char
        *dir; /* of the scenario's file, "" or with a slash at the end: other files are relative to it */
};

/* A value got: either one of the key's words or an amount in the base unit. */
struct got {
    struct node *node; /* NULL: it was not stated (def applies) or was bad */
    bool stated;
    const char
        *word; /* of KEY_WORD, KEY_NAME, KEY_TEXT, KEY_FILE, KEY_BOOL; or instead of an amount; or NULL */
    int64_t n;
};

/* Checks a map against the rows below `k` (NULL: a scenario's). Turns scalars that stand for a map's
 * main key into the map. */
void reader_check(struct reader *r, struct node *map, const struct key *k);
/* The value of the key at `path` (of the table) in `map`, which holds its last part; map may be NULL. */
struct got reader_get(struct reader *r, const struct node *map, const char *path);
int64_t reader_num(struct reader *r, const struct node *map, const char *path);
/* A map or list below `map`; NULL where there is none or it was bad. */
struct node *reader_sub(const struct node *map, const char *leaf, enum node_kind kind);
/* Reads one scalar as type says; false: told. */
bool reader_scalar(struct reader *r, struct node *n, const struct key *k, struct got *out);
/* Makes a map of a scalar that stands for its main key. */
void reader_unfold(struct arena *a, struct node *n, const struct key *k);
bool reader_is_name(const char *text);

/* A distribution of durations. `pool` gets the numbers of files. */
struct pool {
    int64_t *v;
    uint32_t n, room;
};
void pool_add(struct reader *r, struct pool *p, int64_t v);
/* zero_ok: a constant of 0 is fine (think time). False: told. */
bool dist_read(struct reader *r, struct node *n, bool zero_ok, struct dist *out, struct pool *pool);
/* The same of amounts in another unit. */
bool dist_read_in(struct reader *r, struct node *n, enum unit_kind unit, bool zero_ok, struct dist *out,
                  struct pool *pool);
/* Whether every draw takes some time, but for a chance that a few draws in a row will meet. */
bool dist_takes_time(const struct dist *d, const struct pool *pool);
/* Checks the shape; called by reader_check. */
void dist_check(struct reader *r, struct node *n, const struct key *k);
/* The distributions there are, for manual and schema: NULL after the last. */
struct dist_form {
    const char *name;
    enum dist_kind kind;
    const char *params; /* one letter each: d duration, n number, k whole number, f file */
    const char *names;  /* of the parameters, separated by spaces */
    const char *about;
};
const struct dist_form *dist_form_at(size_t i);

/* Numbers from a file beside the scenario: one time a line, in s unless it has a unit. False: told. */
bool trace_read(struct reader *r, struct node *file, bool ordered, struct pool *out);
/* The same of sizes: whole bytes, or with a unit. */
bool trace_read_sizes(struct reader *r, struct node *file, struct pool *out);
/* Opens a file beside the scenario and reads it whole. NULL: told at `file`. */
char *trace_slurp(struct reader *r, struct node *file, size_t max, const char **path, size_t *len);

/* The parts of a scenario. */
bool hosts_read(struct reader *r, struct node *root, struct scenario *sc);
bool vms_read(struct reader *r, struct node *root, struct scenario *sc);
void profile_read(struct reader *r, struct node *file, struct sc_host *h);
/* How many members the maps of a list make, with their `count`; told where they are too many. */
uint32_t hosts_members(struct reader *r, struct node *list, const char *count_key);
/* What no single part can tell: names that are there twice, times that do not go together. */
void check_scenario(struct reader *r, struct node *root, const struct scenario *sc);

/* order.c: sorts entities by name, so that the order of the file does not matter. */
void order_hosts(struct sc_host *hosts, uint32_t n);
void order_vms(struct sc_vm *vms, uint32_t n);

#endif
