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

/* Whether that host has all disks and the network that the VM names. */
static bool has_all(const struct scenario *sc, uint32_t host, const struct node *map)
{
    const struct node *disk = tree_get(map, "disk", 4), *nic = tree_get(map, "nic", 3);
    for (uint32_t i = 0; disk && disk->kind != NODE_SCALAR && i < (disk->kind == NODE_LIST ? disk->n : 1);
         i++) {
        const struct node *d = disk->kind == NODE_LIST ? disk->items[i] : disk;
        const struct node *on = d->kind == NODE_MAP ? tree_get(d, "on", 2) : NULL;
        if (on && on->kind == NODE_SCALAR && devices_disk(sc, host, on->text) == SC_NONE) return false;
    }
    const struct node *net = nic && nic->kind == NODE_MAP ? tree_get(nic, "network", 7) : nic;
    uint32_t n = net && net->kind == NODE_SCALAR ? nets_named(sc, net->text) : SC_NONE;
    for (uint32_t i = 0; n != SC_NONE && i < sc->networks[n].n_hosts; i++)
        if (sc->networks[n].hosts[i] == host) return true;
    return n == SC_NONE;
}

/* The policy chooses its host: the first that it could be on stands for it. */
static uint32_t placed(const struct scenario *sc, const struct node *map, struct sc_vm *vm, const char *place)
{
    vm->placed = true;
    vm->place = place;
    for (uint32_t h = 0; h < sc->n_hosts; h++)
        if (has_all(sc, h, map)) return h;
    return sc->n_hosts ? 0 : UINT32_MAX;
}

static uint32_t read_place(struct reader *r, struct node *map, const struct scenario *sc, struct sc_vm *vm)
{
    struct got host = reader_get(r, map, V "host"), place = reader_get(r, map, V "place");
    if (host.stated && place.node)
        tree_error(r->d, place.node, "a VM has a `host`, or a policy to `place` it");
    if (host.node) {
        uint32_t h = find_host(sc, host.word);
        if (h == UINT32_MAX) unknown_host(r, host.node, sc);
        return h;
    }
    if (host.stated || (place.stated && !place.node)) return UINT32_MAX;
    if (place.node || r->place) return placed(sc, map, vm, place.node ? place.word : NULL);
    if (sc->n_hosts == 1) return 0;
    if (tree_error(r->d, map,
                   sc->n_hosts ? "on which host? `host` is missing" : "there is no host for this VM") &&
        sc->n_hosts)
        diag_hint(r->d, "or `place`, or `cloud.place`: a policy that chooses one");
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
        if (!h || !g->like.reservation_ppm || g->like.placed || g->like.there != SC_AT_START) continue;
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
    vm->mode = reader_which(mode.word, modes, SC_NMODES);
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
    vm->cosched = reader_which(got.word, words, 4);
    if (!h || vm->cosched != SC_COSCHED_STRICT) return;
    uint32_t room = vm->pins ? 0 : h->cores;
    for (uint32_t i = 0; vm->pins && i < (h->cores + 63) / 64; i++)
        room += (uint32_t)__builtin_popcountll(vm->pins[i]);
    if (vm->vcpus > room && got.node)
        tree_error(r->d, got.node, "%u vCPUs never run all at once on %u pCPU%s", vm->vcpus, room,
                   room == 1 ? "" : "s");
}

/* Who takes turns at fixed times has no more and no less; nothing said here would count. */
static void refuse_in_slots(struct reader *r, struct node *cpu, const struct sc_host *h,
                            const struct sc_vm *vm)
{
    if (!h || !h->fixed_slots) return;
    struct got with =
        vm->reservation_ppm ? reader_get(r, cpu, V "cpu.reservation") : reader_get(r, cpu, V "cpu.cosched");
    if (!with.node || (!vm->reservation_ppm && !vm->cosched)) return;
    tree_error(r->d, with.node, "host `%s` has fixed slots, which %s", h->name,
               vm->reservation_ppm ? "nobody can reserve" : "siblings get each at its own time");
}

static void read_group(struct vms *v, struct vms_group *g)
{
    struct reader *r = v->r;
    struct sc_vm *vm = &g->like;
    struct node *cpu = reader_sub(g->map, "cpu", NODE_MAP);
    vm->image = vm->kernel = vm->like = SC_NONE;
    vm->host = read_place(r, g->map, v->sc, vm);
    vm->vcpus = (uint32_t)reader_num(r, g->map, V "vcpus");
    read_cpu(r, cpu, vms_host(v, g), vm);
    read_cosched(r, cpu, vms_host(v, g), vm);
    refuse_in_slots(r, cpu, vms_host(v, g), vm);
    read_mode(r, g->map, vm);
    struct got quantum = reader_get(r, g->map, V "guest_quantum");
    vm->guest_quantum_ns = quantum.word ? 0 : quantum.n;
    vm->victim = !strcmp(reader_get(r, g->map, V "role").word, "victim");
    if (vm->placed && vm->pins)
        tree_error(r->d, reader_sub(cpu, "pin", NODE_LIST),
                   "pinned to pCPUs of which host? `host` is missing");
    vcloud_read(v, g);
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

/* --- VMs that come later --- */

/* A group more, of this map. */
static struct vms_group *add_group(struct vms *v, struct node *map, enum sc_there there, uint32_t members)
{
    struct got name = reader_get(v->r, map, V "name");
    struct vms_group *g = &v->groups[v->n_groups++];
    *g = (struct vms_group){.map = map, .members = members};
    g->like.group = name.word ? name.word : "";
    g->like.there = (uint8_t)there;
    read_group(v, g);
    return g;
}

/* The group that a clone is of. */
static struct vms_group *original(const struct vms *v, const char *name)
{
    char group[64];
    const char *dash = strrchr(name, '-');
    size_t len = dash ? (size_t)(dash - name) : 0;
    for (uint32_t i = 0; i < v->n_groups; i++)
        if (!strcmp(v->groups[i].like.group, name)) return &v->groups[i];
    if (len == 0 || len >= sizeof group) return NULL;
    memcpy(group, name, len);
    group[len] = '\0';
    for (uint32_t i = 0; i < v->n_groups; i++)
        if (!strcmp(v->groups[i].like.group, group)) return &v->groups[i];
    return NULL;
}

/* The clone that an event makes: like its original, but for its name and disks. */
static void add_clone(struct vms *v, struct node *event, struct node *of, struct node *as)
{
    struct vms_group *from = original(v, of->text), *g;
    if (!from) return; /* events.c tells */
    g = &v->groups[v->n_groups++];
    *g = *from;
    g->clone_of = of;
    g->members = 1;
    g->more = 0;
    g->sends = NULL; /* the program is the original's */
    g->like.group = as->text;
    g->like.there = SC_BY_CLONE;
    g->like.start_ns = 0;
    g->disks = arena_array(v->r->a, from->like.n_disks + 1, sizeof *g->disks);
    for (uint32_t i = 0; i < from->like.n_disks; i++) {
        g->disks[i] = from->disks[i];
        g->disks[i].linked = reader_get(v->r, event, "events.kind").word[0] == 'l';
    }
    g->like.disks = g->disks;
}

static void add_later(struct vms *v, struct node *root)
{
    struct node *events = reader_sub(root, "events", NODE_LIST);
    struct node *requests = reader_sub(reader_sub(root, "cloud", NODE_MAP), "requests", NODE_MAP);
    struct node *flavours = reader_sub(requests, "flavours", NODE_LIST);
    for (uint32_t i = 0; flavours && i < flavours->n; i++) {
        struct node *m = flavours->items[i], *vm = m->kind == NODE_MAP ? reader_sub(m, "vm", NODE_MAP) : NULL;
        if (!vm) continue;
        uint32_t most = (uint32_t)reader_num(v->r, m, "cloud.requests.flavours.most");
        struct vms_group *g = add_group(v, vm, SC_BY_REQUEST, most);
        if (!g->like.placed && g->like.host != UINT32_MAX &&
            tree_error(v->r->d, vm, "which host? `cloud.place` is missing"))
            diag_hint(v->r->d, "VMs on request go where a policy puts them");
    }
    for (uint32_t i = 0; events && i < events->n; i++) {
        struct node *m = events->items[i], *add = m->kind == NODE_MAP ? reader_sub(m, "add", NODE_MAP) : NULL;
        struct node *of = m->kind == NODE_MAP ? tree_get(m, "clone", 5) : NULL;
        struct node *as = of ? tree_get(m, "as", 2) : NULL;
        if (add) {
            struct got count = reader_get(v->r, add, V "count");
            add_group(v, add, SC_BY_ADD, count.node ? (uint32_t)count.n : 1);
        } else if (as && as->kind == NODE_SCALAR && !as->bad && of->kind == NODE_SCALAR) {
            add_clone(v, m, of, as);
        }
    }
}

/* What a clone's disks are of. */
static void settle_clones(struct vms *v, struct sc_vm *vms)
{
    for (uint32_t k = 0; k < v->n_groups; k++) {
        struct vms_group *g = &v->groups[k];
        if (!g->clone_of) continue;
        uint32_t of = vms_find(v->sc, g->clone_of->text), self = vms_find(v->sc, g->like.group);
        if (of == UINT32_MAX || self == UINT32_MAX) continue; /* events.c tells */
        vms[self].like = of;
        for (uint32_t i = 0; i < g->like.n_disks; i++)
            g->disks[i].from_vm = of;
    }
}

/* Names that two VMs have, where one of them comes later (check.c tells of the others). */
static void check_later(struct vms *v)
{
    for (uint32_t i = 1; i < v->sc->n_vms; i++) {
        const struct sc_vm *a = &v->sc->vms[i - 1], *b = &v->sc->vms[i];
        if (strcmp(a->name, b->name) != 0 || (a->there == SC_AT_START && b->there == SC_AT_START)) continue;
        for (uint32_t k = 0; k < v->n_groups; k++) {
            struct vms_group *g = &v->groups[k];
            if (g->like.there == SC_AT_START || strcmp(g->like.group, b->group) != 0) continue;
            struct node *at = g->clone_of ? g->clone_of : tree_get(g->map, "name", 4);
            tree_error(v->r->d, at, "the name `%s` is there twice", b->name);
        }
    }
}

static uint32_t n_later(const struct node *root)
{
    struct node *events = reader_sub(root, "events", NODE_LIST);
    struct node *requests = reader_sub(reader_sub(root, "cloud", NODE_MAP), "requests", NODE_MAP);
    struct node *flavours = reader_sub(requests, "flavours", NODE_LIST);
    return (events ? events->n : 0) + (flavours ? flavours->n : 0);
}

/* Whether its members are numbered. */
static bool numbered(struct reader *r, const struct vms_group *g)
{
    if (g->clone_of) return false;
    return g->like.there == SC_BY_REQUEST || reader_get(r, g->map, V "count").node;
}

static struct sc_vm *make_members(struct vms *v, uint32_t *n)
{
    uint64_t all = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < v->n_groups; i++)
        all += v->groups[i].members + v->groups[i].more;
    if (all > 1000000 && v->n_groups) {
        tree_error(v->r->d, v->groups[v->n_groups - 1].map, "more than a million members");
        all = 0;
    }
    struct sc_vm *vms = arena_array(v->r->a, all + 1, sizeof *vms);
    for (uint32_t i = 0; all && i < v->n_groups; i++) {
        struct vms_group *g = &v->groups[i];
        uint32_t first = at;
        add_members(v->r, g->map, &g->like, numbered(v->r, g), g->members + g->more, &vms[at]);
        at += g->members + g->more;
        for (uint32_t k = first + g->members; k < at; k++)
            vms[k].there = SC_BY_SCALE;
        for (uint32_t k = first; g->like.there != SC_AT_START && k < at; k++) {
            vms[k].start_ns = 0;
            if (g->clone_of) vms[k].draws = vms[k].name;
        }
    }
    *n = at;
    return vms;
}

bool vms_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "vms", NODE_LIST);
    uint32_t n = hosts_members(r, list, V "count"), at = 0, n_maps = list ? list->n : 0;
    struct vms v = {
        .r = r, .sc = sc, .groups = arena_array(r->a, n_maps + n_later(root) + 1, sizeof *v.groups)};
    sc->kernels = reader_names(r, list, "kernel", &sc->n_kernels);
    for (uint32_t i = 0; i < n_maps; i++) {
        struct node *map = list->items[i];
        if (map->kind != NODE_MAP) continue;
        struct got count = reader_get(r, map, V "count");
        struct vms_group *g = add_group(&v, map, SC_AT_START, count.node ? (uint32_t)count.n : 1);
        if (count.node) g->more = cloud_more(r, root, g->like.group, g->members);
    }
    add_later(&v, root);
    struct sc_vm *vms = make_members(&v, &at);
    order_vms(vms, at);
    sc->vms = vms;
    sc->n_vms = at;
    if (at || !n) {
        settle_clones(&v, vms);
        check_later(&v);
        settle_cpu(&v);
        vmem_settle(&v);
        vdisks_settle(&v);
        vnics_settle(&v);
        steps_settle(&v);
        stime_settle(&v);
        vcloud_settle(&v, vms);
    }
    return true;
}
