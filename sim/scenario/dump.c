// SPDX-License-Identifier: GPL-3.0-or-later
/* The resolved scenario as YAML: keys in the table's order, defaults filled in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/file.h"

/* Whether text can stand plain in a flow context and reads back as the same scalar. */
static bool plain_ok(const struct node *n)
{
    if (!n->plain) return false;
    if (!n->len) return false;
    for (size_t i = 0; i < n->len; i++) {
        char c = n->text[i];
        if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || strchr(",[]{}#&*!|>'\"%@`:?", c)) {
            if (c != '%' || !i) return false;
        }
    }
    return n->text[0] != '-' || (n->len > 1 && n->text[1] >= '0' && n->text[1] <= '9');
}

static void scalar(struct buf *b, const struct node *n)
{
    /* A plain scalar with blanks in it was text; in quotes it is the same text. */
    if (plain_ok(n))
        buf_add(b, n->text, n->len);
    else if (!n->len && n->plain)
        buf_puts(b, "null");
    else
        buf_json(b, n->text, n->len);
}

void dump_flow(struct buf *b, const struct node *n)
{
    if (n->kind == NODE_SCALAR) {
        scalar(b, n);
        return;
    }
    buf_puts(b, n->kind == NODE_MAP ? "{" : "[");
    for (uint32_t i = 0; i < n->n; i++) {
        if (i) buf_puts(b, ", ");
        if (n->kind == NODE_MAP) {
            scalar(b, n->keys[i]);
            buf_puts(b, ": ");
        }
        dump_flow(b, n->items[i]);
    }
    buf_puts(b, n->kind == NODE_MAP ? "}" : "]");
}

struct dumper {
    struct buf b;
    struct arena a;
    const struct scenario_file *f;
    const char *profile; /* of the host being written, where it is built in; NULL: a calibrated file */
    const struct node *root;
    const struct node *member; /* the host or VM being written */
};

static void indent(struct dumper *d, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_puts(&d->b, "  ");
}

static bool has_child(const struct key *parent)
{
    for (size_t i = 0; i < key_count(); i++)
        if (key_is_child(key_at(i), parent) && !key_at(i)->later &&
            (key_at(i)->def || key_at(i)->type == KEY_MAP))
            return true;
    return false;
}

/* Defaults are written for what is there; a map that may be left out whole, with a meaning of its own, stays
 * out. */
static bool left_out(const struct key *k)
{
    return k->type == KEY_MAP && k->def_text;
}

static const char *path_of(struct dumper *d, const struct node *n)
{
    /* The copy lies elsewhere: what was relative to the scenario is now absolute. */
    if (n->text[0] == '/') return n->text;
    char *dir = realpath(d->f->dir[0] ? d->f->dir : ".", NULL);
    const char *path = arena_printf(&d->a, "%s/%s", dir ? dir : d->f->dir, n->text);
    free(dir);
    return path;
}

static void dump_map(struct dumper *d, struct node *map, const struct key *parent, int depth,
                     bool first_inline);

/* Paths inside a distribution. */
static struct node *fix_amount(struct dumper *d, const struct node *n)
{
    struct node *c = tree_clone(&d->a, n);
    if (c->kind != NODE_MAP || c->n != 1 || c->items[0]->kind != NODE_SCALAR) return c;
    if (!tree_is(c->keys[0], "empirical") && !tree_is(c->keys[0], "sequence")) return c;
    c->items[0] = tree_scalar(&d->a, path_of(d, c->items[0]), c->mark, NULL);
    c->items[0]->plain = false;
    return c;
}

static const char *profile_of(const struct node *host)
{
    const struct key *k = key_find("hosts.profile");
    const struct node *n = tree_get(host, "profile", 7);
    if (!n) return k->def;
    return n->kind == NODE_SCALAR && key_has_word(k->words, n->text, n->len) ? n->text : NULL;
}

static void dump_list(struct dumper *d, struct node *list, const struct key *k, int depth)
{
    if (!list->n) {
        buf_puts(&d->b, " []\n");
        return;
    }
    buf_puts(&d->b, "\n");
    for (uint32_t i = 0; i < list->n; i++) {
        indent(d, depth + 1);
        buf_puts(&d->b, "- ");
        reader_unfold(&d->a, list->items[i], k);
        if (!strcmp(k->path, "hosts")) d->profile = profile_of(list->items[i]);
        if (!strcmp(k->path, "vms")) d->member = list->items[i];
        dump_map(d, list->items[i], k, depth + 2, true);
    }
}

static void dump_lines(struct dumper *d, const struct node *n, int depth)
{
    buf_puts(&d->b, n->n ? "\n" : n->kind == NODE_MAP ? " {}\n" : " []\n");
    for (uint32_t i = 0; i < n->n; i++) {
        indent(d, depth + 1);
        if (n->kind == NODE_LIST)
            buf_puts(&d->b, "- ");
        else {
            scalar(&d->b, n->keys[i]);
            buf_puts(&d->b, ": ");
        }
        dump_flow(&d->b, n->items[i]);
        buf_puts(&d->b, "\n");
    }
}

static void dump_value(struct dumper *d, struct node *v, const struct key *k, int depth)
{
    switch (k->type) {
    case KEY_SOME:
    case KEY_MAP:
        if (v->kind == NODE_LIST) {
            dump_list(d, v, k, depth);
            return;
        }
        if (v->kind == NODE_SCALAR) break;
        buf_puts(&d->b, "\n");
        dump_map(d, v, k, depth + 1, false);
        return;
    case KEY_NAMED:
    case KEY_MAPS: dump_list(d, v, k, depth); return;
    case KEY_SWEEP:
    case KEY_EXPECT:
    case KEY_STRINGS: dump_lines(d, v, depth); return;
    default: break;
    }
    buf_puts(&d->b, " ");
    if (key_is_dist(k->type)) v = fix_amount(d, v);
    if (k->type == KEY_FILE && !key_has_word(k->words, v->text, v->len))
        buf_json(&d->b, path_of(d, v), strlen(path_of(d, v)));
    else
        dump_flow(&d->b, v);
    buf_puts(&d->b, "\n");
}

/* What the file of a calibrated host may say. */
static bool from_file(const struct key *k)
{
    char path[80];
    snprintf(path, sizeof path, KEY_PROFILE "%.60s", strchr(k->path, '.'));
    return key_find(path) != NULL;
}

/* Where a key is not stated: its default, if it has one that can be written. */
static struct node *fill_in(struct dumper *d, const struct key *k)
{
    if (left_out(k)) return NULL;
    if (k->type == KEY_MAP && !k->def && has_child(k)) {
        struct node *m = arena_alloc(&d->a, sizeof *m);
        m->kind = NODE_MAP;
        return m;
    }
    const char *def = k->def;
    if (!strncmp(k->path, "hosts.", 6)) {
        /* What a profile says would be hidden by a default that is written out. */
        if ((d->f->n_axes && profiles_any(k->path)) || ((d->f->n_axes || !d->profile) && from_file(k)))
            return NULL;
        const char *of = d->profile ? profiles_value(d->profile, k->path) : NULL;
        if (of) def = of;
    }
    if (!def || key_is_dist(k->type)) return NULL;
    return tree_scalar(&d->a, def, (struct diag_mark){0}, NULL);
}

/* Defaults that follow from other keys. Where something is swept they may differ from point to point, so
 * they are left to each. */
static struct node *computed(struct dumper *d, const struct key *k, const struct node *map)
{
    char text[40];
    int64_t duration;
    struct unit_why why;
    const struct node *hosts = tree_get(d->root, "hosts", 5), *n;
    if (!strcmp(k->path, "name"))
        return tree_scalar(&d->a, scenario_default_name(&d->a, d->f->name), (struct diag_mark){0}, NULL);
    if (d->f->n_axes) return NULL;
    if (!strcmp(k->path, "run.sample")) {
        n = tree_get(map, "duration", 8);
        const char *of = n && n->kind == NODE_SCALAR ? n->text : key_find("run.duration")->def;
        if (!unit_parse(UNIT_DURATION, of, strlen(of), &duration, &why)) return NULL;
        int64_t sample = duration / 600 < 1000000 ? 1000000 : duration / 600;
        return tree_scalar(&d->a, unit_format(UNIT_DURATION, sample, text, sizeof text),
                           (struct diag_mark){0}, NULL);
    }
    bool one = hosts && hosts->kind == NODE_LIST && hosts->n == 1 && !tree_get(hosts->items[0], "count", 5);
    const struct node *cloud = tree_get(d->root, "cloud", 5);
    bool placed = (cloud && tree_get(cloud, "place", 5)) || tree_get(map, "place", 5);
    if (!strcmp(k->path, "vms.host") && one && !placed) {
        n = tree_get(hosts->items[0], "name", 4);
        return n ? tree_clone(&d->a, n) : NULL;
    }
    if (!strcmp(k->path, "vms.workload.threads") && d->member) {
        n = tree_get(d->member, "vcpus", 5);
        return n ? tree_clone(&d->a, n) : tree_scalar(&d->a, "1", (struct diag_mark){0}, NULL);
    }
    return NULL;
}

/* Whether a key that is not stated is one that may stand here. Some go with a neighbour, or follow it; which
 * of two models it belongs to may differ from point to point. */
static bool belongs(const struct dumper *d, const struct node *map, const struct key *k)
{
    if (!strcmp(k->path, "events.kind")) return tree_get(map, "clone", 5) != NULL;
    if (!strcmp(k->path, "vms.migrate.rate_max")) return !tree_get(map, "rate", 4);
    if (!k->only) return true;
    const char *word = d->f->n_axes ? NULL : reader_neighbour(map, k);
    return word && key_belongs(k, word, strlen(word));
}

static void dump_map(struct dumper *d, struct node *map, const struct key *parent, int depth,
                     bool first_inline)
{
    bool any = false;
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        if (k->later || !key_is_child(k, parent)) continue;
        const char *leaf = key_leaf(k);
        struct node *v = tree_get(map, leaf, strlen(leaf));
        if (!v && !belongs(d, map, k)) continue;
        if (!v) v = fill_in(d, k);
        if (!v) v = computed(d, k, map);
        if (!v) continue;
        if (!(first_inline && !any)) indent(d, depth);
        any = true;
        buf_printf(&d->b, "%s:", leaf);
        if (k->type == KEY_MAP || k->type == KEY_SOME) reader_unfold(&d->a, v, k);
        dump_value(d, v, k, depth);
    }
    if (any) return;
    if (!first_inline) d->b.len--; /* the line's end after the key */
    buf_puts(&d->b, first_inline ? "{}\n" : " {}\n");
}

char *scenario_dump(const struct scenario_file *f, size_t *len)
{
    struct dumper d = {.f = f};
    buf_init(&d.b);
    arena_init(&d.a);
    struct node *root = tree_clone(&d.a, f->root);
    d.root = root;
    if (f->n_axes || f->n_taken) {
        /* What --set took out of the sweep is out. */
        struct node *sweep = tree_get(root, "sweep", 5), *zip = tree_get(sweep, "zip", 3);
        for (uint32_t i = 0; i < f->n_taken; i++) {
            tree_drop(sweep, f->taken[i]);
            if (zip) tree_drop(zip, f->taken[i]);
        }
        if (zip && !zip->n) tree_drop(sweep, "zip");
        if (!sweep->n) tree_drop(root, "sweep");
    }
    dump_map(&d, root, NULL, 0, false);
    arena_done(&d.a);
    return buf_take(&d.b, len);
}
