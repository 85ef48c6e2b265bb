// SPDX-License-Identifier: GPL-3.0-or-later
/* A loop that can take no time would go round for ever at one instant. It is refused unless one step is sure
 * to happen and sure to take time: some, each time or but for a chance that a few in a row will meet. Where a
 * cache may answer, or a send find no way, nothing is sure. So would clients that are turned away and do not
 * think. */
#include <string.h>

#include "scenario/reach.h"
#include "scenario/vms.h"

/* What it costs the VM to hand something to a device: at least this. */
static int64_t price_ps(const struct sc_host *h, const struct sc_vm *vm, enum prog_op op)
{
    return h->modes ? h->modes->price[vm->mode][op].ps : 0;
}

static bool io_costs(const struct sc_host *h, const struct sc_vm *vm)
{
    switch (vm->mode) {
    case SC_BARE:
    case SC_CONTAINER: return price_ps(h, vm, OP_SYSCALL) > 0;
    case SC_EMULATION: return price_ps(h, vm, OP_IO_PORT) > 0;
    default: return price_ps(h, vm, OP_DOORBELL) > 0;
    }
}

static bool touch_costs(const struct sc_host *h, const struct step *s)
{
    const struct sc_memory *m = &h->memory;
    /* A working set that the TLB holds misses no more. */
    return m->ref_ps > 0 || (m->tlb_entries && m->tlb_walk_ns > 0 && s->span > (int64_t)m->tlb_entries);
}

static bool disk_costs(const struct vms *v, const struct sc_host *h, const struct sc_vm *vm,
                       const struct step *s)
{
    const struct sc_vdisk *vd = &vm->disks[s->target];
    if (vd->disk == SC_NONE) return true; /* told before */
    const struct sc_disk *d = &v->sc->disks[vd->disk];
    if (io_costs(h, vm)) return true;
    if (s->how == PROG_TRIM) return false;
    if (vd->cache_bytes && !(s->flags & PROG_FLUSH)) return false;
    if (d->cache_bytes && s->how == PROG_READ) return false;
    return d->latency_ns > 0 || d->iops_u > 0 || d->bandwidth_bps > 0 || d->model != SC_DISK_BUCKET ||
           vd->limit_u > 0 || vd->limit_bps > 0;
}

/* A member of the group: its place decides what it reaches; SC_NONE: there is none. */
static uint32_t member(const struct scenario *sc, const struct sc_vm *vm)
{
    for (uint32_t i = 0; i < sc->n_vms; i++)
        if (!strcmp(sc->vms[i].group, vm->group)) return i;
    return SC_NONE;
}

/* A send that finds no way waits for a time-out. Inside a host it waits until its frames have come: for the
 * copy of a host-only network, or across the switch. Else until they have left the NIC: latency has no part
 * in that, nor has the bandwidth of the switch beyond. */
static bool send_costs(const struct vms *v, const struct sc_host *h, const struct sc_vm *vm,
                       const struct step *s)
{
    const struct scenario *sc = v->sc;
    const struct sc_network *n = &sc->networks[vm->network];
    uint32_t i = member(sc, vm);
    if (io_costs(h, vm) || i == SC_NONE || !reach_between(sc, i, s->target)) return true;
    bool own_thread = vm->mode != SC_BARE && vm->mode != SC_CONTAINER; /* the host's stack is its thread's */
    if (own_thread && h->type == 2 && h->modes && h->modes->host_io_ps > 0) return true;
    bool to_vm = s->target < sc->n_vms, stays = to_vm && sc->vms[s->target].network == vm->network;
    if (to_vm && reach_inside(sc, i, s->target)) {
        const struct sc_network *to = &sc->networks[sc->vms[s->target].network];
        return n->latency_ns > 0 || to->latency_ns > 0 ||
               (n->kind == SC_NET_HOST_ONLY && n->bandwidth_bps > 0) ||
               (n->kind == SC_NET_NAT && !stays && n->rewrite_ns > 0);
    }
    const struct sc_nic *nic = &sc->nics[reach_nic(sc, i)];
    return nic->bandwidth_bps > 0 || nic->packet_cost_ns > 0 || (n->kind == SC_NET_NAT && n->rewrite_ns > 0);
}

static bool sure(const struct vms *v, const struct sc_host *h, const struct sc_vm *vm, const struct step *s)
{
    int64_t *pool = (int64_t *)(uintptr_t)prog_pool(vm->work.prog);
    bool some = dist_takes_time(&s->amount, &(struct pool){.v = pool});
    if (s->probability != UINT32_MAX || !some) return false;
    switch (s->kind) {
    case STEP_TOUCH: return touch_costs(h, s);
    case STEP_DISK: return disk_costs(v, h, vm, s);
    case STEP_NET: return s->how == PROG_RECEIVE || send_costs(v, h, vm, s);
    case STEP_OPS: return price_ps(h, vm, (enum prog_op)s->how) > 0;
    case STEP_SECRET: return false;
    default: return true;
    }
}

/* A client that is turned away and does not think is back at once, and turned away again. */
static void check_turned_away(struct vms *v, const struct vms_group *g, const struct sc_workload *w)
{
    struct node *queue = reader_sub(reader_sub(g->map, "workload", NODE_MAP), "queue", NODE_SCALAR);
    if (!queue || w->unlimited || w->queue_max >= (int64_t)w->clients - w->threads) return;
    if (tree_error(v->r->d, queue,
                   "the clients do not `think`: one that finds the queue full would ask again "
                   "at once, and for ever"))
        diag_hint(v->r->d, "state `think`, or a `queue` with room for the %u that are not served",
                  w->clients - w->threads);
}

void stime_settle(struct vms *v)
{
    for (uint32_t i = 0; i < v->n_groups; i++) {
        struct vms_group *g = &v->groups[i];
        const struct sc_workload *w = &g->like.work;
        const struct sc_host *h = vms_host(v, g);
        if (!g->steps || !h) continue;
        int64_t *think = (int64_t *)(uintptr_t)w->think_pool;
        bool closed = w->arrivals == SC_CLOSED && !dist_takes_time(&w->think, &(struct pool){.v = think});
        if (w->requests && !closed) continue;
        if (closed) check_turned_away(v, g, w);
        bool certain = false;
        const struct step *s = prog_steps(w->prog);
        for (uint32_t k = 0; k < w->prog->n_steps && !certain; k++)
            certain = sure(v, h, &g->like, &s[k]);
        if (certain) continue;
        if (tree_error(v->r->d, g->steps,
                       "a loop that can take no time would never end: no step of it is sure to happen and "
                       "take some"))
            diag_hint(v->r->d, "add a step that takes time, as `cpu`, or let one be without `probability`");
    }
}
