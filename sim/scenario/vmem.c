// SPDX-License-Identifier: GPL-3.0-or-later
/* A VM's memory, and whether what all of them state and reserve fits their hosts. */
#include <stdlib.h>
#include <string.h>

#include "scenario/vms.h"

#define M "vms.memory."

struct room { /* taken of one host */
    uint64_t bytes, reserved;
};

static int by_name(const void *a, const void *b)
{
    const struct sc_content *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void read_content(struct reader *r, const struct node *memory, struct sc_vm *vm)
{
    struct node *map = reader_sub(memory, "content", NODE_MAP);
    if (!map || !map->n) return;
    struct sc_content *all = arena_array(r->a, map->n, sizeof *all);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < map->n; i++) {
        struct got got = {0};
        if (map->keys[i]->bad || !reader_scalar(r, map->items[i], key_find(M "content"), &got)) return;
        all[i] = (struct sc_content){.name = map->keys[i]->text, .ppm = (uint32_t)got.n};
        sum += (uint64_t)got.n;
    }
    char text[40];
    if (sum > 1000000)
        tree_error(r->d, map, "the shares come to %s of its memory",
                   unit_format(UNIT_SHARE, (int64_t)sum, text, sizeof text));
    else if (!vm->memory_bytes)
        tree_error(r->d, map, "shares of how much? `size` is missing");
    qsort(all, map->n, sizeof *all, by_name); /* the order of the file changes nothing */
    vm->content = all;
    vm->n_content = map->n;
}

void vmem_read(struct vms *v, struct vms_group *g)
{
    struct reader *r = v->r;
    struct sc_vm *vm = &g->like;
    struct node *memory = reader_sub(g->map, "memory", NODE_MAP);
    char text[40];
    vm->memory_bytes = reader_num(r, memory, M "size");
    vm->memory_weight = (uint32_t)reader_num(r, memory, M "weight");
    struct got res = reader_get(r, memory, M "reservation"), swap = reader_get(r, memory, M "swap");
    vm->memory_reservation_bytes = res.n;
    if (res.node && vm->memory_bytes && res.n > vm->memory_bytes)
        tree_error(r->d, res.node, "reserves more than the VM has: %s",
                   unit_format(UNIT_SIZE, vm->memory_bytes, text, sizeof text));
    read_content(r, memory, vm);
    vm->swap = SC_NONE;
    if (!swap.node || vm->host == UINT32_MAX) return;
    vm->swap = devices_disk(v->sc, vm->host, swap.word);
    if (vm->swap == SC_NONE) devices_no_disk(r, swap.node, v->sc, vm->host);
}

/* Whether the host can take pages back, so that VMs may state more than there is. */
static bool reclaims(const struct scenario *sc, const struct sc_host *h)
{
    return h->memory.n_reclaim > 0 || h->memory.swap < sc->n_disks;
}

static void take(struct vms *v, struct vms_group *g, struct room *room)
{
    char want[40], has[40];
    const struct sc_host *h = vms_host(v, g);
    struct node *memory = reader_sub(g->map, "memory", NODE_MAP);
    struct node *at = reader_sub(memory, "size", NODE_SCALAR);
    uint64_t bytes = (uint64_t)g->like.memory_bytes, have = (uint64_t)h->memory.bytes;
    unit_format(UNIT_SIZE, h->memory.bytes, has, sizeof has);
    bool fits =
        !bytes || reclaims(v->sc, h) || (room->bytes <= have && g->members <= (have - room->bytes) / bytes);
    if (!fits) {
        unit_format(UNIT_SIZE, g->like.memory_bytes, want, sizeof want);
        if (at && tree_error(v->r->d, at, "host `%s` has %s of memory; its VMs want more", h->name, has))
            diag_hint(v->r->d,
                      "%u VM%s of %s here, %.6g MiB before; with the host's `memory.reclaim` or "
                      "`memory.swap` they may",
                      g->members, g->members == 1 ? "" : "s", want, (double)room->bytes / 0x1p20);
        return;
    }
    if (!reclaims(v->sc, h)) room->bytes += bytes * g->members;
    uint64_t each = (uint64_t)g->like.memory_reservation_bytes;
    if (!each) return;
    if (room->reserved <= have && g->members <= (have - room->reserved) / each) {
        room->reserved += each * g->members;
        return;
    }
    at = reader_sub(memory, "reservation", NODE_SCALAR);
    if (at)
        tree_error(v->r->d, at, "VMs on host `%s` reserve more memory than the %s that it has", h->name, has);
}

void vmem_settle(struct vms *v)
{
    struct room *rooms = arena_array(v->r->a, v->sc->n_hosts + 1, sizeof *rooms);
    for (uint32_t i = 0; i < v->n_groups; i++) {
        struct vms_group *g = &v->groups[i];
        const struct sc_host *h = vms_host(v, g);
        bool here = !g->like.placed && g->like.there == SC_AT_START; /* else the manager sees to it */
        if (h && h->memory.bytes && here) take(v, g, &rooms[g->like.host]);
    }
}
