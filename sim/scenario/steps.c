// SPDX-License-Identifier: GPL-3.0-or-later
/* A workload's steps, compiled into a program. `ops` becomes one step a kind, the later ones glued to the
 * first, in the order of enum prog_op: the order of keys in a map means nothing. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "program/prog_touch.h"
#include "scenario/names.h"
#include "scenario/vms.h"

#define S "vms.workload.steps."

#define DEFAULT_PAGE 4096

struct compiler {
    struct vms *v;
    struct vms_group *g;
    struct pool pool;
    struct step *steps;
    uint32_t n;
    struct node **to; /* [n] of a send, where it leads; else NULL */
};

static const char *const kinds[STEP_NKINDS] = {
    [STEP_CPU] = "cpu",       [STEP_BUSY] = "busy",     [STEP_SLEEP] = "sleep",   [STEP_TOUCH] = "touch",
    [STEP_DISK] = "disk",     [STEP_NET] = "net",       [STEP_OPS] = "ops",       [STEP_LOCK] = "lock",
    [STEP_ACCESS] = "access", [STEP_SECRET] = "secret", [STEP_COVERT] = "covert",
};

static bool refused(struct compiler *c, struct node *n, const char *why)
{
    tree_error(c->v->r->d, n, "%s", why);
    return false;
}

/* Whether something in the map was told before. */
static bool any_bad(const struct node *map)
{
    for (uint32_t i = 0; map->kind == NODE_MAP && i < map->n; i++)
        if (map->keys[i]->bad || map->items[i]->bad) return true;
    return map->bad;
}

/* No more than a draw may be. */
static bool amount(struct compiler *c, struct node *n, int64_t so_many, const char *of, struct step *s)
{
    s->amount = (struct dist){.kind = DIST_CONST, .a = so_many};
    if (draw_make(&s->amount) == 0) return true;
    tree_error(c->v->r->d, n, "out of range: more than 2^62 %s", of);
    return false;
}

/* A constant number, which must not be nothing. */
static bool constant(struct compiler *c, const struct got *got, const char *of, struct step *s)
{
    if (!got->n) {
        tree_error(c->v->r->d, got->node, "a step of no %s does nothing, over and over", of);
        return false;
    }
    return amount(c, got->node, got->n, of, s);
}

/* A share in millionths to 2^-32; all of it is UINT32_MAX. */
static uint32_t fraction(int64_t ppm)
{
    return ppm == 1000000 ? UINT32_MAX : (uint32_t)(((uint64_t)ppm << 32) / 1000000);
}

static bool touch(struct compiler *c, struct node *map, struct step *s)
{
    struct reader *r = c->v->r;
    const struct sc_host *h = vms_host(c->v, c->g);
    struct got pages = reader_get(r, map, S "touch.pages"), of = reader_get(r, map, S "touch.of");
    struct node *pattern = tree_get(map, "pattern", 7);
    char text[40];
    int64_t size = of.n, has = c->g->like.memory_bytes;
    if (!pages.stated) return refused(c, map, "how many references? `pages` is missing");
    if (!pages.node || (of.stated && !of.node) || (pattern && any_bad(pattern))) return false;
    if (!of.stated) size = has;
    if (!size)
        return refused(c, map, "references to how much? `of` is missing, and so is the VM's memory.size");
    if (has && size > has) {
        tree_error(r->d, of.node, "the VM has only %s of memory",
                   unit_format(UNIT_SIZE, has, text, sizeof text));
        return false;
    }
    int64_t page = h && h->memory.page_bytes ? h->memory.page_bytes : DEFAULT_PAGE;
    if (has && has < page) {
        tree_error(r->d, of.stated ? of.node : map, "the VM's memory is less than one page of its host: %s",
                   unit_format(UNIT_SIZE, page, text, sizeof text));
        return false;
    }
    s->span = size / page + (size % page != 0);
    if (has && s->span > has / page) s->span = has / page; /* what is no whole page is of no use to it */
    if (s->span > PROG_MAX_PAGES) return refused(c, of.stated ? of.node : map, "more than 2^31 pages");
    s->write = fraction(reader_num(r, map, S "touch.write"));
    s->how = tree_is(pattern, "cyclic") ? PROG_CYCLIC : PROG_UNIFORM;
    if (pattern && pattern->kind == NODE_MAP) {
        struct got zipf = reader_get(r, pattern, S "touch.pattern.zipf");
        if (!zipf.stated) return refused(c, pattern, "`pattern` is uniform, cyclic or {zipf: s}");
        if (!zipf.node) return false;
        s->how = PROG_ZIPF;
        s->skew = (double)zipf.n / 1e9;
    }
    if (!constant(c, &pages, "references", s)) return false;
    return prog_touch_make(s) || refused(c, pattern ? pattern : map, "this pattern is out of range");
}

/* The VM's first disk on the device of that name; no name: its first. */
static bool disk_named(struct compiler *c, struct node *on, struct step *s)
{
    const char *names[65] = {0};
    const struct vms_group *g = c->g;
    for (uint32_t i = 0; i < g->like.n_disks; i++) {
        if (g->disks[i].disk == SC_NONE) return false; /* told before */
        const char *name = c->v->sc->disks[g->disks[i].disk].name;
        if (!on || tree_is(on, name)) return s->target = i, true;
        if (i < 64) names[i] = name;
    }
    if (!tree_error(c->v->r->d, on, "the VM has no disk on `%.63s`", on->text)) return false;
    const char *near = diag_nearest(on->text, names);
    if (near) diag_hint(c->v->r->d, "did you mean `%s`?", near);
    return false;
}

static bool disk(struct compiler *c, struct node *map, struct step *s)
{
    static const char *const hows[PROG_NDISK] = {
        [PROG_READ] = "read", [PROG_WRITE] = "write", [PROG_TRIM] = "trim"};
    struct reader *r = c->v->r;
    const struct vms_group *g = c->g;
    struct node *amount = NULL;
    int n = 0;
    for (uint32_t i = 0; i < PROG_NDISK; i++) {
        struct node *v = tree_get(map, hows[i], strlen(hows[i]));
        if (!v) continue;
        amount = v;
        s->how = i;
        n++;
    }
    if (n != 1) return refused(c, map, "a request is exactly one of `read`, `write` and `trim`");
    struct got pattern = reader_get(r, map, S "disk.pattern"), flush = reader_get(r, map, S "disk.flush");
    if (pattern.word[0] == 's') s->flags |= PROG_SEQUENTIAL;
    if (flush.n) s->flags |= PROG_FLUSH;
    if (flush.n && s->how != PROG_WRITE) return refused(c, flush.node, "`flush` is for writes");
    if (!dist_read_in(r, amount, UNIT_SIZE, false, &s->amount, &c->pool)) return false;
    struct got on = reader_get(r, map, S "disk.on");
    bool told = tree_get(g->map, "disk", 4) != NULL;
    if (on.stated && !on.node) return false;
    if (!g->like.n_disks) return told ? false : refused(c, map, "the VM has no `disk`");
    if (!disk_named(c, on.node, s)) return false;
    int64_t size = g->disks[s->target].size_bytes;
    char text[40];
    if (s->amount.kind != DIST_CONST || !size || s->amount.a <= size) return true;
    tree_error(r->d, amount, "more than the disk holds: it has %s",
               unit_format(UNIT_SIZE, size, text, sizeof text));
    return false;
}

static bool net(struct compiler *c, struct node *map, struct step *s)
{
    struct reader *r = c->v->r;
    struct node *send = tree_get(map, "send", 4);
    struct got to = reader_get(r, map, S "net.to"), receive = reader_get(r, map, S "net.receive");
    if (!send == !receive.stated) return refused(c, map, "either `send` or `receive` is wanted");
    if (c->g->like.network == SC_NONE)
        return tree_get(c->g->map, "nic", 3) ? false : refused(c, map, "the VM has no `nic`");
    if (receive.stated) {
        s->how = PROG_RECEIVE;
        if (to.node) return refused(c, to.node, "`to` is for `send`; what is received comes from anywhere");
        return receive.node && constant(c, &receive, "frames", s);
    }
    s->how = PROG_SEND;
    if (!to.stated) return refused(c, map, "to whom? `to` is missing");
    c->to[c->n] = to.node;
    return dist_read_in(r, send, UNIT_SIZE, false, &s->amount, &c->pool) && to.node;
}

static bool lock(struct compiler *c, struct node *map, struct step *s)
{
    struct reader *r = c->v->r;
    struct node *hold = tree_get(map, "hold", 4);
    if (!hold) return refused(c, map, "how long is it held? `hold` is missing");
    s->how = reader_get(r, map, S "lock.wait").word[0] == 'y' ? PROG_YIELD : PROG_SPIN;
    return dist_read(r, hold, true, &s->amount, &c->pool);
}

/* Several steps at once; the caller adds the last one. */
static bool all_ops(struct compiler *c, struct node *map, struct step *s)
{
    bool first = true;
    char path[64] = S "ops.";
    size_t len = strlen(path);
    for (uint32_t op = 0; op < PROG_NOPS; op++) {
        snprintf(path + len, sizeof path - len, "%s", name_op(op));
        struct got n = reader_get(c->v->r, map, path);
        if (!n.stated) continue;
        if (!n.node) return false;
        if (!first && c->n + 1 >= PROG_MAX_STEPS) return refused(c, map, "more than 256 steps");
        if (!first) c->steps[c->n++] = *s;
        s->how = op;
        if (!first) s->flags = PROG_GLUED;
        if (!constant(c, &n, "events", s)) return false;
        first = false;
    }
    return !first || refused(c, map, "`ops` of nothing");
}

static bool access_step(struct compiler *c, struct node *map, struct step *s)
{
    static const char *const wheres[PROG_NACCESS] = {"null", "outside", "nx", "readonly"};
    const char *where = reader_get(c->v->r, map, S "access.where").word;
    for (uint32_t i = 0; i < PROG_NACCESS; i++)
        if (!strcmp(where, wheres[i])) s->how = i;
    s->amount = (struct dist){.kind = DIST_CONST, .a = 1};
    return draw_make(&s->amount) == 0;
}

static bool secret(struct compiler *c, struct node *n, struct step *s)
{
    struct got got = {0};
    if (n->kind != NODE_SCALAR || !reader_scalar(c->v->r, n, key_find(S "secret"), &got)) return false;
    if (c->g->like.memory_bytes && got.n > c->g->like.memory_bytes)
        return refused(c, n, "more than the VM's memory holds");
    return amount(c, n, got.n, "bytes", s);
}

static bool covert(struct compiler *c, struct node *map, struct step *s)
{
    struct reader *r = c->v->r;
    struct got send = reader_get(r, map, S "covert.send"), from = reader_get(r, map, S "covert.receive");
    if (!send.stated == !from.stated) return refused(c, map, "either `send` or `receive` is wanted");
    if ((send.stated && !send.node) || (from.stated && !from.node)) return false;
    s->how = send.node ? PROG_TELL : PROG_HEAR;
    s->span = reader_num(r, map, S "covert.bits");
    int64_t rate_u = reader_num(r, map, S "covert.rate");
    s->amount = (struct dist){.kind = DIST_CONST, .a = INT64_C(1000000000000000) / rate_u};
    if (from.node) c->to[c->n] = from.node;
    if (s->amount.a < 2) return refused(c, map, "a bit takes 2 ns at least");
    return draw_make(&s->amount) == 0;
}

static bool body(struct compiler *c, struct node *n, struct step *s)
{
    if (s->kind >= STEP_TOUCH && any_bad(n)) return false;
    switch (s->kind) {
    case STEP_TOUCH: return n->kind == NODE_MAP && touch(c, n, s);
    case STEP_DISK: return n->kind == NODE_MAP && disk(c, n, s);
    case STEP_NET: return n->kind == NODE_MAP && net(c, n, s);
    case STEP_OPS: return n->kind == NODE_MAP && all_ops(c, n, s);
    case STEP_LOCK: return n->kind == NODE_MAP && lock(c, n, s);
    case STEP_ACCESS: return n->kind == NODE_MAP && access_step(c, n, s);
    case STEP_SECRET: return secret(c, n, s);
    case STEP_COVERT: return n->kind == NODE_MAP && covert(c, n, s);
    default: return dist_read(c->v->r, n, false, &s->amount, &c->pool);
    }
}

static bool one_step(struct compiler *c, struct node *map)
{
    struct reader *r = c->v->r;
    struct node *value = NULL;
    struct step s = {0};
    int n = 0;
    if (map->kind != NODE_MAP || any_bad(map)) return false; /* told before */
    for (uint32_t k = 0; k < STEP_NKINDS; k++) {
        struct node *v = tree_get(map, kinds[k], strlen(kinds[k]));
        if (!v) continue;
        value = v;
        s.kind = k;
        n++;
    }
    if (n != 1) {
        tree_error(r->d, map,
                   n ? "a step is of one kind; this one is of %d"
                     : "a step needs a kind: cpu, busy, sleep, touch, disk, net, ops, lock, access, secret "
                       "or covert",
                   n);
        return false;
    }
    /* Billionths to 2^-32, exact enough for any probability that can be seen. */
    uint64_t p = (uint64_t)reader_num(r, map, S "probability");
    s.probability = p == 1000000000 ? UINT32_MAX : (uint32_t)((p << 32) / 1000000000);
    if (!body(c, value, &s)) return false;
    if (c->n >= PROG_MAX_STEPS) return refused(c, map, "more than 256 steps");
    c->steps[c->n++] = s;
    return true;
}

/* How many steps a list makes at most. */
static uint32_t room_for(const struct node *list)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct node *all = tree_get(list->items[i], "ops", 3);
        n += all && all->n ? all->n : 1;
    }
    return n < PROG_MAX_STEPS ? (uint32_t)n : PROG_MAX_STEPS;
}

struct prog *steps_read(struct vms *v, struct vms_group *g, struct node *list)
{
    struct reader *r = v->r;
    if (!list->n) return tree_error(r->d, list, "a workload needs at least one step"), NULL;
    if (list->n > PROG_MAX_STEPS) return tree_error(r->d, list, "more than 256 steps"), NULL;
    struct compiler c = {.v = v, .g = g};
    uint32_t room = room_for(list);
    c.steps = arena_array(r->a, room, sizeof *c.steps);
    c.to = arena_array(r->a, room + 1, sizeof(struct node *)); /* one too many looks before it is told */
    bool ok = true;
    for (uint32_t i = 0; i < list->n && (ok || c.n < PROG_MAX_STEPS); i++)
        ok &= one_step(&c, list->items[i]);
    if (!ok) return NULL;
    uint64_t bytes = sizeof(struct prog) + (uint64_t)c.n * sizeof(struct step) + 8 * (uint64_t)c.pool.n;
    if (bytes > PROG_MAX_BYTES)
        return tree_error(r->d, list, "the files of these steps hold too many numbers"), NULL;
    struct prog *p =
        prog_build(arena_alloc(r->a, prog_size(c.n, c.pool.n)), c.steps, c.n, c.pool.v, c.pool.n);
    struct step *steps = (struct step *)(p + 1);
    for (uint32_t i = 0; i < c.n; i++) {
        if (!c.to[i]) continue;
        struct vms_send *send = arena_alloc(r->a, sizeof *send);
        *send = (struct vms_send){.to = c.to[i], .step = &steps[i], .next = g->sends};
        g->sends = send;
    }
    return p;
}

/* The endpoint called so: a VM's index, or n_vms + a peer's; SC_NONE: told. */
static uint32_t endpoint(struct vms *v, const struct vms_group *g, struct node *to)
{
    const struct scenario *sc = v->sc;
    struct reader *r = v->r;
    struct sc_peer want = {.name = to->text};
    uint32_t vm = vms_find(sc, to->text), peer = order_peer(sc, &want);
    if (vm != UINT32_MAX && peer != SC_NONE) {
        to->bad = true; /* check.c tells it of the peer */
    } else if (peer != SC_NONE) {
        return sc->n_vms + peer;
    } else if (vm == UINT32_MAX) {
        if (tree_error(r->d, to, "there is no VM or peer `%s`", to->text)) vms_hint(r, sc, to->text, true);
    } else if (!strcmp(sc->vms[vm].group, g->like.group)) {
        if (g->members == 1)
            tree_error(r->d, to, "it would send to itself");
        else if (tree_error(r->d, to, "`%s` would send to itself: all VMs of the `count` run this program",
                            to->text))
            diag_hint(r->d, "give the receiver an entry of its own under `vms`");
    } else {
        return vm;
    }
    return SC_NONE;
}

/* Whether the VM sends bits at the rate at which they are listened for; false: told. */
static bool heard(struct vms *v, uint32_t vm, struct node *from, const struct step *hears)
{
    const struct prog *p = vms_group_of(v, vm)->prog;
    bool sends = false;
    for (uint32_t i = 0; p && i < p->n_steps; i++) {
        const struct step *s = &prog_steps(p)[i];
        if (s->kind != STEP_COVERT || s->how != PROG_TELL) continue;
        if (s->amount.a == hears->amount.a) return true;
        sends = true;
    }
    if (sends)
        tree_error(v->r->d, from, "`%s` sends at another `rate`: their bits would not meet", from->text);
    else if (tree_error(v->r->d, from, "`%s` sends nothing that could be heard", from->text))
        diag_hint(v->r->d, "give it a step {covert: {send: random}}");
    return false;
}

void steps_settle(struct vms *v)
{
    for (uint32_t i = 0; i < v->n_groups; i++)
        for (struct vms_send *s = v->groups[i].sends; s; s = s->next) {
            s->step->target = endpoint(v, &v->groups[i], s->to);
            if (s->step->kind == STEP_COVERT && s->step->target != SC_NONE &&
                s->step->target >= v->sc->n_vms) {
                tree_error(v->r->d, s->to, "`%s` is a peer; bits come from a VM", s->to->text);
                s->step->target = SC_NONE;
            }
            if (s->step->kind == STEP_COVERT && s->step->target != SC_NONE &&
                !heard(v, s->step->target, s->to, s->step))
                s->step->target = SC_NONE;
            if (s->step->target == SC_NONE) v->groups[i].steps = NULL;
        }
    for (uint32_t i = 0; i < v->n_groups; i++)
        ASSERT(!v->groups[i].prog || prog_valid(v->groups[i].prog, v->groups[i].prog->bytes));
}
