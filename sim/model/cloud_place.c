// SPDX-License-Identifier: GPL-3.0-or-later
/* Hosts and VMs as placement policies see them. */
#include "base/alloc.h"
#include "model/cloud_inner.h"
#include "model/disk.h"
#include "model/host.h"
#include "model/migrate.h"
#include "model/net.h"
#include "model/power.h"

/* `have` times a ratio in thousandths and a share in ppm; ratio 0: no bound. */
static int64_t bound(int64_t have, uint32_t ratio_m, uint32_t limit_ppm)
{
    if (ratio_m == 0 && limit_ppm >= 1000000) return PLACE_NO_BOUND;
    __int128 most = (__int128)have * (ratio_m ? ratio_m : 1000) / 1000 * limit_ppm / 1000000;
    return most > INT64_MAX - 1 ? INT64_MAX - 1 : (int64_t)most;
}

/* Whether there is a host that has room for the VM and yet is not for it. */
static bool has_rules(const struct model *m, uint32_t i)
{
    const struct sc_vm *sc = &m->sc->vms[i];
    if (sc->pins || sc->n_apart || sc->n_with) return true;
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        if (!disk_reaches(m, &m->vms[i], h) || !net_reaches(m, &m->vms[i], h)) return true;
    return false;
}

/* i and j are on one ring from now on. Two rings become one when successors are exchanged. */
static void join(struct cloud *c, uint32_t i, uint32_t j)
{
    uint32_t *label = c->entry_of, was = label[j], next = c->ring[i];
    if (label[i] == was) return;
    for (uint32_t k = j; label[k] == was; k = c->ring[k])
        label[k] = label[i];
    c->ring[i] = c->ring[j];
    c->ring[j] = next;
}

static void make_rings(struct model *m)
{
    struct cloud *c = m->cloud;
    bool any = false;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        any |= m->sc->vms[i].n_with > 0;
    if (!any) return;
    c->ring = alloc_array(m->sc->n_vms, sizeof *c->ring);
    c->entry_of = alloc_array(m->sc->n_vms, sizeof *c->entry_of);
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        c->ring[i] = c->entry_of[i] = i;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        for (uint32_t k = 0; k < m->sc->vms[i].n_with; k++)
            join(c, i, m->sc->vms[i].with[k]);
}

struct vm *cloud_place_next(struct model *m, const struct vm *from)
{
    const uint32_t *ring = m->cloud->ring;
    uint32_t i = from->index;
    while (ring && (i = ring[i]) != from->index)
        if (cloud_ha_waits(&m->vms[i]) && m->vms[i].host == from->host) break;
    return &m->vms[i];
}

/* The same for who is on that host, ctx->vm as if it were where it is to be. */
static uint32_t next_at(const struct cloud_ctx *ctx, uint32_t from, uint32_t host)
{
    const struct model *m = ctx->m;
    const uint32_t *ring = m->cloud->ring;
    uint32_t i = from;
    while (ring && ctx->together && (i = ring[i]) != from) {
        const struct vm *vm = &m->vms[i];
        if (ctx->vm == vm ? ctx->at == host : vm->resident && vm->host->index == host) break;
    }
    return i;
}

void cloud_place_init(struct model *m)
{
    struct cloud *c = m->cloud;
    const struct scenario *sc = m->sc;
    c->hosts = alloc_array(sc->n_hosts, sizeof *c->hosts);
    for (uint32_t i = 0; i < sc->n_hosts; i++) {
        const struct sc_host *h = &sc->hosts[i];
        struct place_host *p = &c->hosts[i];
        p->have[PLACE_CPU] = (int64_t)h->cores * h->speed_ppm;
        p->have[PLACE_MEM] = h->memory.bytes;
        p->most[PLACE_CPU] = bound(p->have[PLACE_CPU], c->sc->overcommit_cpu_m, h->limit_ppm);
        p->most[PLACE_MEM] =
            h->memory.bytes ? bound(h->memory.bytes, c->sc->overcommit_mem_m, 1000000) : PLACE_NO_BOUND;
        p->features = h->features;
        p->load_ppm = -1;
    }
    for (uint32_t i = 0; i < sc->n_vms && !c->rules; i++)
        c->rules = has_rules(m, i);
    c->residents = alloc_array(sc->n_vms + 1, sizeof *c->residents);
    c->movers = alloc_array(sc->n_vms + 1, sizeof *c->movers);
    c->moves = alloc_array(sc->n_vms + 1, sizeof *c->moves);
    c->order = alloc_array(sc->n_vms + 1, sizeof *c->order);
    make_rings(m);
    c->scratch = alloc_array(1, place_survives_bytes(sc->n_hosts, sc->n_vms + 1) + 16);
}

const struct place_host *cloud_place_hosts(struct model *m)
{
    struct cloud *c = m->cloud;
    for (uint32_t i = 0; i < m->sc->n_hosts; i++) {
        const struct mhost *h = &m->hosts[i];
        struct place_host *p = &c->hosts[i];
        p->promised[PLACE_CPU] = h->promised[HOST_CPU];
        p->promised[PLACE_MEM] = h->promised[HOST_MEM];
        p->n_vms = h->n_vms;
        p->usable = h->n_failures == 0 && !h->draining;
        p->off = h->off;
    }
    return c->hosts;
}

static enum rec_why may(struct model *m, const struct vm *vm, uint32_t host)
{
    const struct sc_vm *sc = vm->sc;
    if (sc->pins && host != sc->host) return REC_WHY_PINNED;
    if (!disk_reaches(m, vm, host)) return REC_WHY_STORAGE;
    if (!net_reaches(m, vm, host)) return REC_WHY_NETWORK;
    if (vm->mem && m->sc->hosts[host].memory.page_bytes != m->sc->hosts[vm->host->index].memory.page_bytes)
        return REC_WHY_MEMORY; /* its pages have no like there */
    for (uint32_t i = 0; i < sc->n_apart; i++) {
        const struct vm *other = &m->vms[sc->apart[i]];
        if (other->resident && other != vm && (other->host->index == host || migrate_target(other) == host))
            return REC_WHY_APART;
    }
    for (uint32_t i = 0; i < sc->n_with; i++) {
        const struct vm *other = &m->vms[sc->with[i]];
        if (other->resident && other != vm && other->host->index != host && other->host->n_failures == 0)
            return REC_WHY_TOGETHER;
    }
    return REC_WHY_NONE;
}

enum rec_why cloud_place_may(const void *ctx, uint32_t host)
{
    const struct cloud_ctx *c = ctx;
    const struct vm *vm = c->vm;
    enum rec_why why;
    do
        why = may(c->m, vm, host);
    while (!why && c->together && (vm = cloud_place_next(c->m, vm)) != c->vm);
    return why;
}

struct place_ask cloud_place_ask(const struct vm *vm, void *ctx)
{
    bool runs = vm->power != POWER_NONE && vm->power != POWER_OFF && vm->power != POWER_FAILED;
    struct place_ask ask = {
        .features = vm->sc->features | (runs ? vm->seen : 0), .may = cloud_place_may, .ctx = ctx};
    host_wants(vm, ask.want);
    return ask;
}

enum rec_why cloud_place_fits(struct model *m, const struct vm *vm, const struct mhost *h)
{
    struct cloud_ctx ctx = {.m = m, .vm = vm};
    struct place_ask ask = cloud_place_ask(vm, &ctx);
    return place_may(&cloud_place_hosts(m)[h->index], h->index, &ask);
}

/* --- admission --- */

void cloud_place_add(struct cloud *c, const struct vm *vm, uint32_t host, uint32_t *n)
{
    struct place_vm *p = &c->residents[(*n)++];
    *p = (struct place_vm){.features = vm->sc->features, .host = host, .vm = vm->index};
    host_wants(vm, p->want);
}

/* Whether a VM of a failed host waits to be started elsewhere, and there is a host for it. Room need not be
 * kept for one that nobody could take anyway. */
static bool can_be_saved(struct model *m, const struct vm *vm)
{
    struct cloud_ctx ctx = {.m = m, .vm = vm};
    struct place_ask ask = cloud_place_ask(vm, &ctx);
    if (!vm->wanted || m->cloud->vm[vm->index].stranded) return false;
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        if (place_may(&m->cloud->hosts[h], h, &ask) == REC_WHY_NONE) return true;
    return false;
}

uint32_t cloud_place_residents(struct model *m)
{
    uint32_t n = 0;
    cloud_place_hosts(m);
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct vm *vm = &m->vms[i];
        if (vm->resident && (vm->host->n_failures == 0 || can_be_saved(m, vm)))
            cloud_place_add(m->cloud, vm, vm->host->index, &n);
    }
    return n;
}

static bool listed(const uint32_t *list, uint32_t n, uint32_t vm)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == vm) return true;
    return false;
}

uint32_t cloud_place_together(struct model *m, uint32_t n)
{
    struct cloud *c = m->cloud;
    uint32_t kept = 0;
    if (!c->ring) return n;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        c->entry_of[i] = PLACE_NONE;
    for (uint32_t k = 0; k < n; k++) {
        const struct place_vm p = c->residents[k];
        uint32_t lowest = p.vm, first;
        for (uint32_t i = c->ring[p.vm]; i != p.vm; i = c->ring[i])
            if (i < lowest) lowest = i;
        first = c->entry_of[lowest];
        if (first == PLACE_NONE || c->residents[first].host != p.host) {
            c->entry_of[lowest] = kept;
            c->residents[kept++] = p;
            continue;
        }
        for (int r = 0; r < PLACE_NRES; r++)
            c->residents[first].want[r] += p.want[r];
        c->residents[first].features |= p.features;
    }
    return kept;
}

/* Whether one VM may be there, beside those of `there` and those that come along with them. */
static bool rule_of_one(const struct cloud_ctx *ctx, const struct vm *v, const struct place_vm *vms,
                        uint32_t host, const uint32_t *there, uint32_t n_there)
{
    struct model *m = ctx->m;
    if (v->sc->pins || !disk_reaches(m, v, host) || !net_reaches(m, v, host)) return false;
    for (uint32_t i = 0; v->sc->n_apart && i < n_there; i++) {
        const struct place_vm *p = &vms[there[i]];
        uint32_t other = p->vm;
        do
            if (listed(v->sc->apart, v->sc->n_apart, other)) return false;
        while ((other = next_at(ctx, other, p->host)) != p->vm);
    }
    return true;
}

bool cloud_place_rule(const void *ctx, const struct place_vm *vms, uint32_t vm, uint32_t host,
                      const uint32_t *there, uint32_t n_there)
{
    const struct cloud_ctx *c = ctx;
    const struct place_vm *p = &vms[vm];
    uint32_t v = p->vm;
    do
        if (!rule_of_one(c, &c->m->vms[v], vms, host, there, n_there)) return false;
    while ((v = next_at(c, v, p->host)) != p->vm);
    return true;
}

/* With the VM on that host, and no more where it may be now, any `spares` hosts may fail. */
static bool survives(struct model *m, const struct vm *vm, uint32_t host)
{
    struct cloud *c = m->cloud;
    struct cloud_ctx ctx = {m, vm, true, host};
    int64_t want[2];
    if (c->sc->spares == 0) return true;
    uint32_t n = cloud_place_residents(m), k = 0;
    while (k < n && c->residents[k].vm != vm->index)
        k++;
    if (k == n) cloud_place_add(c, vm, host, &n);
    c->residents[k].host = host;
    host_wants(vm, want);
    for (int r = 0; r < 2; r++) {
        if (vm->resident) c->hosts[vm->host->index].promised[r] -= want[r];
        c->hosts[host].promised[r] += want[r];
    }
    n = cloud_place_together(m, n);
    return place_survives(c->hosts, m->sc->n_hosts, c->residents, n, c->sc->spares,
                          c->rules ? cloud_place_rule : NULL, &ctx, c->scratch) == PLACE_NONE;
}

static const struct place_class *policy_of(const struct cloud *c, const struct vm *vm)
{
    const struct place_class *policy = vm->sc->place ? place_find(vm->sc->place) : c->policy;
    return policy ? policy : place_find("first-fit");
}

struct mhost *cloud_place_again(struct model *m, struct vm *vm, enum rec_why *why)
{
    struct cloud *c = m->cloud;
    struct cloud_ctx ctx = {.m = m, .vm = vm, .together = true};
    struct place_ask ask = cloud_place_ask(vm, &ctx);
    uint32_t nobodys = PLACE_NONE;
    cloud_place_hosts(m);
    for (const struct vm *other = vm; (other = cloud_place_next(m, other)) != vm;) {
        int64_t want[2];
        host_wants(other, want);
        ask.want[PLACE_CPU] += want[HOST_CPU];
        ask.want[PLACE_MEM] += want[HOST_MEM];
        ask.features |= other->sc->features;
    }
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        c->hosts[h].off &= c->sc->spares == 0;
    c->hosts[vm->host->index].usable = false;
    const struct place_class *policy = c->sc->spares ? place_find("first-fit") : policy_of(c, vm);
    uint32_t *turn = c->sc->spares ? &nobodys : &c->turn;
    uint32_t h = place_pick(policy, c->hosts, m->sc->n_hosts, &ask, turn, why);
    return h == PLACE_NONE ? NULL : &m->hosts[h];
}

struct mhost *cloud_place_pick(struct model *m, struct vm *vm, const struct mhost * not, bool admit,
                               enum rec_why *why)
{
    struct cloud *c = m->cloud;
    struct cloud_ctx ctx = {.m = m, .vm = vm};
    struct place_ask ask = cloud_place_ask(vm, &ctx);
    const struct place_class *policy = policy_of(c, vm);
    cloud_place_hosts(m);
    if (not ) c->hosts[not ->index].usable = false;
    /* Where the policy's choice would leave no room after a failure, its next choice may. */
    for (uint32_t tries = 0; tries < m->sc->n_hosts && tries < CLOUD_TRIES; tries++) {
        uint32_t h = place_pick(policy, c->hosts, m->sc->n_hosts, &ask, &c->turn, why);
        if (h == PLACE_NONE) {
            if (tries) *why = REC_WHY_SPARES;
            return NULL;
        }
        if (!admit || survives(m, vm, h)) return &m->hosts[h];
        cloud_place_hosts(m);
        if (not ) c->hosts[not ->index].usable = false;
        c->barred[tries] = h;
        for (uint32_t i = 0; i <= tries; i++)
            c->hosts[c->barred[i]].usable = false;
    }
    *why = REC_WHY_SPARES;
    return NULL;
}

/* --- loads --- */

static int64_t ran_ns(const struct model *m, const struct vm *vm)
{
    int64_t ran = 0;
    for (uint32_t i = vm->first_vcpu; i < vm->first_vcpu + vm->n_vcpus; i++) {
        const struct vcpu *v = &m->vcpus[i];
        ran += v->run_ns + (state_of(v) == VCPU_RUN ? sim_now(m->sim) - v->since_ns : 0);
    }
    return ran;
}

void cloud_place_came(struct model *m, const struct vm *vm)
{
    struct cloud_vm *v = &m->cloud->vm[vm->index];
    v->ran_ns = ran_ns(m, vm);
    v->looked_ns = sim_now(m->sim);
    v->load_ppm = -1;
}

void cloud_place_loads(struct model *m)
{
    struct cloud *c = m->cloud;
    int64_t now = sim_now(m->sim);
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        c->hosts[i].load_ppm = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct vm *vm = &m->vms[i];
        struct cloud_vm *v = &c->vm[i];
        if (!vm->sc || !vm->resident) continue;
        int64_t ran = ran_ns(m, vm), in = now - v->looked_ns;
        if (in > 0) v->load_ppm = (int64_t)((__int128)(ran - v->ran_ns) * vm->host->speed_ppm / in);
        v->ran_ns = ran;
        v->looked_ns = now;
        if (v->load_ppm > 0) c->hosts[vm->host->index].load_ppm += v->load_ppm;
    }
    c->loads_ns = now;
}
