// SPDX-License-Identifier: GPL-3.0-or-later
/* A VM in the cloud: where it may be, with whom, what it fails with, how it moves. */
#include <string.h>

#include "scenario/vms.h"

#define V         "vms."
#define G         "vms.migrate."
#define MAX_PAIRS 4000000u /* of VMs that must, or must not, be together */

static void read_vmm(struct vms *v, struct vms_group *g)
{
    const struct sc_host *h = vms_host(v, g);
    struct got vmm = reader_get(v->r, g->map, V "vmm");
    if (!vmm.node || !h) return;
    uint32_t i = reader_index(h->vmms, h->n_vmms, vmm.word);
    if (i != SC_NONE) {
        g->like.vmm = i;
    } else if (tree_error(v->r->d, vmm.node, "host `%s` has no hypervisor process `%s`", h->name, vmm.word)) {
        const char *names[65] = {0};
        for (uint32_t k = 0; k < h->n_vmms && k < 64; k++)
            names[k] = h->vmms[k];
        const char *near = diag_nearest(vmm.word, names);
        if (near)
            diag_hint(v->r->d, "did you mean `%s`?", near);
        else
            diag_hint(v->r->d, "`hosts.vmm` brings them");
    }
}

static void read_kernel(struct vms *v, struct vms_group *g)
{
    struct got kernel = reader_get(v->r, g->map, V "kernel");
    if (!kernel.node) return;
    g->like.kernel = reader_index(v->sc->kernels, v->sc->n_kernels, kernel.word);
    if (g->like.mode != SC_CONTAINER && tree_error(v->r->d, kernel.node, "only containers share a kernel"))
        diag_hint(v->r->d, "write `mode: container`");
    else if (g->like.placed)
        tree_error(v->r->d, kernel.node, "containers of one kernel are on one host; state it as `host`");
}

static void read_migrate(struct reader *r, struct node *map, struct sc_vm *vm)
{
    static const char *const methods[] = {"pre-copy", "post-copy", "stop-and-copy"};
    static const char *const diverges[] = {"cancel", "throttle", "stop"};
    struct node *m = reader_sub(map, "migrate", NODE_MAP), *dirty = reader_sub(m, "dirty", NODE_MAP);
    struct sc_migrate *g = &vm->migrate;
    g->stated = m != NULL;
    g->method = reader_which(reader_get(r, m, G "method").word, methods, 3);
    g->diverge = reader_which(reader_get(r, m, G "diverge").word, diverges, 3);
    g->skip_zero = !strcmp(reader_get(r, m, G "zero_pages").word, "skip");
    g->rate_bps = reader_num(r, m, G "rate");
    g->step_bps = reader_num(r, m, G "step");
    struct got most = reader_get(r, m, G "rate_max");
    g->rate_max_bps = most.n;
    if (g->rate_max_bps < g->rate_bps && !most.node) g->rate_max_bps = g->rate_bps;
    if (most.node && g->step_bps && most.n < g->rate_bps)
        tree_error(r->d, most.node, "the first round would already be faster, at `rate`");
    g->stop_below_bytes = reader_num(r, m, G "stop_below");
    g->max_rounds = (uint32_t)reader_num(r, m, G "max_rounds");
    g->downtime_ns = reader_num(r, m, G "downtime");
    g->dirty_stated = dirty != NULL;
    g->dirty_bps = reader_num(r, dirty, G "dirty.rate");
    g->dirty_cold_bps = reader_num(r, dirty, G "dirty.cold");
    g->dirty_uniform = reader_get(r, dirty, G "dirty.pattern").word[0] == 'u';
    struct got of = reader_get(r, dirty, G "dirty.of");
    g->dirty_of_bytes = of.n;
    if (of.node && vm->memory_bytes && of.n > vm->memory_bytes)
        tree_error(r->d, of.node, "more than the memory it has");
}

void vcloud_read(struct vms *v, struct vms_group *g)
{
    struct reader *r = v->r;
    read_vmm(v, g);
    read_kernel(v, g);
    read_migrate(r, g->map, &g->like);
    g->like.features = upkeep_features(r, g->map, "features", v->sc);
    const struct sc_host *h = vms_host(v, g);
    struct node *at = tree_get(g->map, "features", 8);
    if (!h || g->like.placed || !(g->like.features & ~h->features) || !at) return;
    if (tree_error(r->d, at, "host `%s` lacks a CPU feature that it needs", h->name))
        diag_hint(r->d, "or hides it: `hosts.mask`");
}

/* --- with whom --- */

struct pairs {
    uint32_t (*of)[2];
    uint32_t n, room;
};

static bool matches(const struct sc_vm *vm, const char *name)
{
    return !strcmp(vm->name, name) || !strcmp(vm->group, name);
}

static void add_pairs(struct vms *v, struct node *n, uint32_t vm, struct pairs *p, uint32_t *found)
{
    const struct scenario *sc = v->sc;
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        if (!matches(&sc->vms[i], n->text)) continue;
        ++*found;
        if (i == vm) continue;
        if (p->n == MAX_PAIRS) {
            tree_error(v->r->d, n, "more than %u pairs of VMs", MAX_PAIRS);
            return;
        }
        if (p->n == p->room) {
            uint32_t room = p->room ? 2 * p->room : 64;
            uint32_t(*of)[2] = arena_array(v->r->a, room, sizeof *of);
            if (p->n) memcpy(of, p->of, p->n * sizeof *of);
            p->of = of;
            p->room = room;
        }
        p->of[p->n][0] = vm;
        p->of[p->n++][1] = i;
    }
}

/* Each VM's list of the pairs, both ways. */
static void list_pairs(struct vms *v, struct sc_vm *vms, const struct pairs *p, bool apart)
{
    uint32_t n = v->sc->n_vms, *counts = arena_array(v->r->a, n + 1, sizeof *counts);
    uint32_t **lists = arena_array(v->r->a, n + 1, sizeof *lists);
    for (uint32_t i = 0; i < p->n; i++) {
        counts[p->of[i][0]]++;
        counts[p->of[i][1]]++;
    }
    for (uint32_t i = 0; i < n; i++)
        lists[i] = counts[i] ? arena_array(v->r->a, counts[i], sizeof **lists) : NULL;
    memset(counts, 0, n * sizeof *counts);
    for (uint32_t i = 0; i < p->n; i++)
        for (int side = 0; side < 2; side++) {
            uint32_t a = p->of[i][side], b = p->of[i][!side], k = 0;
            while (k < counts[a] && lists[a][k] != b)
                k++;
            if (k == counts[a]) lists[a][counts[a]++] = b;
        }
    for (uint32_t i = 0; i < n; i++) {
        *(apart ? &vms[i].apart : &vms[i].with) = lists[i];
        *(apart ? &vms[i].n_apart : &vms[i].n_with) = counts[i];
    }
}

static void settle_list(struct vms *v, struct vms_group *g, uint32_t vm, const char *key, struct pairs *p)
{
    struct node *list = reader_sub(g->map, key, NODE_LIST);
    for (uint32_t i = 0; list && i < list->n; i++) {
        uint32_t found = 0;
        struct node *n = list->items[i];
        if (n->kind != NODE_SCALAR || n->bad) continue;
        add_pairs(v, n, vm, p, &found);
        if (!found && tree_error(v->r->d, n, "there is no VM `%s`", n->text))
            vms_hint(v->r, v->sc, n->text, false);
    }
}

static bool listed(const uint32_t *list, uint32_t n, uint32_t vm)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == vm) return true;
    return false;
}

/* Whether both say where they are, on a host that there is. */
static bool stated_both(const struct scenario *sc, const struct sc_vm *a, const struct sc_vm *b)
{
    return !a->placed && !b->placed && a->host < sc->n_hosts && b->host < sc->n_hosts;
}

/* What cannot be. */
static void check(struct vms *v, struct vms_group *g, const struct sc_vm *vm)
{
    struct node *apart = reader_sub(g->map, "anti_affinity", NODE_LIST),
                *with = reader_sub(g->map, "affinity", NODE_LIST);
    const struct scenario *sc = v->sc;
    for (uint32_t i = 0; apart && i < vm->n_apart; i++) {
        const struct sc_vm *other = &sc->vms[vm->apart[i]];
        if (listed(vm->with, vm->n_with, vm->apart[i]))
            tree_error(v->r->d, apart, "`%s` is to be with `%s` and apart from it", vm->name, other->name);
        else if (stated_both(sc, vm, other) && vm->host == other->host)
            tree_error(v->r->d, apart, "`%s` and `%s` are both on host `%s`", vm->name, other->name,
                       sc->hosts[vm->host].name);
    }
    for (uint32_t i = 0; with && i < vm->n_with; i++) {
        const struct sc_vm *other = &sc->vms[vm->with[i]];
        if (stated_both(sc, vm, other) && vm->host != other->host)
            tree_error(v->r->d, with, "`%s` is on host `%s`, `%s` on `%s`", vm->name,
                       sc->hosts[vm->host].name, other->name, sc->hosts[other->host].name);
    }
    if (apart && listed(vm->apart, vm->n_apart, (uint32_t)(vm - sc->vms) + 1) && g->members > sc->n_hosts &&
        tree_error(v->r->d, apart, "%u VMs that must not share a host, and %u host%s", g->members,
                   sc->n_hosts, sc->n_hosts == 1 ? "" : "s"))
        diag_hint(v->r->d, "one of them could never be placed");
}

static void check_kernels(struct vms *v)
{
    const struct scenario *sc = v->sc;
    uint32_t *host = arena_array(v->r->a, sc->n_kernels + 1, sizeof *host);
    memset(host, 0xff, sc->n_kernels * sizeof *host);
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        const struct sc_vm *vm = &sc->vms[i];
        if (vm->kernel >= sc->n_kernels) continue;
        if (host[vm->kernel] == SC_NONE) host[vm->kernel] = vm->host;
        if (host[vm->kernel] == vm->host || vm->host >= sc->n_hosts) continue;
        struct node *at = tree_get(vms_group_of(v, i)->map, "kernel", 6);
        tree_error(v->r->d, at, "the kernel `%s` runs on host `%s`; this container is on `%s`",
                   sc->kernels[vm->kernel], sc->hosts[host[vm->kernel]].name, sc->hosts[vm->host].name);
    }
}

void vcloud_settle(struct vms *v, struct sc_vm *vms)
{
    struct pairs with = {0}, apart = {0};
    struct vms_group *g = NULL;
    for (uint32_t i = 0; i < v->sc->n_vms; i++) {
        if (!g || strcmp(g->like.group, vms[i].group) != 0) g = vms_group_of(v, i);
        if (!g) continue;
        settle_list(v, g, i, "affinity", &with);
        settle_list(v, g, i, "anti_affinity", &apart);
    }
    if (with.n) list_pairs(v, vms, &with, false);
    if (apart.n) list_pairs(v, vms, &apart, true);
    for (uint32_t i = 0; (with.n || apart.n) && i < v->sc->n_vms; i++) {
        g = vms_group_of(v, i);
        if (g) check(v, g, &vms[i]);
    }
    check_kernels(v);
}
