// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs, and whether what they ask for can be: a host that is there, pins inside it, room for them. */
#include <stdio.h>
#include <string.h>

#include "scenario/vms.h"

#define V "vms."

/* A host's index; a `count:` that made one single host may be called by the name in the file. */
static uint32_t find_host(const struct scenario *sc, const char *name)
{
    uint32_t found = UINT32_MAX, members = 0;
    for (uint32_t i = 0; i < sc->n_hosts; i++) {
        if (!strcmp(sc->hosts[i].name, name)) return i;
        if (strcmp(sc->hosts[i].group, name) != 0) continue;
        found = i;
        members++;
    }
    return members == 1 ? found : UINT32_MAX;
}

static void unknown_host(struct reader *r, struct node *n, const struct scenario *sc)
{
    const char *names[65] = {0};
    if (!tree_error(r->d, n, "there is no host `%s`", n->text)) return;
    for (uint32_t i = 0; i < sc->n_hosts; i++) {
        if (!strcmp(sc->hosts[i].group, n->text)) {
            diag_hint(r->d, "its `count` makes `%s` and so on", sc->hosts[i].name);
            return;
        }
        if (i < 64) names[i] = sc->hosts[i].name;
    }
    const char *near = diag_nearest(n->text, names);
    if (near)
        diag_hint(r->d, "did you mean `%s`?", near);
    else if (sc->n_hosts == 1)
        diag_hint(r->d, "there is only `%s`", sc->hosts[0].name);
}

static uint32_t read_place(struct reader *r, struct node *map, const struct scenario *sc)
{
    struct got host = reader_get(r, map, V "host");
    if (host.node) {
        uint32_t h = find_host(sc, host.word);
        if (h == UINT32_MAX) unknown_host(r, host.node, sc);
        return h;
    }
    if (host.stated) return UINT32_MAX;
    if (sc->n_hosts == 1) return 0;
    tree_error(r->d, map, sc->n_hosts ? "on which host? `host` is missing" : "there is no host for this VM");
    return UINT32_MAX;
}

static void read_pins(struct reader *r, const struct node *cpu, const struct sc_host *h, struct sc_vm *vm)
{
    struct node *list = reader_sub(cpu, "pin", NODE_LIST);
    if (!list) return;
    uint32_t cores = h ? h->cores : 1024, set = 0;
    uint64_t *pins = arena_array(r->a, (cores + 63) / 64, sizeof *pins);
    if (!list->n) tree_error(r->d, list, "pinned to no pCPU at all, it could never run");
    for (uint32_t i = 0; i < list->n; i++) {
        struct got got = {0};
        struct node *n = list->items[i];
        if (!reader_scalar(r, n, key_find(V "cpu.pin"), &got)) continue;
        uint64_t p = (uint64_t)got.n;
        if (p >= cores) {
            if (tree_error(r->d, n, "there is no pCPU %u on host `%s`", (unsigned)p, h ? h->name : "?"))
                diag_hint(r->d, cores == 1 ? "it has one, pCPU 0" : "it has %u, from 0 to %u", cores,
                          cores - 1);
        } else if (pins[p / 64] >> (p % 64) & 1) {
            tree_error(r->d, n, "pCPU %u is here twice", (unsigned)p);
        } else {
            pins[p / 64] |= UINT64_C(1) << (p % 64);
            set++;
        }
    }
    vm->pins = set ? pins : NULL;
    struct got res = reader_get(r, cpu, V "cpu.reservation");
    if (res.node && set && (uint64_t)res.n > (uint64_t)set * 1000000)
        tree_error(r->d, res.node, "reserves more than the %u pCPU%s it is pinned to", set,
                   set > 1 ? "s" : "");
}

static void read_cpu(struct reader *r, const struct node *cpu, const struct sc_host *h, struct sc_vm *vm)
{
    struct got weight = reader_get(r, cpu, V "cpu.weight"), limit = reader_get(r, cpu, V "cpu.limit");
    struct got res = reader_get(r, cpu, V "cpu.reservation");
    uint64_t most = (uint64_t)vm->vcpus * 1000000;
    vm->weight = (uint32_t)weight.n;
    /* The default says nothing, so a resolved scenario may carry it. */
    if (weight.node && vm->weight != 1000 && h && !strcmp(h->scheduler, "rr")) {
        if (tree_error(r->d, weight.node, "`rr` takes no weights, and host `%s` runs it", h->name))
            diag_hint(r->d, "credit, cfs, eevdf and stride do");
    }
    if (limit.node && !limit.word) {
        vm->limit_ppm = (uint32_t)limit.n;
        if ((uint64_t)limit.n > most &&
            tree_error(r->d, limit.node, "a VM of %u vCPU%s can run %u00%% at most", vm->vcpus,
                       vm->vcpus > 1 ? "s" : "", vm->vcpus))
            diag_hint(r->d, "100%% is one pCPU; leave `limit` out for none");
    }
    vm->period_ns = reader_num(r, cpu, V "cpu.period");
    vm->reservation_ppm = (uint32_t)res.n;
    if (res.node && (uint64_t)res.n > most)
        tree_error(r->d, res.node, "a VM of %u vCPU%s can run %u00%% at most", vm->vcpus,
                   vm->vcpus > 1 ? "s" : "", vm->vcpus);
    else if (res.node && vm->limit_ppm && vm->reservation_ppm > vm->limit_ppm)
        tree_error(r->d, res.node, "reserves more than its own limit lets it have");
    vm->working_set_bytes = reader_num(r, cpu, V "cpu.working_set");
    read_pins(r, cpu, h, vm);
}

/* Reservations of all VMs must fit their host. */
static void settle_cpu(struct vms *v)
{
    char want[40], has[40];
    uint64_t *reserved = arena_array(v->r->a, v->sc->n_hosts + 1, sizeof *reserved);
    for (uint32_t i = 0; i < v->n_groups; i++) {
        const struct vms_group *g = &v->groups[i];
        const struct sc_host *h = vms_host(v, g);
        if (!h || !g->like.reservation_ppm) continue;
        uint64_t *sum = &reserved[g->like.host], capacity = (uint64_t)h->cores * h->speed_ppm;
        *sum += (uint64_t)g->like.reservation_ppm * g->members;
        struct node *at = reader_sub(reader_sub(g->map, "cpu", NODE_MAP), "reservation", NODE_SCALAR);
        if (*sum <= capacity || !at) continue;
        unit_format(UNIT_SHARE, (int64_t)*sum, want, sizeof want);
        unit_format(UNIT_SHARE, (int64_t)capacity, has, sizeof has);
        tree_error(v->r->d, at, "reservations on host `%s` come to %s; it has %s", h->name, want, has);
    }
}

static void add_members(struct reader *r, const struct node *map, const struct sc_vm *like, bool counted,
                        uint32_t members, struct sc_vm *out)
{
    struct node *start = reader_sub(map, "start", NODE_MAP);
    struct got at = reader_get(r, start, V "start.at"), every = reader_get(r, start, V "start.every");
    struct got draws = reader_get(r, map, V "draws");
    for (uint32_t j = 0; j < members; j++) {
        struct sc_vm *vm = &out[j];
        *vm = *like;
        vm->name = counted ? arena_printf(r->a, "%s-%u", like->group, j) : like->group;
        vm->draws = draws.node ? draws.word : vm->name;
        int64_t later;
        if (__builtin_mul_overflow((int64_t)j, every.n, &later) ||
            __builtin_add_overflow(at.n, later, &vm->start_ns)) {
            tree_error(r->d, every.node ? every.node : start, "`%s` would start after more than 292 years",
                       vm->name);
            vm->start_ns = 0;
        }
    }
}

/* How it is virtualized, and whether its guest can be. */
static void read_mode(struct reader *r, struct node *map, struct sc_vm *vm)
{
    static const char *const modes[SC_NMODES] = {"bare",     "container",  "emulation", "binary-translation",
                                                 "hardware", "paravirtual"};
    struct got mode = reader_get(r, map, V "mode"), guest = reader_get(r, map, V "guest");
    for (uint8_t m = 0; m < SC_NMODES; m++)
        if (!strcmp(mode.word, modes[m])) vm->mode = m;
    vm->modified = guest.word[0] == 'm';
    bool bad = guest.stated && !guest.node; /* told before */
    if (vm->mode == SC_PARAVIRTUAL && mode.node && !vm->modified && !bad &&
        tree_error(r->d, mode.node,
                   "`paravirtual` runs a guest whose kernel was ported to the hypervisor; this one is stock"))
        diag_hint(r->d, "write `guest: modified`, if its kernel can be changed");
}

/* Which siblings run together; all at once cannot be on fewer pCPUs. */
static void read_cosched(struct reader *r, const struct node *cpu, const struct sc_host *h, struct sc_vm *vm)
{
    static const char *const words[] = {"none", "strict", "relaxed", "balance"};
    struct got got = reader_get(r, cpu, V "cpu.cosched");
    for (uint8_t i = 0; i < 4; i++)
        if (!strcmp(got.word, words[i])) vm->cosched = i;
    if (!h || vm->cosched != SC_COSCHED_STRICT) return;
    uint32_t room = vm->pins ? 0 : h->cores;
    for (uint32_t i = 0; vm->pins && i < (h->cores + 63) / 64; i++)
        room += (uint32_t)__builtin_popcountll(vm->pins[i]);
    if (vm->vcpus > room && got.node)
        tree_error(r->d, got.node, "%u vCPUs never run all at once on %u pCPU%s", vm->vcpus, room,
                   room == 1 ? "" : "s");
}

static void read_group(struct vms *v, struct vms_group *g)
{
    struct reader *r = v->r;
    struct sc_vm *vm = &g->like;
    struct node *cpu = reader_sub(g->map, "cpu", NODE_MAP);
    vm->host = read_place(r, g->map, v->sc);
    vm->vcpus = (uint32_t)reader_num(r, g->map, V "vcpus");
    read_cpu(r, cpu, vms_host(v, g), vm);
    read_cosched(r, cpu, vms_host(v, g), vm);
    read_mode(r, g->map, vm);
    struct got quantum = reader_get(r, g->map, V "guest_quantum");
    vm->guest_quantum_ns = quantum.word ? 0 : quantum.n;
    vm->victim = !strcmp(reader_get(r, g->map, V "role").word, "victim");
    vmem_read(v, g);
    vdisks_read(v, g);
    vnics_read(v, g);
    work_read(v, g);
}

uint32_t vms_find(const struct scenario *sc, const char *name)
{
    uint32_t found = UINT32_MAX, members = 0;
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        if (!strcmp(sc->vms[i].name, name)) return i;
        if (strcmp(sc->vms[i].group, name) != 0) continue;
        found = i;
        members++;
    }
    return members == 1 ? found : UINT32_MAX;
}

void vms_hint(struct reader *r, const struct scenario *sc, const char *name, bool peers)
{
    const char *names[129] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        if (!strcmp(sc->vms[i].group, name)) {
            diag_hint(r->d, "its `count` makes `%s` and so on", sc->vms[i].name);
            return;
        }
        if (n < 64) names[n++] = sc->vms[i].name;
    }
    for (uint32_t i = 0; peers && i < sc->n_peers && n < 128; i++)
        names[n++] = sc->peers[i].name;
    const char *near = diag_nearest(name, names);
    if (near) diag_hint(r->d, "did you mean `%s`?", near);
}

struct vms_group *vms_group_of(const struct vms *v, uint32_t i)
{
    for (uint32_t g = 0; g < v->n_groups; g++)
        if (!strcmp(v->groups[g].like.group, v->sc->vms[i].group)) return &v->groups[g];
    return NULL;
}

bool vms_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "vms", NODE_LIST);
    uint32_t n = hosts_members(r, list, V "count"), at = 0, n_maps = list ? list->n : 0;
    struct sc_vm *vms = arena_array(r->a, n ? n : 1, sizeof *vms);
    struct vms v = {.r = r, .sc = sc, .groups = arena_array(r->a, n_maps + 1, sizeof *v.groups)};
    for (uint32_t i = 0; i < n_maps; i++) {
        struct node *map = list->items[i];
        if (map->kind != NODE_MAP) continue;
        struct got name = reader_get(r, map, V "name"), count = reader_get(r, map, V "count");
        struct vms_group *g = &v.groups[v.n_groups++];
        *g = (struct vms_group){.map = map, .members = count.node ? (uint32_t)count.n : 1};
        g->like.group = name.word ? name.word : "";
        read_group(&v, g);
        if (!n) continue;
        add_members(r, map, &g->like, count.node != NULL, g->members, &vms[at]);
        at += g->members;
    }
    order_vms(vms, at);
    sc->vms = vms;
    sc->n_vms = at;
    if (at || !n) {
        settle_cpu(&v);
        vmem_settle(&v);
        vdisks_settle(&v);
        vnics_settle(&v);
        steps_settle(&v);
        stime_settle(&v);
    }
    return true;
}
