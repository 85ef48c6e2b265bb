// SPDX-License-Identifier: GPL-3.0-or-later
/* The sweep: its axes, its points, and how a value is put at a path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "scenario/file.h"

/* --- paths --- */

struct walk {
    struct reader *r;
    struct node *where; /* blamed */
    const char *path;   /* whole */
    struct node *at;    /* a map, or a list whose member the next part picks */
    const struct key *k;
};

static bool blame(struct walk *w, const char *what, const char *part)
{
    return tree_error(w->r->d, w->where, "`%.120s`: %s `%.63s`", w->path, what, part);
}

static bool into_member(struct walk *w, const char *part)
{
    const char *names[65] = {0};
    ASSERT(w->k); /* a list lies below a key */
    if (w->k->type == KEY_MAPS || w->k->type == KEY_SOME) {
        char *end;
        unsigned long i = strtoul(part, &end, 10);
        if (part[0] < '0' || part[0] > '9' || *end || i >= w->at->n) {
            if (blame(w, "there is no member", part))
                diag_hint(w->r->d, "members of `%s` are counted from 0; there are %u", key_leaf(w->k),
                          w->at->n);
            return false;
        }
        w->at = w->at->items[i];
        reader_unfold(w->r->a, w->at, w->k);
        return true;
    }
    for (uint32_t i = 0; i < w->at->n; i++) {
        struct node *name = tree_get(w->at->items[i], "name", 4);
        if (!name || name->kind != NODE_SCALAR) continue;
        if (tree_is(name, part)) {
            w->at = w->at->items[i];
            return true;
        }
        if (i < 64) names[i] = name->text;
    }
    /* A member without a readable name leaves a hole. */
    size_t n = 0;
    for (size_t i = 0; i < 64; i++)
        if (names[i]) names[n++] = names[i];
    names[n] = NULL;
    if (blame(w, "there is none called", part)) {
        const char *near = diag_nearest(part, names);
        if (near) diag_hint(w->r->d, "did you mean `%s`?", near);
    }
    return false;
}

static const struct key *row(struct walk *w, const char *part)
{
    const struct key *k = key_child(w->k, part, strlen(part));
    if (k && k->later) {
        tree_error(w->r->d, w->where, "`%.120s` is not supported yet", w->path);
        return NULL;
    }
    if (k) return k;
    const char *near[65];
    size_t n = 0;
    for (size_t i = 0; i < key_count() && n < 64; i++)
        if (key_is_child(key_at(i), w->k)) near[n++] = key_leaf(key_at(i));
    near[n] = NULL;
    if (blame(w, "unknown key", part)) {
        const char *best = diag_nearest(part, near);
        if (best) diag_hint(w->r->d, "did you mean `%s`?", best);
    }
    return NULL;
}

/* One more part, not the last one. False: told. */
static bool descend(struct walk *w, const char *part)
{
    if (w->at->kind == NODE_LIST) return into_member(w, part);
    const struct key *k = row(w, part);
    if (!k) return false;
    struct node *next = tree_get(w->at, part, strlen(part));
    if (next) reader_unfold(w->r->a, next, k);
    if (!next && (k->type == KEY_MAP || k->type == KEY_SOME || k->type == KEY_SHARES)) {
        next = arena_alloc(w->r->a, sizeof *next);
        next->kind = NODE_MAP;
        next->mark = w->where->mark;
        next->origin = w->where->origin;
        tree_put(w->r->a, w->at, part, next);
    }
    bool map = k->type == KEY_MAP || k->type == KEY_SHARES || key_is_dist(k->type);
    bool list = k->type == KEY_NAMED || k->type == KEY_MAPS;
    if (k->type == KEY_SOME && next) map = !(list = next->kind == NODE_LIST);
    if (!(map || list) || !next || next->kind != (map ? NODE_MAP : NODE_LIST))
        return blame(w, "nothing lies below", part), false;
    w->at = next;
    w->k = k;
    return true;
}

static bool put_last(struct walk *w, const char *part, struct node *value)
{
    if (w->k && w->k->type == KEY_SHARES) {
        tree_put(w->r->a, w->at, part, value);
        return true;
    }
    if (w->k && key_is_dist(w->k->type) && w->at->kind == NODE_MAP) {
        if (!tree_get(w->at, part, strlen(part))) return blame(w, "there is no", part), false;
        tree_put(w->r->a, w->at, part, value);
        return true;
    }
    if (w->at->kind != NODE_MAP) return blame(w, "a key of it is wanted, not the whole of", part), false;
    const struct key *k = row(w, part);
    if (!k) return false;
    bool fixed = k->type == KEY_NAMED || k->type == KEY_SWEEP || k->type == KEY_EXPECT ||
                 (k->type == KEY_NAME && w->k && !strcmp(part, "name"));
    if (fixed) return blame(w, "this cannot be set:", part), false;
    tree_put(w->r->a, w->at, part, value);
    return true;
}

bool sweep_put(struct reader *r, struct node *root, const char *path, struct node *value, struct node *where)
{
    struct walk w = {.r = r, .where = where, .path = path, .at = root};
    char part[80];
    for (const char *p = path;;) {
        size_t len = strcspn(p, ".");
        if (!len || len >= sizeof part) {
            tree_error(r->d, where, "`%.120s` is not the path of a key", path);
            return false;
        }
        memcpy(part, p, len);
        part[len] = '\0';
        if (!p[len]) return put_last(&w, part, value);
        if (!descend(&w, part)) return false;
        p += len + 1;
    }
}

/* --- axes --- */

static bool read_axis(struct scenario_file *f, struct diag *d, struct node *map, uint32_t from, uint32_t n)
{
    struct axis *x = &f->axes[f->n_axes];
    *x = (struct axis){0};
    x->keys = arena_array(&f->a, n, sizeof *x->keys);
    x->key_node = arena_array(&f->a, n, sizeof *x->key_node);
    x->values = arena_array(&f->a, n, sizeof *x->values);
    for (uint32_t i = 0; i < n; i++) {
        struct node *name = map->keys[from + i], *list = map->items[from + i];
        if (list->kind != NODE_LIST)
            return tree_error(d, list, "`%.100s` wants a list of values", name->text), false;
        if (!list->n) return tree_error(d, list, "`%.100s` has no value", name->text), false;
        if (i && list->n != x->n_values) {
            tree_error(d, list, "lists under `zip` are of one length: this has %u, the first %u", list->n,
                       x->n_values);
            return false;
        }
        if (sweep_has(f, name->text))
            return tree_error(d, name, "`%.100s` is swept twice", name->text), false;
        x->keys[i] = name->text;
        x->key_node[i] = name;
        x->values[i] = list->items;
        x->n_values = list->n;
        x->n_keys = i + 1;
    }
    f->n_axes++;
    return true;
}

static bool count_points(struct scenario_file *f, struct diag *d, struct node *sweep)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < f->n_axes; i++)
        if ((n *= f->axes[i].n_values) > SWEEP_MAX_POINTS)
            return tree_error(d, sweep, "more than a million points"), false;
    return true;
}

/* Every path is tried once, so that a wrong one is told before anything runs. */
static bool try_paths(struct scenario_file *f, struct diag *d)
{
    bool ok = true;
    struct arena scratch;
    arena_init(&scratch);
    struct reader r = {.a = &scratch, .d = d, .dir = f->dir};
    struct node *root = tree_clone(&scratch, f->root);
    for (uint32_t i = 0; i < f->n_axes; i++)
        for (uint32_t j = 0; j < f->axes[i].n_keys; j++)
            ok &= sweep_put(&r, root, f->axes[i].keys[j], tree_clone(&scratch, f->axes[i].values[j][0]),
                            f->axes[i].key_node[j]);
    arena_done(&scratch);
    return ok;
}

bool sweep_read(struct scenario_file *f, struct diag *d)
{
    struct node *sweep = tree_get(f->root, "sweep", 5);
    if (!sweep) return true;
    if (sweep->kind != NODE_MAP)
        return tree_error(d, sweep, "`sweep` wants a map of key paths to lists of values"), false;
    f->axes = arena_array(&f->a, sweep->n + 1, sizeof *f->axes);
    bool ok = true;
    for (uint32_t i = 0; i < sweep->n; i++) {
        struct node *v = sweep->items[i];
        if (!tree_is(sweep->keys[i], "zip"))
            ok &= read_axis(f, d, sweep, i, 1);
        else if (v->kind != NODE_MAP || !v->n)
            ok = (tree_error(d, v, "`zip` wants a map of key paths to lists of one length"), false);
        else
            ok &= read_axis(f, d, v, 0, v->n);
    }
    return count_points(f, d, sweep) && try_paths(f, d) && ok;
}

bool sweep_has(const struct scenario_file *f, const char *key)
{
    for (uint32_t i = 0; i <= f->n_axes; i++) /* the one being read too: its n_keys counts what is in */
        for (uint32_t j = 0; f->axes && j < f->axes[i].n_keys; j++)
            if (!strcmp(f->axes[i].keys[j], key)) return true;
    return false;
}

void sweep_take(struct scenario_file *f, const char *key)
{
    for (uint32_t i = 0; i < f->n_axes; i++) {
        struct axis *x = &f->axes[i];
        for (uint32_t j = 0; j < x->n_keys; j++) {
            if (strcmp(x->keys[j], key) != 0) continue;
            x->n_keys--;
            for (uint32_t m = j; m < x->n_keys; m++) {
                x->keys[m] = x->keys[m + 1];
                x->key_node[m] = x->key_node[m + 1];
                x->values[m] = x->values[m + 1];
            }
            const char **more = arena_array(&f->a, f->n_taken + 1, sizeof *more);
            if (f->n_taken) memcpy(more, f->taken, f->n_taken * sizeof *more);
            more[f->n_taken++] = key;
            f->taken = more;
            if (!x->n_keys) {
                f->n_axes--;
                memmove(x, x + 1, (f->n_axes - i) * sizeof *x);
                f->axes[f->n_axes] = (struct axis){0};
            }
            return;
        }
    }
}

size_t scenario_points(const struct scenario_file *f)
{
    size_t n = 1;
    for (uint32_t i = 0; i < f->n_axes; i++)
        n *= f->axes[i].n_values;
    return n;
}

/* The last axis changes fastest. */
static size_t stride(const struct scenario_file *f, uint32_t axis)
{
    size_t n = 1;
    for (uint32_t i = axis + 1; i < f->n_axes; i++)
        n *= f->axes[i].n_values;
    return n;
}

uint32_t sweep_index(const struct scenario_file *f, size_t point, uint32_t axis)
{
    return (uint32_t)(point / stride(f, axis) % f->axes[axis].n_values);
}

static bool same_value(const struct node *n, const char *text)
{
    if (n->kind == NODE_SCALAR) {
        int64_t x, y;
        struct unit_why why;
        if (!strcmp(n->text, text)) return true;
        for (enum unit_kind k = UNIT_DURATION; k <= UNIT_BANDWIDTH; k++)
            if (unit_parse(k, n->text, n->len, &x, &why) && unit_parse(k, text, strlen(text), &y, &why))
                return x == y;
        return false;
    }
    struct buf b;
    buf_init(&b);
    dump_flow(&b, n);
    bool same = !strcmp(b.text, text);
    buf_done(&b);
    return same;
}

/* Whether the axis at v has all that is asked of its keys; *last is the last of them. */
static bool has_all(const struct axis *x, uint32_t v, const struct sweep_at *at, uint32_t n, uint32_t *last)
{
    bool all = true;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < x->n_keys; j++) {
            if (strcmp(x->keys[j], at[i].key) != 0) continue;
            *last = i;
            all = all && same_value(x->values[j][v], at[i].value);
        }
    return all;
}

bool sweep_move(const struct scenario_file *f, size_t *point, const struct sweep_at *at, uint32_t n,
                uint32_t *bad)
{
    for (uint32_t i = 0; i < f->n_axes; i++) {
        const struct axis *x = &f->axes[i];
        uint32_t now = sweep_index(f, *point, i), v = now;
        /* Where it is now is looked at first: where nothing is asked, or a value stands there twice, it
         * stays. */
        for (uint32_t k = 0; k < x->n_values && !has_all(x, v, at, n, bad); k++)
            v = k;
        if (!has_all(x, v, at, n, bad)) return false;
        *point = *point - now * stride(f, i) + v * stride(f, i);
    }
    return true;
}

struct node *sweep_tree(struct scenario_file *f, struct reader *r, size_t point)
{
    struct node *root = tree_clone(r->a, f->root);
    for (uint32_t i = 0; i < f->n_axes; i++) {
        const struct axis *x = &f->axes[i];
        uint32_t v = sweep_index(f, point, i);
        for (uint32_t j = 0; j < x->n_keys; j++)
            sweep_put(r, root, x->keys[j], tree_clone(r->a, x->values[j][v]), x->key_node[j]);
    }
    return root;
}
