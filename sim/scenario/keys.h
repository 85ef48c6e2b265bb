// SPDX-License-Identifier: GPL-3.0-or-later
/* keys.h - every key of the language, once: what it means, its type, unit, default and range.
 *
 * The reader, `vlab explain`, `vlab schema` and the resolved scenario are all made from this table; a
 * key that is not in it does not exist. A path leaves out names and indexes: `vms.cpu.weight`. */
#ifndef VLAB_SCENARIO_KEYS_H
#define VLAB_SCENARIO_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/unit.h"

enum key_type {
    KEY_MAP,      /* its keys are the rows below its path; or one of `words` */
    KEY_NAMED,    /* a list of maps that each have a `name` */
    KEY_MAPS,     /* a list of maps without names */
    KEY_SOME,     /* one such map, or a list of them */
    KEY_NAME,     /* [A-Za-z][A-Za-z0-9_-]{0,62} */
    KEY_TEXT,     /* any text */
    KEY_WORD,     /* one of `words` */
    KEY_BOOL,     /* true or false */
    KEY_FILE,     /* a path, relative to the scenario's folder; or one of `words` */
    KEY_DURATION, /* amounts in their base unit (unit.h); or one of `words` */
    KEY_SIZE,
    KEY_RATE,
    KEY_SHARE,
    KEY_COUNT,
    KEY_NUMBER,
    KEY_BANDWIDTH,
    KEY_POWER,
    KEY_PRICE,
    KEY_POWERS,  /* a list of powers */
    KEY_COUNTS,  /* a list of whole numbers */
    KEY_WORDS,   /* a list of some of `words` */
    KEY_NAMES,   /* a list of names */
    KEY_PATHS,   /* a list of NAME/NAME */
    KEY_TARGET,  /* a name, or NAME/NAME, NAME/NAME/NAME */
    KEY_GLOBS,   /* a list of names in which * stands for anything */
    KEY_VM,      /* a map as a member of `vms` is one */
    KEY_VALUE,   /* one value of any kind: what it is another key says */
    KEY_AMOUNT,  /* a duration, or a distribution of durations */
    KEY_SIZES,   /* a size, or a distribution of sizes */
    KEY_SHARES,  /* a map of free names to shares */
    KEY_SWEEP,   /* a map of key paths to lists */
    KEY_EXPECT,  /* a list of expectations */
    KEY_STRINGS, /* a map of texts */
};

struct key {
    const char *path;
    size_t len; /* of the path */
    enum key_type type;
    const char *def; /* as it would be written; NULL: none, `def_text` says what happens then */
    const char *def_text;
    int64_t lo, hi;    /* of amounts, in the base unit */
    const char *words; /* separated by spaces */
    const char *main;  /* the key that a scalar in place of this map stands for */
    const char *only;  /* "model ssd": it belongs only where its neighbour `model` is one of these words */
    const char *later; /* NULL: built; else what it is a part of that is not there yet */
    const char *later_words; /* words of the grammar that are not supported yet */
    bool bare;               /* an amount may also be written without its unit: iops: 8000 */
    const char *about;
    const char *knob;    /* what it becomes on a real host; NULL: nothing */
    const char *example; /* a value, as it would be written; NULL: the default or the range shows it */
};

size_t key_count(void);
const struct key *key_at(size_t i);
const struct key *key_find(const char *path);
/* The row for `name` (len characters) directly below parent; NULL parent: a scenario's own keys. */
const struct key *key_child(const struct key *parent, const char *name, size_t len);
bool key_is_child(const struct key *k, const struct key *parent);
const char *key_leaf(const struct key *k);
bool key_has_word(const char *words, const char *word, size_t len);
/* Whether a key belongs beside a neighbour (the first word of `only`) that says `word`. */
bool key_belongs(const struct key *k, const char *word, size_t len);
/* The neighbour on which it depends whether a key belongs; NULL: it always does. */
const struct key *key_neighbour(const struct key *k);
/* The kind of unit that an amount of this type has; false: it is none. */
bool key_unit(enum key_type type, enum unit_kind *kind);
/* Whether it may be a distribution. */
bool key_is_dist(enum key_type type);
/* "duration", "one of rr, credit, cfs", "map": for people. Returns out. */
char *key_type_text(const struct key *k, char *out, size_t size);
/* "1 to 10000", "" where everything goes. Returns out. */
char *key_range_text(const struct key *k, char *out, size_t size);

#define KEY_PROFILE "vlab_host" /* the root of a calibrated host's file in this table */

#endif
