// SPDX-License-Identifier: GPL-3.0-or-later
/* libyaml's events to nodes. The reader keeps its own stack, so depth is ours to limit. */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "scenario/tree.h"

struct anchor {
    const char *name;
    struct node *node;
    bool open; /* still being read: an alias to it would be a cycle */
};

struct level {
    struct node *node;
    struct node *key; /* map: read, its value not yet */
    uint32_t anchor;  /* UINT32_MAX: none */
};

struct reader {
    struct arena *a;
    struct diag *d;
    const char *what;
    yaml_parser_t parser;
    struct level stack[TREE_MAX_DEPTH];
    unsigned depth;
    struct node *root;
    unsigned documents;
    uint32_t nodes;
    struct anchor *anchors;
    uint32_t n_anchors, room;
    bool any_value; /* a document may be a scalar or a list */
};

static struct diag_mark mark_of(yaml_mark_t start, yaml_mark_t end)
{
    struct diag_mark m = {
        .line = (unsigned)start.line + 1, .column = (unsigned)start.column + 1, .length = 1};
    if (end.line == start.line && end.column > start.column) m.length = (unsigned)(end.column - start.column);
    return m;
}

static bool fail(struct reader *r, struct diag_mark m, const char *text)
{
    diag_add(r->d, m, "%s", text);
    return false;
}

/* Line and column (in characters) of a byte. */
static struct diag_mark mark_at(const char *text, size_t at)
{
    struct diag_mark m = {.line = 1, .column = 1, .length = 1};
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            m.line++;
            m.column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            m.column++;
        }
    }
    return m;
}

/* The first byte that is not UTF-8, or len. */
static size_t first_bad_byte(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < len;) {
        size_t n = p[i] < 0x80   ? 1
                   : p[i] < 0xc2 ? 0
                   : p[i] < 0xe0 ? 2
                   : p[i] < 0xf0 ? 3
                   : p[i] < 0xf5 ? 4
                                 : 0;
        if (!n || n > len - i) return i;
        for (size_t j = 1; j < n; j++)
            if ((p[i + j] & 0xc0) != 0x80) return i;
        uint32_t second = n > 1 ? p[i + 1] : 0;
        if ((p[i] == 0xe0 && second < 0xa0) || (p[i] == 0xed && second > 0x9f)) return i;
        if ((p[i] == 0xf0 && second < 0x90) || (p[i] == 0xf4 && second > 0x8f)) return i;
        i += n;
    }
    return len;
}

static void parser_error(struct reader *r, const char *text, size_t len)
{
    yaml_parser_t *p = &r->parser;
    if (p->error == YAML_READER_ERROR) {
        /* libyaml sets no mark here, only how many bytes it had read. */
        size_t at = p->problem_offset < len ? p->problem_offset : len;
        struct diag_mark m = mark_at(text, at);
        if (p->problem_value != -1)
            diag_add(r->d, m, "character U+%04X is not allowed in YAML", (unsigned)p->problem_value);
        else
            diag_add(r->d, m, "%s", p->problem ? p->problem : "cannot be read");
        return;
    }
    struct diag_mark m = mark_of(p->problem_mark, p->problem_mark);
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->context)
        diag_add(r->d, m, "not YAML: %s, %s", problem, p->context);
    else
        diag_add(r->d, m, "not YAML: %s", problem);
    const char *at = text + (p->problem_mark.index < len ? p->problem_mark.index : len);
    if (at < text + len && *at == '\t') diag_hint(r->d, "indent with spaces, not tabs");
}

static uint32_t open_anchor(struct reader *r, const char *name, struct node *n, bool open)
{
    if (!name) return UINT32_MAX;
    if (r->n_anchors == r->room) {
        uint32_t room = r->room ? 2 * r->room : 8;
        struct anchor *more = arena_array(r->a, room, sizeof *more);
        if (r->n_anchors) memcpy(more, r->anchors, r->n_anchors * sizeof *more);
        r->anchors = more;
        r->room = room;
    }
    r->anchors[r->n_anchors] = (struct anchor){arena_dup(r->a, name, strlen(name)), n, open};
    return r->n_anchors++;
}

static void append(struct reader *r, struct node *list, struct node *key, struct node *value)
{
    if (list->n == list->room) {
        uint32_t room = list->room ? 2 * list->room : 4;
        struct node **items = arena_array(r->a, room, sizeof *items);
        if (list->n) memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        if (list->kind == NODE_MAP) {
            struct node **keys = arena_array(r->a, room, sizeof *keys);
            if (list->n) memcpy(keys, list->keys, list->n * sizeof *keys);
            list->keys = keys;
        }
        list->room = room;
    }
    if (key) list->keys[list->n] = key;
    list->items[list->n++] = value;
}

static bool take_key(struct reader *r, struct level *l, struct node *n, struct diag_mark m)
{
    if (n->kind != NODE_SCALAR) return fail(r, m, "a key must be a word");
    struct node *old = tree_key(l->node, n->text);
    if (old) {
        diag_add(r->d, m, "key `%.80s` is here twice", n->text);
        diag_hint(r->d, "the first is at line %u, column %u", old->mark.line, old->mark.column);
        return false;
    }
    l->key = n;
    return true;
}

/* A node is whole: it goes to its parent. An alias stands elsewhere (m) than what it names. */
static bool finish(struct reader *r, struct node *n, struct diag_mark m)
{
    if (!r->depth) {
        r->root = n;
        return true;
    }
    struct level *l = &r->stack[r->depth - 1];
    if (l->node->kind == NODE_MAP && !l->key) return take_key(r, l, n, m);
    append(r, l->node, l->key, n);
    l->key = NULL;
    uint64_t weight = (uint64_t)l->node->weight + n->weight + (l->node->kind == NODE_MAP);
    if (weight > TREE_MAX_NODES) return fail(r, m, "too large: aliases unfold to more than 200000 values");
    l->node->weight = (uint32_t)weight;
    if (n->height + 1 > l->node->height) l->node->height = n->height + 1;
    return true;
}

static struct node *node_new(struct reader *r, enum node_kind kind, struct diag_mark m)
{
    struct node *n = arena_alloc(r->a, sizeof *n);
    n->kind = kind;
    n->mark = m;
    n->weight = 1;
    return n;
}

static bool on_scalar(struct reader *r, const yaml_event_t *e)
{
    if (e->data.scalar.tag) return fail(r, mark_of(e->start_mark, e->end_mark), "tags have no meaning here");
    struct node *n = node_new(r, NODE_SCALAR, mark_of(e->start_mark, e->end_mark));
    n->text = arena_dup(r->a, (const char *)e->data.scalar.value, e->data.scalar.length);
    n->len = e->data.scalar.length;
    n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    /* Text with a NUL in it is cut there by whoever prints it; no key or value has one. */
    if (strlen(n->text) != n->len) return fail(r, n->mark, "a NUL character has no place in a scenario");
    open_anchor(r, (const char *)e->data.scalar.anchor, n, false);
    return finish(r, n, n->mark);
}

static bool on_start(struct reader *r, const yaml_event_t *e, enum node_kind kind)
{
    bool map = kind == NODE_MAP;
    struct diag_mark m = mark_of(e->start_mark, e->end_mark);
    const yaml_char_t *tag = map ? e->data.mapping_start.tag : e->data.sequence_start.tag;
    const yaml_char_t *anchor = map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;
    if (tag) return fail(r, m, "tags have no meaning here");
    if (r->depth == TREE_MAX_DEPTH) return fail(r, m, "nested deeper than 32 levels");
    if (r->depth && r->stack[r->depth - 1].node->kind == NODE_MAP && !r->stack[r->depth - 1].key)
        return fail(r, m, "a key must be a word");
    struct node *n = node_new(r, kind, m);
    uint32_t opened = open_anchor(r, (const char *)anchor, n, true);
    r->stack[r->depth++] = (struct level){n, NULL, opened};
    return true;
}

static bool on_end(struct reader *r)
{
    struct level l = r->stack[--r->depth];
    if (l.anchor != UINT32_MAX) r->anchors[l.anchor].open = false;
    return finish(r, l.node, l.node->mark);
}

static bool on_alias(struct reader *r, const yaml_event_t *e)
{
    struct diag_mark m = mark_of(e->start_mark, e->end_mark);
    const char *name = (const char *)e->data.alias.anchor;
    for (uint32_t i = r->n_anchors; i-- > 0;) {
        const struct anchor *x = &r->anchors[i];
        if (strcmp(x->name, name) != 0) continue;
        if (x->open) {
            diag_add(r->d, m, "alias `*%.60s` leads back to itself", name);
            return false;
        }
        if (r->depth + x->node->height >= TREE_MAX_DEPTH) return fail(r, m, "nested deeper than 32 levels");
        return finish(r, x->node, m);
    }
    diag_add(r->d, m, "alias `*%.60s` has no anchor before it", name);
    return false;
}

static bool on_document(struct reader *r, const yaml_event_t *e)
{
    if (!r->documents++) return true;
    diag_add(r->d, mark_of(e->start_mark, e->end_mark), "a second document begins here; a file holds one");
    return false;
}

static bool on_event(struct reader *r, const yaml_event_t *e)
{
    if (++r->nodes > 4 * TREE_MAX_NODES) return fail(r, mark_of(e->start_mark, e->end_mark), "too large");
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT: return on_document(r, e);
    case YAML_SCALAR_EVENT: return on_scalar(r, e);
    case YAML_MAPPING_START_EVENT: return on_start(r, e, NODE_MAP);
    case YAML_SEQUENCE_START_EVENT: return on_start(r, e, NODE_LIST);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: return on_end(r);
    case YAML_ALIAS_EVENT: return on_alias(r, e);
    default: return true;
    }
}

static bool read_events(struct reader *r, const char *text, size_t len)
{
    bool ok = true, end = false;
    while (ok && !end) {
        yaml_event_t e;
        if (!yaml_parser_parse(&r->parser, &e)) {
            parser_error(r, text, len);
            return false;
        }
        end = e.type == YAML_STREAM_END_EVENT;
        ok = on_event(r, &e);
        yaml_event_delete(&e);
    }
    return ok;
}

static struct node *read_document(struct reader *r, const char *text, size_t len)
{
    const struct diag_mark top = {1, 1, 1};
    if (len > TREE_MAX_BYTES) return fail(r, top, "larger than 8 MiB"), NULL;
    size_t bad = first_bad_byte(text, len);
    if (bad < len) {
        diag_add(r->d, mark_at(text, bad), "byte 0x%02X is not UTF-8", (unsigned char)text[bad]);
        return NULL;
    }
    if (!yaml_parser_initialize(&r->parser)) return fail(r, top, "out of memory"), NULL;
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, len);
    bool ok = read_events(r, text, len);
    yaml_parser_delete(&r->parser);
    if (!ok || r->any_value) return ok ? r->root : NULL;
    bool blank = !r->root || (r->root->kind == NODE_SCALAR && !r->root->len && r->root->plain);
    if (!blank && r->root->kind == NODE_MAP) return r->root;
    if (blank)
        diag_add(r->d, top, "the file is empty; %s is a map of keys", r->what);
    else
        diag_add(r->d, top, "the file is %s; %s is a map of keys",
                 r->root->kind == NODE_LIST ? "a list" : "one single value", r->what);
    return NULL;
}

struct node *tree_read(struct arena *a, const char *text, size_t len, const char *what, struct diag *d)
{
    struct reader r = {.a = a, .d = d, .what = what};
    return read_document(&r, text, len);
}

struct node *tree_read_value(struct arena *a, const char *text, size_t len, struct diag *d)
{
    struct reader r = {.a = a, .d = d, .what = "a value", .any_value = true};
    return read_document(&r, text, len);
}
