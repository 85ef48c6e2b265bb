// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "scenario/keys_cloud.h"
#include "scenario/keys_hosts.h"
#include "scenario/keys_table.h"
#include "scenario/keys_vms.h"

#define LEN(a) (sizeof(a) / sizeof(a)[0])

/* The table in its pieces, in the order in which a scenario is written. */
static const struct {
    const struct key *rows;
    size_t n;
} pieces[] = {{keys_first, LEN(keys_first)},
              {keys_hosts, LEN(keys_hosts)},
              {keys_vms, LEN(keys_vms)},
              {keys_cloud, LEN(keys_cloud)},
              {keys_table, LEN(keys_table)}};

size_t key_count(void)
{
    return LEN(keys_first) + LEN(keys_hosts) + LEN(keys_vms) + LEN(keys_cloud) + LEN(keys_table);
}

const struct key *key_at(size_t i)
{
    size_t p = 0;
    ASSERT(i < key_count());
    while (i >= pieces[p].n)
        i -= pieces[p++].n;
    return &pieces[p].rows[i];
}

/* The row whose path is these pieces, one after the other. Few paths are of one length. */
static const struct key *find(const char *a, size_t len_a, const char *b, size_t len_b)
{
    for (size_t p = 0; p < LEN(pieces); p++)
        for (size_t i = 0; i < pieces[p].n; i++) {
            const struct key *k = &pieces[p].rows[i];
            if (k->len == len_a + len_b && !memcmp(k->path, a, len_a) && !memcmp(k->path + len_a, b, len_b))
                return k;
        }
    return NULL;
}

const struct key *key_find(const char *path)
{
    return find(path, strlen(path), "", 0);
}

const char *key_leaf(const struct key *k)
{
    const char *dot = strrchr(k->path, '.');
    return dot ? dot + 1 : k->path;
}

bool key_is_child(const struct key *k, const struct key *parent)
{
    const char *leaf = key_leaf(k);
    if (!parent) return leaf == k->path && strcmp(k->path, KEY_PROFILE) != 0;
    size_t len = strlen(parent->path);
    return leaf != k->path && (size_t)(leaf - k->path) == len + 1 && !strncmp(k->path, parent->path, len);
}

const struct key *key_child(const struct key *parent, const char *name, size_t len)
{
    char path[120];
    if (memchr(name, '.', len)) return NULL; /* a grandchild's path, or nobody's */
    if (parent) {
        if (parent->len + 1 >= sizeof path) return NULL;
        memcpy(path, parent->path, parent->len);
        path[parent->len] = '.';
        return find(path, parent->len + 1, name, len);
    }
    const struct key *k = find("", 0, name, len);
    return k && key_is_child(k, NULL) ? k : NULL;
}

bool key_has_word(const char *words, const char *word, size_t len)
{
    while (words && *words) {
        size_t n = strcspn(words, " ");
        if (n == len && !memcmp(words, word, len)) return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

const struct key *key_neighbour(const struct key *k)
{
    char path[120];
    if (!k->only) return NULL;
    snprintf(path, sizeof path, "%.*s%.*s", (int)(key_leaf(k) - k->path), k->path, (int)strcspn(k->only, " "),
             k->only);
    const struct key *n = key_find(path);
    ASSERT(n);
    return n;
}

bool key_belongs(const struct key *k, const char *word, size_t len)
{
    return !k->only || key_has_word(k->only + strcspn(k->only, " ") + 1, word, len);
}

bool key_unit(enum key_type type, enum unit_kind *kind)
{
    switch (type) {
    case KEY_DURATION:
    case KEY_AMOUNT: *kind = UNIT_DURATION; return true;
    case KEY_SIZES:
    case KEY_SIZE: *kind = UNIT_SIZE; return true;
    case KEY_RATE: *kind = UNIT_RATE; return true;
    case KEY_SHARES:
    case KEY_SHARE: *kind = UNIT_SHARE; return true;
    case KEY_COUNT:
    case KEY_COUNTS: *kind = UNIT_COUNT; return true;
    case KEY_NUMBER: *kind = UNIT_NUMBER; return true;
    case KEY_POWERS:
    case KEY_POWER: *kind = UNIT_POWER; return true;
    case KEY_PRICE: *kind = UNIT_PRICE; return true;
    case KEY_BANDWIDTH: *kind = UNIT_BANDWIDTH; return true;
    default: return false;
    }
}

bool key_is_dist(enum key_type type)
{
    return type == KEY_AMOUNT || type == KEY_SIZES;
}

char *key_type_text(const struct key *k, char *out, size_t size)
{
    static const char *const names[] = {
        [KEY_MAP] = "map",
        [KEY_NAMED] = "list of maps, each with a name",
        [KEY_MAPS] = "list of maps",
        [KEY_SOME] = "map or list of maps",
        [KEY_NAME] = "name",
        [KEY_TEXT] = "text",
        [KEY_WORD] = "",
        [KEY_BOOL] = "true or false",
        [KEY_FILE] = "path of a file",
        [KEY_DURATION] = "duration",
        [KEY_SIZE] = "size",
        [KEY_RATE] = "rate",
        [KEY_SHARE] = "share in %",
        [KEY_COUNT] = "whole number",
        [KEY_NUMBER] = "number",
        [KEY_BANDWIDTH] = "bandwidth",
        [KEY_POWER] = "power",
        [KEY_PRICE] = "price",
        [KEY_POWERS] = "list of powers",
        [KEY_TARGET] = "name, or NAME/NAME",
        [KEY_GLOBS] = "list of names, with * for any",
        [KEY_VM] = "map, as a member of vms",
        [KEY_VALUE] = "value of the key that is set",
        [KEY_COUNTS] = "list of whole numbers",
        [KEY_WORDS] = "list of ",
        [KEY_NAMES] = "list of names",
        [KEY_PATHS] = "list of HOST/NIC",
        [KEY_AMOUNT] = "duration or distribution of durations",
        [KEY_SIZES] = "size or distribution of sizes",
        [KEY_SHARES] = "map of names to shares in %",
        [KEY_SWEEP] = "map of key paths to lists of values",
        [KEY_EXPECT] = "list of expectations",
        [KEY_STRINGS] = "map of texts",
    };
    int n = snprintf(out, size, "%s", names[k->type]);
    for (const char *w = k->words; w && *w;) {
        int len = (int)strcspn(w, " ");
        if (n >= 0 && (size_t)n < size)
            n += snprintf(out + n, size - (size_t)n, "%s%.*s",
                          w == k->words && k->type == KEY_WORDS ? ""
                          : n                                   ? " or "
                                                                : "",
                          len, w);
        w += len + (w[len] == ' ');
    }
    return out;
}

char *key_range_text(const struct key *k, char *out, size_t size)
{
    enum unit_kind kind;
    char lo[40], hi[40];
    out[0] = '\0';
    if (!key_unit(k->type, &kind) || (k->lo == 0 && k->hi == INT64_MAX)) return out;
    unit_format(kind, k->lo, lo, sizeof lo);
    unit_format(kind, k->hi, hi, sizeof hi);
    if (k->hi == INT64_MAX)
        snprintf(out, size, "at least %s", lo);
    else
        snprintf(out, size, "%s to %s", lo, hi);
    return out;
}
