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
    const struct node *hosts; /* the list, for groups that are empty at this point */
    const struct node *vms;   /* likewise */
    const char *place;        /* cloud.place; NULL: there is none */
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
/* Which of n words it is; one of them, as the key's own list sees to. */
uint8_t reader_which(const char *word, const char *const *words, uint32_t n);
/* A map or list below `map`; NULL where there is none or it was bad. */
struct node *reader_sub(const struct node *map, const char *leaf, enum node_kind kind);
/* What the neighbour says on which it hangs whether k belongs into `map` (key_belongs); NULL: nothing
 * sensible. */
const char *reader_neighbour(const struct node *map, const struct key *k);
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
/* hosts' disks and NICs, and storage. */
void devices_read(struct reader *r, struct node *root, struct scenario *sc);
/* Networks and peers, after devices. */
void nets_read(struct reader *r, struct node *root, struct scenario *sc);
/* A host's memory; its swap disk is found by memory_swap when there are disks. */
void memory_read(struct reader *r, const struct node *host, struct sc_host *h);
void memory_swap(struct reader *r, struct node *root, struct sc_host *hosts, const struct scenario *sc);
/* Its hypervisor and the price of mediation. */
void prices_read(struct reader *r, const struct node *host, struct sc_host *h);
/* profiles.c: what a built-in profile says is put into a host's map where the scenario says nothing. */
void profiles_fill(struct reader *r, struct node *host, const char *profile);
const char *profiles_value(const char *profile, const char *path); /* NULL: the key's own default */
bool profiles_any(const char *path); /* whether some profile says something of this key */
void profiles_prices(const struct sc_host *h, struct sc_modes *out);
/* Names: where one is, SC_NONE: nowhere; all that the maps of a list have under a key (a name or a list of
 * them), in order. */
uint32_t reader_index(const char *const *names, uint32_t n, const char *name);
const char *const *reader_names(struct reader *r, const struct node *list, const char *key, uint32_t *n);
/* upkeep.c: features and racks that there are; what keeps a host; CPU features that a map names, as bits. */
void upkeep_names(struct reader *r, const struct node *hosts, struct scenario *sc);
void upkeep_read(struct reader *r, struct node *map, const struct scenario *sc, struct sc_host *h);
uint64_t upkeep_features(struct reader *r, const struct node *map, const char *key,
                         const struct scenario *sc);
/* images.c, before VMs. SC_NONE: there is no such image. */
void images_read(struct reader *r, struct node *root, struct scenario *sc);
uint32_t images_named(const struct scenario *sc, const char *name);
bool vms_read(struct reader *r, struct node *root, struct scenario *sc);
/* cloud.c. Before VMs: cloud.place; how many more than `count` of a group there may come to be. After them:
 * the rest, and services. */
const char *cloud_place(struct reader *r, const struct node *root);
uint32_t cloud_more(struct reader *r, const struct node *root, const char *group, uint32_t count);
void cloud_read(struct reader *r, struct node *root, struct scenario *sc);
void services_read(struct reader *r, struct node *root, struct scenario *sc);
/* events.c, after all others. */
void events_read(struct reader *r, struct node *root, struct scenario *sc);
/* The hosts that a name means, [*first, *first + n): one, or all that its `count` made; 0: there is none. */
uint32_t hosts_named(const struct scenario *sc, const char *name, uint32_t *first);
/* Whether the file has a group of that name, be it empty at this point. */
bool hosts_group(const struct reader *r, const char *name);
/* Told at n, which names no host. */
void hosts_unknown(struct reader *r, struct node *n, const char *name, const struct scenario *sc);
/* A disk of the host, or a store that it reaches; SC_NONE: neither. */
uint32_t devices_disk(const struct scenario *sc, uint32_t host, const char *name);
/* The hosts that a list names, in their order; no list: all. */
const uint32_t *devices_hosts(struct reader *r, struct node *list, const struct key *k,
                              const struct scenario *sc, uint32_t *n);
uint32_t devices_nic(const struct scenario *sc, uint32_t host, const char *name);
/* Told at n, which names no disk of the host. */
void devices_no_disk(struct reader *r, struct node *n, const struct scenario *sc, uint32_t host);
uint32_t nets_named(const struct scenario *sc, const char *name); /* SC_NONE: there is none */
/* How many members the maps of a list make, with their `count`; told where they are too many. */
uint32_t hosts_members(struct reader *r, struct node *list, const char *count_key);
/* What no single part can tell: names that are there twice, times that do not go together. */
void check_scenario(struct reader *r, struct node *root, const struct scenario *sc);

/* order.c: sorts entities by name, so that the order of the file does not matter. */
void order_hosts(struct sc_host *hosts, uint32_t n);
void order_disks(struct sc_disk *disks, uint32_t n);
void order_nics(struct sc_nic *nics, uint32_t n);
void order_networks(struct sc_network *networks, uint32_t n);
void order_peers(struct sc_peer *peers, uint32_t n);
/* Where the one stands that has the same place in the order (host and name); SC_NONE: nowhere. */
uint32_t order_host(const struct scenario *sc, const char *group, const char *name);
uint32_t order_group(const struct scenario *sc, const char *group); /* its first host */
uint32_t order_disk(const struct scenario *sc, const struct sc_disk *want);
uint32_t order_nic(const struct scenario *sc, const struct sc_nic *want);
uint32_t order_network(const struct scenario *sc, const struct sc_network *want);
uint32_t order_peer(const struct scenario *sc, const struct sc_peer *want);
void order_vms(struct sc_vm *vms, uint32_t n);

#endif
