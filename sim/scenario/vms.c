// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs, and whether what they ask for can be: a host that is there, pins inside it, room for them. */
#include <stdio.h>
#include <string.h>

#include "scenario/reader.h"

#define V "vms."

struct use { /* of one host */
    uint64_t memory_bytes, reserved_ppm;
};

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

/* What `members` VMs like this one take of their host, after those before them. */
static void take_room(struct reader *r, const struct node *map, const struct sc_host *h,
                      const struct sc_vm *vm, uint32_t members, struct use *use)
{
    char want[40], has[40];
    uint64_t memory = (uint64_t)vm->memory_bytes, room = (uint64_t)h->memory.bytes;
    uint64_t capacity = (uint64_t)h->cores * h->speed_ppm;
    bool fits = !memory || !room || h->memory.n_reclaim ||
                (use->memory_bytes <= room && members <= (room - use->memory_bytes) / memory);
    if (!fits) {
        struct node *at = reader_sub(reader_sub(map, "memory", NODE_MAP), "size", NODE_SCALAR);
        unit_format(UNIT_SIZE, h->memory.bytes, has, sizeof has);
        unit_format(UNIT_SIZE, vm->memory_bytes, want, sizeof want);
        if (at && tree_error(r->d, at, "host `%s` has %s of memory; its VMs want more", h->name, has))
            diag_hint(r->d,
                      "%u VM%s of %s here, %.6g MiB before; the host's `memory.reclaim` lets them want more",
                      members, members == 1 ? "" : "s", want, (double)use->memory_bytes / 0x1p20);
        return;
    }
    if (room) use->memory_bytes += memory * members;
    use->reserved_ppm += (uint64_t)vm->reservation_ppm * members;
    struct node *at = reader_sub(reader_sub(map, "cpu", NODE_MAP), "reservation", NODE_SCALAR);
    if (vm->reservation_ppm && use->reserved_ppm > capacity && at) {
        unit_format(UNIT_SHARE, (int64_t)use->reserved_ppm, want, sizeof want);
        unit_format(UNIT_SHARE, (int64_t)capacity, has, sizeof has);
        tree_error(r->d, at, "reservations on host `%s` come to %s; it has %s", h->name, want, has);
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

static void read_vm(struct reader *r, struct node *map, const struct scenario *sc, struct sc_vm *vm)
{
    vm->host = read_place(r, map, sc);
    const struct sc_host *h = vm->host == UINT32_MAX ? NULL : &sc->hosts[vm->host];
    vm->vcpus = (uint32_t)reader_num(r, map, V "vcpus");
    read_cpu(r, reader_sub(map, "cpu", NODE_MAP), h, vm);
    struct got quantum = reader_get(r, map, V "guest_quantum");
    vm->guest_quantum_ns = quantum.word ? 0 : quantum.n;
    vm->memory_bytes = reader_num(r, reader_sub(map, "memory", NODE_MAP), V "memory.size");
    vm->victim = !strcmp(reader_get(r, map, V "role").word, "victim");
    work_read(r, reader_sub(map, "workload", NODE_MAP), vm->vcpus, &vm->work, map);
}

bool vms_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "vms", NODE_LIST);
    uint32_t n = hosts_members(r, list, V "count"), at = 0;
    struct sc_vm *vms = arena_array(r->a, n ? n : 1, sizeof *vms);
    struct use *use = arena_array(r->a, sc->n_hosts + 1, sizeof *use);
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct node *map = list->items[i];
        if (map->kind != NODE_MAP) continue;
        struct got name = reader_get(r, map, V "name"), count = reader_get(r, map, V "count");
        struct sc_vm like = {.group = name.word ? name.word : ""};
        uint32_t members = count.node ? (uint32_t)count.n : 1;
        read_vm(r, map, sc, &like);
        if (!n) continue;
        if (like.host != UINT32_MAX)
            take_room(r, map, &sc->hosts[like.host], &like, members, &use[like.host]);
        add_members(r, map, &like, count.node != NULL, members, &vms[at]);
        at += members;
    }
    order_vms(vms, at);
    sc->vms = vms;
    sc->n_vms = at;
    return true;
}
