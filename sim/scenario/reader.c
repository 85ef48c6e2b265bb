// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/reader.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define MAX_NEAR 64

static void check_value(struct reader *r, struct node *n, const struct key *k);

bool reader_is_name(const char *s)
{
    size_t len = strlen(s);
    if (!len || len > 63 || !((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))) return false;
    for (; *s; s++)
        if (!((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_' ||
              *s == '-'))
            return false;
    return true;
}

/* "a map", "a list", "`10ms`": what a node is, for messages. */
static const char *what_is(const struct node *n, char *out, size_t size)
{
    if (n->kind == NODE_MAP) return "a map";
    if (n->kind == NODE_LIST) return "a list";
    if (!n->len) return "nothing";
    snprintf(out, size, "`%.60s`", n->text);
    return out;
}

static void hint_word(struct reader *r, const char *word, const char *lists[2])
{
    char copy[512], *words[MAX_NEAR + 1];
    size_t n = 0, at = 0;
    for (int i = 0; i < 2; i++) {
        for (const char *w = lists[i]; w && *w && n < MAX_NEAR;) {
            size_t len = strcspn(w, " ");
            ASSERT(at + len + 1 < sizeof copy);
            words[n++] = memcpy(copy + at, w, len);
            copy[at + len] = '\0';
            at += len + 1;
            w += len + (w[len] == ' ');
        }
    }
    words[n] = NULL;
    const char *near = diag_nearest(word, (const char *const *)words);
    if (near) diag_hint(r->d, "did you mean `%s`?", near);
}

/* "`rr`, `credit` or `cfs`" */
static void list_words(const char *words, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (const char *w = words; *w && at < size;) {
        size_t len = strcspn(w, " ");
        bool last = !w[len];
        at += (size_t)snprintf(out + at, size - at, "%s`%.*s`",
                               w == words ? ""
                               : last     ? " or "
                                          : ", ",
                               (int)len, w);
        w += len + (w[len] == ' ');
    }
}

static bool read_word(struct reader *r, struct node *n, const struct key *k, struct got *out)
{
    if (key_has_word(k->words, n->text, n->len)) return out->word = n->text, true;
    if (key_has_word(k->later_words, n->text, n->len)) {
        tree_error(r->d, n, "`%s: %s` is not supported yet", key_leaf(k), n->text);
        return false;
    }
    char words[200];
    list_words(k->words, words, sizeof words);
    if (tree_error(r->d, n, "`%.60s` is not known; `%s` is %s", n->text, key_leaf(k), words))
        hint_word(r, n->text, (const char *[]){k->words, k->later_words});
    return false;
}

static bool read_bool(struct reader *r, struct node *n, const struct key *k, struct got *out)
{
    if (n->plain && (tree_is(n, "true") || tree_is(n, "false"))) {
        out->word = n->text;
        out->n = n->text[0] == 't';
        return true;
    }
    if (tree_error(r->d, n, "`%s` is true or false, not `%.60s`", key_leaf(k), n->text)) {
        if (tree_is(n, "on") || tree_is(n, "yes") || tree_is(n, "True")) diag_hint(r->d, "write `true`");
        if (tree_is(n, "off") || tree_is(n, "no") || tree_is(n, "False")) diag_hint(r->d, "write `false`");
    }
    return false;
}

static bool read_amount(struct reader *r, struct node *n, const struct key *k, enum unit_kind kind,
                        struct got *out)
{
    struct unit_why why;
    if (key_has_word(k->words, n->text, n->len)) return out->word = n->text, true;
    if (key_has_word(k->later_words, n->text, n->len)) {
        tree_error(r->d, n, "`%s: %s` is not supported yet", key_leaf(k), n->text);
        return false;
    }
    if ((kind == UNIT_COUNT || kind == UNIT_NUMBER) && !n->plain) {
        if (tree_error(r->d, n, "`%s` is %s, and what stands in quotes is text", key_leaf(k),
                       unit_kind_name(kind)))
            diag_hint(r->d, "leave the quotes out");
        return false;
    }
    if (k->bare && n->plain && unit_parse(UNIT_COUNT, n->text, n->len, &out->n, &why) &&
        !__builtin_mul_overflow(out->n, unit_base(kind), &out->n)) {
        /* as good as with its unit */
    } else if (!unit_parse(kind, n->text, n->len, &out->n, &why)) {
        if (tree_error(r->d, n, "%s", why.text)) {
            if (why.hint[0]) diag_hint(r->d, "%s", why.hint);
            if (k->words || k->later_words) hint_word(r, n->text, (const char *[]){k->words, k->later_words});
        }
        return false;
    }
    if (out->n < k->lo || out->n > k->hi) {
        char range[100];
        tree_error(r->d, n, "`%s: %.60s` is out of range: %s", key_leaf(k), n->text,
                   key_range_text(k, range, sizeof range));
        return false;
    }
    return true;
}

/* "h1/eth0" */
static bool read_path(struct reader *r, struct node *n, const struct key *k)
{
    const char *slash = strchr(n->text, '/');
    char host[64];
    size_t len = slash ? (size_t)(slash - n->text) : 0;
    if (len && len < sizeof host) {
        memcpy(host, n->text, len);
        host[len] = '\0';
        if (reader_is_name(host) && reader_is_name(slash + 1)) return true;
    }
    if (tree_error(r->d, n, "`%.130s` is not HOST/NIC, as `%s` wants it", n->text, key_leaf(k)))
        diag_hint(r->d, "for example `h1/eth0`");
    return false;
}

/* "db", "h1/ssd0", "h1/vmm/one" */
static bool read_target(struct reader *r, struct node *n, const struct key *k)
{
    char part[64];
    const char *s = n->text;
    for (int parts = 0; parts < 3; parts++) {
        size_t len = strcspn(s, "/");
        if (len == 0 || len >= sizeof part) break;
        memcpy(part, s, len);
        part[len] = '\0';
        if (!reader_is_name(part)) break;
        if (!s[len]) return true;
        s += len + 1;
    }
    if (tree_error(r->d, n, "`%.130s` is nothing that `%s` could be done to", n->text, key_leaf(k)))
        diag_hint(r->d, "a name, or HOST/DISK, HOST/NIC, HOST/vmm/NAME, HOST/DISK/pool");
    return false;
}

static bool read_glob(struct reader *r, struct node *n, const struct key *k)
{
    char name[64];
    size_t len = 0;
    for (const char *s = n->text; *s && len + 1 < sizeof name; s++)
        name[len++] = *s == '*' ? 'x' : *s;
    name[len] = '\0';
    if (n->len < sizeof name && reader_is_name(name)) return true;
    if (tree_error(r->d, n, "`%.80s` is no name for `%s`", n->text, key_leaf(k)))
        diag_hint(r->d, "a VM's name, in which * stands for anything");
    return false;
}

bool reader_scalar(struct reader *r, struct node *n, const struct key *k, struct got *out)
{
    char what[80], type[200];
    enum unit_kind kind;
    if (n->bad) return false;
    if (n->kind != NODE_SCALAR || (!n->len && k->type != KEY_TEXT)) {
        tree_error(r->d, n, "`%s` is %s; it wants: %s", key_leaf(k), what_is(n, what, sizeof what),
                   key_type_text(k, type, sizeof type));
        return false;
    }
    if (key_unit(k->type, &kind)) return read_amount(r, n, k, kind, out);
    out->word = n->text;
    switch (k->type) {
    case KEY_WORD: return read_word(r, n, k, out);
    case KEY_BOOL: return read_bool(r, n, k, out);
    case KEY_WORDS: return read_word(r, n, k, out);
    case KEY_PATHS: return read_path(r, n, k);
    case KEY_TARGET: return read_target(r, n, k);
    case KEY_GLOBS: return read_glob(r, n, k);
    case KEY_NAMES:
    case KEY_NAME:
        if (reader_is_name(n->text)) return true;
        if (tree_error(r->d, n, "`%.80s` is not a name", n->text))
            diag_hint(r->d,
                      "a name begins with a letter; letters, digits, - and _ follow, 63 characters at most");
        return false;
    case KEY_FILE:
        if (key_has_word(k->later_words, n->text, n->len)) {
            tree_error(r->d, n, "`%s: %s` is not supported yet", key_leaf(k), n->text);
            return false;
        }
        if (!tree_is(n, "-")) return true;
        tree_error(r->d, n, "`-` is not a file: `%s` cannot come from standard input", key_leaf(k));
        return false;
    default: return true;
    }
}

void reader_unfold(struct arena *a, struct node *n, const struct key *k)
{
    if (n->kind != NODE_SCALAR || !k->main || !n->len) return;
    struct node *value = arena_alloc(a, sizeof *value);
    *value = *n;
    n->kind = NODE_MAP;
    n->n = n->room = 0;
    n->text = NULL;
    n->len = 0;
    tree_put(a, n, k->main, value);
}

static void unknown_key(struct reader *r, struct node *name, const struct key *parent)
{
    const char *near[MAX_NEAR + 1];
    size_t n = 0;
    const struct key *elsewhere = NULL;
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        if (key_is_child(k, parent) && n < MAX_NEAR)
            near[n++] = key_leaf(k);
        else if (!elsewhere && !k->later && tree_is(name, key_leaf(k)) && parent &&
                 !strncmp(k->path, parent->path, strcspn(parent->path, ".")))
            elsewhere = k;
    }
    near[n] = NULL;
    if (!tree_error(r->d, name, "unknown key `%.80s`", name->text)) return;
    const char *best = diag_nearest(name->text, near);
    if (best)
        diag_hint(r->d, "did you mean `%s`?", best);
    else if (elsewhere)
        diag_hint(
            r->d, "`%s` belongs in `%.*s`", name->text,
            (int)(key_leaf(elsewhere) > elsewhere->path ? key_leaf(elsewhere) - elsewhere->path - 1 : 0),
            elsewhere->path);
}

const char *reader_neighbour(const struct node *map, const struct key *k)
{
    const struct key *near = key_neighbour(k);
    const struct node *n = tree_get(map, key_leaf(near), strlen(key_leaf(near)));
    if (!n) return near->def;
    return n->kind == NODE_SCALAR && key_has_word(near->words, n->text, n->len) ? n->text : NULL;
}

static void check_belongs(struct reader *r, const struct node *map, struct node *name, struct node *value,
                          const struct key *k)
{
    const char *word = k->only ? reader_neighbour(map, k) : NULL, *only = k->only;
    if (!word || key_belongs(k, word, strlen(word))) return;
    char words[120];
    int len = (int)strcspn(only, " ");
    list_words(only + len + 1, words, sizeof words);
    tree_error(r->d, name, "`%s` is for %.*s %s; here it is `%s`", key_leaf(k), len, only, words, word);
    value->bad = true;
}

void reader_check(struct reader *r, struct node *map, const struct key *parent)
{
    for (uint32_t i = 0; i < map->n; i++) {
        struct node *name = map->keys[i];
        const struct key *k = key_child(parent, name->text, name->len);
        if (!k) {
            unknown_key(r, name, parent);
            map->items[i]->bad = true;
        } else if (k->later) {
            if (tree_error(r->d, name, "`%s` is not supported yet", name->text))
                diag_hint(r->d, "it belongs to a later part of vlab: %s", k->later);
            map->items[i]->bad = true;
        } else {
            check_belongs(r, map, name, map->items[i], k);
            check_value(r, map->items[i], k);
        }
    }
}

static void check_map(struct reader *r, struct node *n, const struct key *k)
{
    char what[80];
    struct got got;
    reader_unfold(r->a, n, k);
    if (n->kind == NODE_SCALAR && n->len && k->words) {
        read_word(r, n, k, &got);
        return;
    }
    if (n->kind == NODE_MAP)
        reader_check(r, n, k);
    else
        tree_error(r->d, n, "`%s` is %s; it wants a map of keys", key_leaf(k), what_is(n, what, sizeof what));
}

static void check_list(struct reader *r, struct node *n, const struct key *k)
{
    char what[80];
    if (n->kind != NODE_LIST) {
        if (tree_error(r->d, n, "`%s` is %s; it wants a list", key_leaf(k), what_is(n, what, sizeof what)) &&
            n->kind == NODE_MAP)
            diag_hint(r->d, "begin each member of the list with `- `");
        return;
    }
    for (uint32_t i = 0; i < n->n; i++) {
        struct node *m = n->items[i];
        reader_unfold(r->a, m, k);
        if (m->kind == NODE_MAP)
            reader_check(r, m, k);
        else
            tree_error(r->d, m, "a member of `%s` is %s; it wants a map of keys", key_leaf(k),
                       what_is(m, what, sizeof what));
        if (m->kind == NODE_MAP && k->type == KEY_NAMED && !tree_get(m, "name", 4))
            tree_error(r->d, m, "a member of `%s` has no `name`", key_leaf(k));
    }
}

static void check_scalars(struct reader *r, struct node *n, const struct key *k)
{
    struct got got;
    char what[80];
    enum node_kind want = k->type == KEY_STRINGS ? NODE_MAP : NODE_LIST;
    if (n->kind != want) {
        tree_error(r->d, n, "`%s` is %s; it wants a %s", key_leaf(k), what_is(n, what, sizeof what),
                   want == NODE_MAP ? "map of texts" : "list");
        return;
    }
    for (uint32_t i = 0; i < n->n; i++) {
        struct node *m = n->items[i];
        if (k->type != KEY_STRINGS && k->type != KEY_EXPECT)
            reader_scalar(r, m, k, &got);
        else if (m->kind != NODE_SCALAR)
            tree_error(r->d, m, "a member of `%s` is %s; it wants a text", key_leaf(k),
                       what_is(m, what, sizeof what));
    }
}

/* Free names, each with a share. */
static void check_shares(struct reader *r, struct node *n, const struct key *k)
{
    struct got got;
    char what[80];
    if (n->kind != NODE_MAP) {
        tree_error(r->d, n, "`%s` is %s; it wants a map of names to shares", key_leaf(k),
                   what_is(n, what, sizeof what));
        return;
    }
    for (uint32_t i = 0; i < n->n; i++) {
        if (!reader_is_name(n->keys[i]->text))
            tree_error(r->d, n->keys[i], "`%.80s` is not a name", n->keys[i]->text);
        reader_scalar(r, n->items[i], k, &got);
    }
}

static void check_value(struct reader *r, struct node *n, const struct key *k)
{
    struct got got;
    switch (k->type) {
    case KEY_MAP: check_map(r, n, k); break;
    case KEY_NAMED:
    case KEY_MAPS: check_list(r, n, k); break;
    case KEY_SOME:
        if (n->kind == NODE_LIST)
            check_list(r, n, k);
        else
            check_map(r, n, k);
        break;
    case KEY_SHARES: check_shares(r, n, k); break;
    case KEY_VM: check_map(r, n, key_find("vms")); break;
    case KEY_VALUE: break; /* who reads it knows what it is to be */
    case KEY_COUNTS:
    case KEY_POWERS:
    case KEY_WORDS:
    case KEY_NAMES:
    case KEY_GLOBS:
    case KEY_PATHS:
    case KEY_EXPECT:
    case KEY_STRINGS: check_scalars(r, n, k); break;
    case KEY_SIZES:
    case KEY_AMOUNT: dist_check(r, n, k); break;
    case KEY_SWEEP: break; /* sweep.c has read it before */
    default: reader_scalar(r, n, k, &got); break;
    }
}

struct got reader_get(struct reader *r, const struct node *map, const char *path)
{
    const struct key *k = key_find(path);
    ASSERT(k && !k->later);
    struct got out = {0};
    const char *leaf = key_leaf(k);
    struct node *n = map ? tree_get(map, leaf, strlen(leaf)) : NULL;
    out.stated = n != NULL;
    if (n && reader_scalar(r, n, k, &out)) {
        out.node = n;
        return out;
    }
    out.word = NULL;
    out.n = 0;
    if (!k->def) return out;
    struct node def = {.kind = NODE_SCALAR, .plain = true, .text = k->def, .len = strlen(k->def)};
    bool ok = reader_scalar(r, &def, k, &out);
    ASSERT(ok);
    return out;
}

int64_t reader_num(struct reader *r, const struct node *map, const char *path)
{
    return reader_get(r, map, path).n;
}

uint8_t reader_which(const char *word, const char *const *words, uint32_t n)
{
    uint32_t i = 0;
    while (i + 1 < n && strcmp(word, words[i]) != 0)
        i++;
    return (uint8_t)i;
}

struct node *reader_sub(const struct node *map, const char *leaf, enum node_kind kind)
{
    struct node *n = map ? tree_get(map, leaf, strlen(leaf)) : NULL;
    return n && n->kind == kind && !n->bad ? n : NULL;
}
