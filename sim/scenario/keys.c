// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "scenario/keys_table.h"

#define N_KEYS (sizeof keys_table / sizeof keys_table[0])

size_t key_count(void)
{
    return N_KEYS;
}

const struct key *key_at(size_t i)
{
    ASSERT(i < N_KEYS);
    return &keys_table[i];
}

const struct key *key_find(const char *path)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (!strcmp(keys_table[i].path, path)) return &keys_table[i];
    return NULL;
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
    for (size_t i = 0; i < N_KEYS; i++) {
        const struct key *k = &keys_table[i];
        if (!key_is_child(k, parent)) continue;
        const char *leaf = key_leaf(k);
        if (strlen(leaf) == len && !memcmp(leaf, name, len)) return k;
    }
    return NULL;
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

bool key_unit(enum key_type type, enum unit_kind *kind)
{
    switch (type) {
    case KEY_DURATION:
    case KEY_AMOUNT: *kind = UNIT_DURATION; return true;
    case KEY_SIZES:
    case KEY_SIZE: *kind = UNIT_SIZE; return true;
    case KEY_RATE: *kind = UNIT_RATE; return true;
    case KEY_BANDWIDTH: *kind = UNIT_BANDWIDTH; return true;
    case KEY_SHARES:
    case KEY_SHARE: *kind = UNIT_SHARE; return true;
    case KEY_COUNT:
    case KEY_COUNTS: *kind = UNIT_COUNT; return true;
    case KEY_NUMBER: *kind = UNIT_NUMBER; return true;
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
        [KEY_BANDWIDTH] = "bandwidth",
        [KEY_SHARE] = "share in %",
        [KEY_COUNT] = "whole number",
        [KEY_NUMBER] = "number",
        [KEY_COUNTS] = "list of whole numbers",
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
            n += snprintf(out + n, size - (size_t)n, "%s%.*s", n ? " or " : "", len, w);
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
