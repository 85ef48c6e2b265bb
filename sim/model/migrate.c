// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/migrate.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/cloud_inner.h"
#include "model/cpu.h"
#include "model/host.h"
#include "model/mem.h"
#include "model/net.h"
#include "model/power.h"
#include "policy/precopy.h"

enum phase {
    ROUNDS, /* pre-copy */
    LAST,   /* stopped: the rest is under way */
    SETTLE, /* stopped: the fixed downtime */
    FETCH   /* post-copy: it runs on the other host, pages still come */
};

struct migration {
    uint8_t phase;
    struct mhost *from, *to;
    struct precopy copy;
    uint32_t bulk; /* what is under way; NONE */
    int64_t began_ns, round_ns, stopped_ns;
    int64_t bytes, sending; /* sent; under way */
    uint32_t throttle_ppm;  /* of its CPU, taken away */
    bool logs;              /* its touches are logged */
    uint32_t next_page;     /* post-copy: the first that was not asked for yet; */
    uint32_t pushed;        /* the one that is being pushed; MEM_NO_PAGE */
    uint32_t fetching;      /* pages that somebody waits for */
};

/* Post-copy: a page on its way because somebody waits for it. */
struct migrate_page {
    uint32_t vm, page; /* vm NONE: free */
    uint32_t bulk;     /* NONE: the request for it is under way */
};

#define THROTTLE_FIRST_PPM 200000u
#define THROTTLE_STEP_PPM  100000u
#define THROTTLE_MOST_PPM  990000u

uint32_t migrate_target(const struct vm *vm)
{
    return vm->migration ? vm->migration->to->index : NONE;
}

bool migrate_needs(const struct model *m, const struct mhost *h)
{
    for (uint32_t i = 0; m->n_migrations && i < m->sc->n_vms; i++) {
        const struct migration *g = m->vms[i].migration;
        if (g && g->phase == FETCH && g->from == h) return true;
    }
    return false;
}

int64_t migrate_estimate_ns(const struct vm *vm)
{
    const struct sc_migrate *sc = &vm->sc->migrate;
    int64_t rate = sc->step_bps && sc->rate_max_bps ? sc->rate_max_bps : sc->rate_bps;
    if (rate == 0) return 0;
    __int128 ns = (__int128)vm->sc->memory_bytes * 8 * 1000000000 / rate;
    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

void migrate_set_dirty(struct model *m, struct vm *vm, int64_t bps)
{
    (void)m;
    vm->set.dirty_bps = bps;
}

/* --- what is dirty --- */

static int64_t dirty(struct model *m, struct vm *vm, int64_t ns)
{
    const struct sc_migrate *sc = &vm->sc->migrate;
    const struct migration *g = vm->migration;
    if (g->logs) return mem_log_take(m, vm) * vm->host->sc->memory.page_bytes;
    if (!sc->dirty_stated) return 0;
    int64_t left_ppm = 1000000 - g->throttle_ppm;
    struct precopy_writer w = {
        .rate_bps = (int64_t)((__int128)vm->set.dirty_bps * left_ppm / 1000000),
        .of_bytes = sc->dirty_of_bytes ? sc->dirty_of_bytes : vm->sc->memory_bytes,
        .cold_bps = (int64_t)((__int128)sc->dirty_cold_bps * left_ppm / 1000000),
        .memory_bytes = vm->sc->memory_bytes,
        .uniform = sc->dirty_uniform,
    };
    return precopy_dirty(&w, ns);
}

/* All that is to be sent. */
static int64_t all_of(struct model *m, struct vm *vm)
{
    (void)m;
    if (vm->sc->migrate.skip_zero && vm->mem) return mem_touched(vm) * vm->host->sc->memory.page_bytes;
    return vm->sc->memory_bytes;
}

/* --- the end, one way or the other --- */

static void throttle(struct model *m, struct vm *vm, uint32_t ppm)
{
    struct sched_vm_cfg cfg = host_sched_cfg(vm);
    if (ppm) {
        int64_t most = (int64_t)((__int128)vm->n_vcpus * cfg.period_ns * (1000000 - ppm) / 1000000);
        if (cfg.quota_ns == 0 || most < cfg.quota_ns) cfg.quota_ns = most;
        vm->host->limits = true;
    }
    if (vm->in_sched != NONE)
        sched_set(vm->host->sched, vm->in_sched, cfg.weight, cfg.quota_ns, cfg.period_ns, cfg.reservation_ppm,
                  sim_now(m->sim));
}

/* The migration is no more. Room that was kept for it is free. */
static void forget(struct model *m, struct vm *vm)
{
    struct migration *g = vm->migration;
    int64_t want[2];
    if (g->logs) mem_log(m, vm, false);
    if (g->throttle_ppm) throttle(m, vm, 0);
    host_wants(vm, want);
    for (int r = 0; g->phase != FETCH && r < 2; r++)
        g->to->promised[r] -= want[r];
    g->to->expects -= g->phase != FETCH;
    book_add(vm->book, REC_N_MIG_ROUNDS, g->copy.rounds);
    book_add(vm->book, REC_N_MIG_BYTES, g->bytes);
    vm->migration = NULL;
    m->n_migrations--;
    free(g);
}

static void count_done(struct model *m, struct vm *vm)
{
    const struct migration *g = vm->migration;
    book_add(vm->book, REC_N_MIG_DONE, 1);
    book_add(vm->book, REC_N_MIG_NS, sim_now(m->sim) - g->began_ns);
}

static void forget_pages(struct model *m, const struct vm *vm)
{
    for (uint32_t i = 0; i < m->n_pages; i++) {
        struct migrate_page *p = &m->pages[i];
        if (p->vm != vm->index) continue;
        if (p->bulk != NONE) net_bulk_cancel(m, p->bulk);
        p->vm = NONE;
    }
}

/* Its host is not settled. */
static void give_up(struct model *m, struct vm *vm, enum rec_why why)
{
    struct migration *g = vm->migration;
    struct mhost *from = g->from;
    forget_pages(m, vm);
    if (g->bulk != NONE) g->bytes += net_bulk_cancel(m, g->bulk);
    inner_tell_why(m, vm, 0, REC_EV_CANCELLED, why);
    forget(m, vm);
    power_release(m, vm, HOLD_MIGRATE);
    cloud_moved(m, from);
}

/* --- the stages --- */

static void send(struct model *m, struct vm *vm, int64_t bytes, int64_t rate_bps)
{
    struct migration *g = vm->migration;
    g->sending = bytes;
    g->bulk = net_bulk(m, g->from, g->to, bytes, rate_bps, vm->index);
}

/* A stop-and-copy's: as fast as the NICs allow; without one something must be said. */
static int64_t full_speed(struct model *m, const struct vm *vm)
{
    const struct sc_migrate *sc = &vm->sc->migrate;
    const struct migration *g = vm->migration;
    if (sc->step_bps == 0) return sc->rate_bps;
    return host_nic(m, g->from) != NONE && host_nic(m, g->to) != NONE ? 0 : sc->rate_max_bps;
}

static void stop(struct model *m, struct vm *vm, int64_t bytes)
{
    struct migration *g = vm->migration;
    g->phase = LAST;
    g->stopped_ns = sim_now(m->sim);
    power_hold(m, vm, HOLD_MIGRATE);
    send(m, vm, bytes, full_speed(m, vm));
}

static void step(struct model *m, struct vm *vm, struct precopy_step s, int64_t took_ns)
{
    struct migration *g = vm->migration;
    switch (s.what) {
    case PRECOPY_ROUND:
        g->round_ns = sim_now(m->sim);
        send(m, vm, s.bytes, s.rate_bps);
        return;
    case PRECOPY_STOP: stop(m, vm, s.bytes); return;
    case PRECOPY_DIVERGED: break;
    }
    inner_tell_why(m, vm, g->copy.rounds, REC_EV_DIVERGED, REC_WHY_NONE);
    switch ((enum sc_diverge)vm->sc->migrate.diverge) {
    case SC_DIVERGE_CANCEL:
        give_up(m, vm, REC_WHY_DIVERGED);
        cpu_settle(m, vm->host);
        return;
    case SC_DIVERGE_STOP: stop(m, vm, s.bytes); return;
    case SC_DIVERGE_THROTTLE:
        g->throttle_ppm += g->throttle_ppm ? THROTTLE_STEP_PPM : THROTTLE_FIRST_PPM;
        if (g->throttle_ppm > THROTTLE_MOST_PPM) {
            stop(m, vm, s.bytes);
            return;
        }
        throttle(m, vm, g->throttle_ppm);
        step(m, vm, precopy_go_on(&g->copy, s.bytes, took_ns), took_ns);
    }
}

/* Post-copy: the next page, ahead of the others where somebody waits for it. */
static void push_next(struct model *m, struct vm *vm)
{
    struct migration *g = vm->migration;
    if (!vm->mem) return;
    g->pushed = mem_stranded(vm, g->next_page);
    if (g->pushed == MEM_NO_PAGE) return;
    g->next_page = g->pushed + 1;
    mem_asked(vm, g->pushed);
    send(m, vm, vm->host->sc->memory.page_bytes, vm->sc->migrate.rate_bps);
}

static void arrived(struct model *m, struct vm *vm)
{
    struct migration *g = vm->migration;
    count_done(m, vm);
    struct mhost *from = g->from;
    forget(m, vm);
    cloud_moved(m, from);
}

static void switch_over(struct model *m, struct vm *vm)
{
    struct migration *g = vm->migration;
    int64_t down = sim_now(m->sim) - g->stopped_ns, want[2];
    bool post = vm->sc->migrate.method == SC_POST_COPY;
    if (g->logs) mem_log(m, vm, false);
    g->logs = false;
    if (g->throttle_ppm) throttle(m, vm, 0);
    g->throttle_ppm = 0;
    host_wants(vm, want);
    for (int r = 0; r < 2; r++)
        g->to->promised[r] -= want[r]; /* host_move promises it for good */
    g->to->expects--;
    g->phase = FETCH;
    vm->behind = post;
    host_move(m, vm, g->to);
    vm->behind = false;
    book_add(vm->book, REC_N_MIG_DOWN_NS, down);
    inner_tell_why(m, vm, down, REC_EV_MIGRATED, REC_WHY_NONE);
    power_release(m, vm, HOLD_MIGRATE);
    cpu_settle(m, g->from);
    cpu_settle(m, g->to);
    if (!post) {
        arrived(m, vm);
        return;
    }
    if (vm->mem)
        push_next(m, vm);
    else
        send(m, vm, all_of(m, vm), vm->sc->migrate.rate_bps);
    if (g->bulk == NONE && g->fetching == 0) arrived(m, vm);
}

static void settle_down(struct model *m, struct vm *vm)
{
    int64_t fixed = vm->sc->migrate.downtime_ns;
    vm->migration->phase = SETTLE;
    sim_at(m->sim, sim_now(m->sim) + fixed, EVQ_NORMAL, m->ev_migrate, vm->index);
}

/* --- pages that somebody waits for: a request there, the page back --- */

static uint32_t new_page(struct model *m)
{
    for (uint32_t i = 0; i < m->n_pages; i++)
        if (m->pages[i].vm == NONE) return i;
    if (m->n_pages == m->cap_pages) {
        m->cap_pages = m->cap_pages ? 2 * m->cap_pages : 16;
        m->pages = realloc(m->pages, m->cap_pages * sizeof *m->pages);
        ASSERT(m->pages);
    }
    return m->n_pages++;
}

static int64_t latency_ns(const struct model *m, const struct mhost *h)
{
    uint32_t nic = host_nic(m, h);
    return nic == NONE ? 0 : m->sc->nics[nic].latency_ns;
}

void migrate_fetch(struct model *m, struct vm *vm, uint32_t page)
{
    struct migration *g = vm->migration;
    uint32_t i = new_page(m);
    m->pages[i] = (struct migrate_page){.vm = vm->index, .page = page, .bulk = NONE};
    g->fetching++;
    sim_at(m->sim, sim_now(m->sim) + latency_ns(m, g->to), EVQ_NORMAL, m->ev_migrate, m->sc->n_vms + i);
}

static void ask_page(struct model *m, uint32_t i)
{
    struct migrate_page *p = &m->pages[i];
    if (p->vm == NONE || p->bulk != NONE) return;
    struct vm *vm = &m->vms[p->vm];
    struct migration *g = vm->migration;
    uint32_t bulk =
        net_bulk(m, g->from, g->to, vm->host->sc->memory.page_bytes, full_speed(m, vm), m->sc->n_vms + i);
    m->pages[i].bulk = bulk;
}

static void page_here(struct model *m, uint32_t i)
{
    struct migrate_page p = m->pages[i];
    if (p.vm == NONE) return;
    struct vm *vm = &m->vms[p.vm];
    m->pages[i].vm = NONE;
    vm->migration->fetching--;
    vm->migration->bytes += vm->host->sc->memory.page_bytes;
    mem_fetched(m, vm, p.page);
    if (vm->migration->bulk == NONE && vm->migration->fetching == 0) arrived(m, vm);
    cpu_settle(m, vm->host);
    book_settle(m);
}

void migrate_on(void *model, uint32_t i)
{
    struct model *m = model;
    if (i >= m->sc->n_vms) {
        ask_page(m, i - m->sc->n_vms);
        return;
    }
    struct vm *vm = &m->vms[i];
    if (vm->migration && vm->migration->phase == SETTLE) switch_over(m, vm);
    book_settle(m);
}

void migrate_sent(struct model *m, uint32_t i)
{
    if (i >= m->sc->n_vms) {
        page_here(m, i - m->sc->n_vms);
        return;
    }
    struct vm *vm = &m->vms[i];
    struct migration *g = vm->migration;
    if (!g) return;
    g->bulk = NONE;
    g->bytes += g->sending;
    g->sending = 0;
    int64_t took = sim_now(m->sim) - g->round_ns;
    switch ((enum phase)g->phase) {
    case ROUNDS: {
        int64_t left = dirty(m, vm, took);
        step(m, vm, precopy_next(&g->copy, left, took), took);
        break;
    }
    case LAST: settle_down(m, vm); break;
    case SETTLE: break;
    case FETCH:
        if (vm->mem) {
            uint32_t page = g->pushed;
            g->pushed = MEM_NO_PAGE;
            mem_fetched(m, vm, page);
            push_next(m, vm);
        }
        if (g->bulk == NONE && g->fetching == 0) arrived(m, vm);
        cpu_settle(m, vm->host);
    }
    book_settle(m);
}

/* --- beginning --- */

static bool refused(struct model *m, const struct vm *vm, const struct mhost *to, enum rec_why why)
{
    inner_tell_why(m, vm, to ? to->index : 0, REC_EV_REFUSED, why);
    return false;
}

static void begin(struct model *m, struct vm *vm, struct mhost *to)
{
    const struct sc_migrate *sc = &vm->sc->migrate;
    struct migration *g = alloc_array(1, sizeof *g);
    int64_t want[2];
    *g = (struct migration){
        .from = vm->host, .to = to, .bulk = NONE, .began_ns = sim_now(m->sim), .pushed = MEM_NO_PAGE};
    vm->migration = g;
    m->n_migrations++;
    host_wants(vm, want);
    for (int r = 0; r < 2; r++)
        to->promised[r] += want[r];
    to->expects++;
    inner_tell_why(m, vm, to->index, REC_EV_MIGRATING, REC_WHY_NONE);
    int64_t all = all_of(m, vm);
    switch ((enum sc_migration)sc->method) {
    case SC_PRE_COPY: {
        struct precopy_cfg cfg = {sc->rate_bps, sc->step_bps, sc->rate_max_bps, sc->stop_below_bytes,
                                  sc->max_rounds};
        g->logs = vm->mem && !sc->dirty_stated;
        if (g->logs) mem_log(m, vm, true);
        step(m, vm, precopy_begin(&g->copy, &cfg, all), 0);
        break;
    }
    case SC_STOP_AND_COPY: stop(m, vm, all); break;
    case SC_POST_COPY:
        g->stopped_ns = sim_now(m->sim);
        power_hold(m, vm, HOLD_MIGRATE);
        settle_down(m, vm);
        break;
    }
    if (vm->host->sched) cpu_settle(m, vm->host);
}

bool migrate_begin(struct model *m, struct vm *vm, struct mhost *to)
{
    enum rec_why why = REC_WHY_NONE;
    if (!m->cloud || vm->power == POWER_NONE || vm->migration) return refused(m, vm, to, REC_WHY_BUSY);
    if (!to)
        to = cloud_place_pick(m, vm, vm->host, true, &why);
    else if (to == vm->host)
        why = REC_WHY_BUSY;
    if (to && !why) why = cloud_place_fits(m, vm, to);
    if (!to || why) return refused(m, vm, to, why);
    if (vm->power == POWER_OFF || vm->power == POWER_FAILED) {
        struct mhost *from = vm->host;
        if (vm->wanted && to->off) host_switch(m, to, true);
        host_move(m, vm, to);
        inner_tell_why(m, vm, 0, REC_EV_MIGRATED, REC_WHY_NONE);
        /* It waited for its host to be back, and does not depend on that any more. */
        if (vm->wanted && from->n_failures) power_on(m, vm);
        if (from->sched) cpu_settle(m, from);
        if (to->sched) cpu_settle(m, to);
        return false;
    }
    if (vm->power != POWER_UP || !host_up(vm->host)) return refused(m, vm, to, REC_WHY_BUSY);
    if (to->off) host_switch(m, to, true);
    begin(m, vm, to);
    return true;
}

void migrate_lost(struct model *m, struct vm *vm)
{
    give_up(m, vm, REC_WHY_BUSY);
}

void migrate_host_failed(struct model *m, struct mhost *h)
{
    for (uint32_t i = 0; m->n_migrations && i < m->sc->n_vms; i++) {
        struct vm *vm = &m->vms[i];
        struct migration *g = vm->migration;
        if (!g || (g->from != h && g->to != h)) continue;
        if (g->phase == FETCH)
            power_fail(m, vm, REC_WHY_HOST);
        else
            give_up(m, vm, REC_WHY_HOST_OFF);
        cpu_settle(m, vm->host);
    }
}

void migrate_done(struct model *m)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        free(m->vms[i].migration);
    free(m->pages);
}
