// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/alloc.h"
#include "base/assert.h"
#include "model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cloud.h"
#include "model/cpu.h"
#include "model/disk.h"
#include "model/event.h"
#include "model/fail.h"
#include "model/guest.h"
#include "model/host.h"
#include "model/lock.h"
#include "model/mem.h"
#include "model/migrate.h"
#include "model/net.h"
#include "model/thread.h"
#include "model/work.h"

static bool wanted(uint32_t only_vm, uint32_t vm)
{
    return only_vm == MODEL_ALL || only_vm == vm;
}

/* Who waits for what, when the clock cannot go on. */
static void who_is_stuck(void *ctx, sim_waiter *say, void *out)
{
    struct model *m = ctx;
    for (uint32_t i = 0; i < m->n_vcpus; i++) {
        const struct vcpu *v = &m->vcpus[i];
        if (state_of(v) != VCPU_READY && state_of(v) != VCPU_THROTTLED) continue;
        char who[128];
        if (v->vm)
            snprintf(who, sizeof who, "vm.%s.vcpu%u", v->vm->sc->name, v->proto.vcpu);
        else
            snprintf(who, sizeof who, "host.%s's own thread %u", v->host->sc->name, v->proto.vcpu);
        say(out, who, state_of(v) == VCPU_READY ? "a pCPU" : "its CPU limit's next period");
    }
}

static void on_end(void *ctx, uint32_t arg)
{
    (void)arg;
    sim_stop(((struct model *)ctx)->sim);
}

/* Whether anything of this VM is counted: it does more than compute and sleep, or boots, or may be migrated.
 */
static bool wants_book(const struct scenario *all, const struct sc_vm *sc)
{
    if (all->moves || sc->image != SC_NONE) return true;
    const struct step *s = prog_steps(sc->work.prog);
    for (uint32_t i = 0; i < sc->work.prog->n_steps; i++)
        if (s[i].kind > STEP_SLEEP) return true;
    return sc->n_disks > 0 || sc->network != SC_NONE;
}

static void build_vm(struct model *m, uint32_t i, uint32_t first_vcpu)
{
    struct vm *vm = &m->vms[i];
    const struct sc_vm *sc = &m->sc->vms[i];
    const struct sc_workload *w = &sc->work;
    uint64_t name = rng_hash_name(sc->draws, strlen(sc->draws));
    vm->sc = sc;
    vm->index = i;
    vm->host = &m->hosts[sc->host];
    vm->prog = w->prog;
    if (wants_book(m->sc, sc)) {
        vm->book = alloc_array(1, sizeof *vm->book);
        book_open(m, vm->book, sc->host, i, false);
    }
    vm->quantum_ns = sc->guest_quantum_ns ? guest_on_core_ns(vm->host, sc->guest_quantum_ns) : INT64_MAX;
    vm->first_vcpu = first_vcpu;
    vm->n_vcpus = sc->vcpus;
    vm->timer_at = INT64_MAX;
    vm->off = true;
    vm->emulated =
        sc->mode == SC_EMULATION && vm->host->sc->modes && vm->host->sc->modes->emulation_milli != 1000;
    vm->run_head = vm->run_tail = vm->free_head = NONE;
    vm->in_sched = vm->scale = NONE;
    vm->front = i;
    if (w->shared_queue && m->only_vm == MODEL_ALL)
        while (vm->front > 0 && strcmp(m->sc->vms[vm->front - 1].group, sc->group) == 0)
            vm->front--;
    vm->set = (struct vm_set){sc->weight, sc->limit_ppm, sc->reservation_ppm, sc->migrate.dirty_bps};
    vm->key_bits = rng_key(m->seed, name, RNG_SECRET);
    covert_begin(&vm->covert);
    vm->key_steps = rng_key(m->seed, name, RNG_STEPS);
    vm->key_think = rng_key(m->seed, name, RNG_THINK);
    vm->n_tasks = vm->cap_tasks = w->unlimited ? 0 : w->threads;
    vm->tasks = alloc_array(vm->n_tasks, sizeof *vm->tasks);
    vm->switches = guest_switch_counts(vm);
    for (uint32_t t = vm->n_tasks; t-- > 0;) {
        vm->tasks[t] =
            (struct task){.vcpu = first_vcpu + t % vm->n_vcpus, .client = NONE, .where = TASK_FREE};
        if (!w->requests) continue;
        vm->tasks[t].next = vm->free_head;
        vm->free_head = t;
    }
    for (uint32_t k = 0; k < vm->n_vcpus; k++)
        m->vcpus[first_vcpu + k] = (struct vcpu){
            .proto = {.host = sc->host,
                      .vm = i,
                      .vcpu = (uint16_t)k,
                      .pcpu = REC_NONE,
                      .kind = REC_STATE,
                      .from = VCPU_DOWN},
            .host = vm->host,
            .vm = vm,
            .task = NONE,
            .last_task = NONE,
            .paying = TOLL_NONE,
            .index = first_vcpu + k,
            .in_sched = vm->host->seats ? NONE : first_vcpu + k - vm->host->first_vcpu,
            .ws_lines = (sc->working_set_bytes + 63) / 64,
        };
}

/* A VM's seats at the start, where the host's are dealt. */
static struct sched_vm_cfg sit(struct model *m, struct mhost *h, struct vm *vm, uint32_t number,
                               uint32_t first)
{
    struct sched_vm_cfg cfg = host_sched_cfg(vm);
    cfg.first_vcpu = first;
    vm->in_sched = number;
    h->limits = h->limits || cfg.quota_ns || cfg.cosched;
    for (uint32_t k = 0; h->seats && k < vm->n_vcpus; k++) {
        struct vcpu *v = &m->vcpus[vm->first_vcpu + k];
        v->in_sched = first + k;
        h->seats[first + k] = v;
    }
    return cfg;
}

/* Seats on a host on which all VMs find room in whatever order they come and go: a VM's seats are in a row,
 * the first run that is free. A VM of the largest size finds none only where each gap is smaller, and gaps
 * are multiples of what divides all sizes. So n VMs of v vCPUs together need v + n (largest - divisor) at
 * most. */
static uint32_t seats(const struct model *m)
{
    uint32_t divisor = 0, largest = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        uint32_t a = m->sc->vms[i].vcpus;
        if (a > largest) largest = a;
        for (uint32_t b; divisor; divisor = b) {
            b = a % divisor;
            a = divisor;
        }
        divisor = a;
    }
    return m->n_vcpus + m->sc->n_vms * (largest - divisor);
}

/* Where VMs move, only who is pinned has a seat from the beginning, and the host's threads. */
static void build_sched(struct model *m, struct mhost *h, uint32_t only_vm)
{
    struct sched_vm_cfg *vms = alloc_array(m->sc->n_vms + h->n_threads, sizeof *vms);
    uint64_t *pins = alloc_array((size_t)h->n_threads * ((h->n_pcpus + 63) / 64),
                                 sizeof *pins); /* kept by the scheduler */
    uint32_t n = 0, seat = 0, cosched = 0;
    for (uint32_t i = 0; i < h->n_threads; i++) {
        const struct thread *t = &m->threads[h->first_thread + i];
        uint64_t *pin = pins + (size_t)i * ((h->n_pcpus + 63) / 64);
        pin[t->pcpu / 64] |= UINT64_C(1) << (t->pcpu % 64);
    }
    for (uint32_t k = 0; h->seats && k < h->n_threads; k++)
        h->seats[seat++] = &m->vcpus[m->threads[h->first_thread + k].vcpu];
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct sc_vm *sc = &m->sc->vms[i];
        cosched |= sc->cosched ? 1u << sc->cosched : 0;
        if (&m->hosts[sc->host] != h || !wanted(only_vm, i) || (h->seats && !sc->pins)) continue;
        vms[n] = sit(m, h, &m->vms[i], n, seat);
        seat += sc->vcpus;
        n++;
    }
    for (uint32_t i = 0; i < h->n_threads; i++)
        vms[n++] = (struct sched_vm_cfg){.weight = SCHED_WEIGHT_DEFAULT,
                                         .first_vcpu = h->seats ? i : h->n_vcpus + i,
                                         .n_vcpus = 1,
                                         .pins = m->threads[h->first_thread + i].kind == THREAD_LOAD
                                                     ? pins + (size_t)i * ((h->n_pcpus + 63) / 64)
                                                     : NULL};
    h->pins = pins;
    h->n_seats = h->seats ? seat - h->n_threads : h->n_vcpus;
    struct sched_cfg cfg = {
        .cls = sched_class_find(h->sc->scheduler),
        .n_pcpus = h->n_pcpus,
        .n_vcpus = h->n_seats + h->n_threads,
        .n_vms = n,
        .vms = vms,
        .slice_ns = h->sc->slice_ns,
        .tick_ns = h->sc->tick_ns,
        .balance_every_ns = h->sc->balance_every_ns,
        .balance_idle = h->sc->balance_idle,
        .credit_debit_tick = h->sc->credit_debit_tick,
        .threads_per_core = h->sc->threads_per_core,
        .fixed_slots = h->sc->fixed_slots,
    };
    if (h->seats) {
        cfg.room_vcpus = seats(m);
        cfg.room_vms = m->sc->n_vms + h->n_threads;
        cfg.room_cosched = cosched;
    }
    size_t size = sched_size(&cfg);
    ASSERT(size > 0); /* the reader has checked all that cfg is made of */
    h->sched = sched_init(alloc_array(1, (size + 15) & ~(size_t)15), &cfg);
    free(vms);
}

static void build_host(struct model *m, uint32_t i, uint32_t *next_pcpu, uint32_t *next_vcpu,
                       uint32_t *next_thread, uint32_t only_vm)
{
    struct mhost *h = &m->hosts[i];
    const struct sc_host *sc = &m->sc->hosts[i];
    h->sc = sc;
    h->index = i;
    h->first_pcpu = *next_pcpu;
    h->n_pcpus = sc->cores;
    h->first_vcpu = *next_vcpu;
    h->speed_ppm = sc->speed_ppm;
    h->tick_ns = sc->tick_ns;
    h->kick_ns = strcmp(sc->scheduler, "eevdf") == 0 ? 0 : sc->measured.kick_ns; /* the kernel sends none */
    h->switch_ns = sc->switch_ns;
    h->cache_lines = sc->cache_bytes / 64;
    h->line_ns = sc->cache_line_ns;
    h->tick_at = SCHED_FOREVER;
    h->smt = sc->threads_per_core > 1;
    if (m->sc->moves && only_vm == MODEL_ALL) h->seats = alloc_array(seats(m), sizeof(struct vcpu *));
    for (uint32_t p = 0; p < h->n_pcpus; p++)
        m->pcpus[h->first_pcpu + p] = (struct pcpu){.host = h,
                                                    .index = h->first_pcpu + p,
                                                    .num = (uint16_t)p,
                                                    .smt = h->smt,
                                                    .rate_num = 1,
                                                    .rate_den = 1};
    for (uint32_t v = 0; v < m->sc->n_vms; v++) {
        if (m->sc->vms[v].host != i || !wanted(only_vm, v)) continue;
        build_vm(m, v, *next_vcpu);
        *next_vcpu += m->sc->vms[v].vcpus;
    }
    h->n_vcpus = *next_vcpu - h->first_vcpu;
    h->first_thread = *next_thread;
    if (h->n_vcpus || h->seats)
        thread_build(m, h); /* else nobody is there whom they could serve, or hinder */
    *next_vcpu += h->n_threads;
    *next_thread += h->n_threads;
    h->cap_woken = h->n_vcpus + h->n_threads;
    h->woken = alloc_array(h->cap_woken, sizeof *h->woken);
    *next_pcpu += h->n_pcpus;
    if (h->n_vcpus || h->seats) build_sched(m, h, only_vm);
}

struct model *model_new(const struct scenario *sc, uint64_t seed, uint32_t only_vm, struct rec_block *out)
{
    struct model *m = alloc_array(1, sizeof *m);
    m->sc = sc;
    m->out = out;
    m->seed = seed;
    m->only_vm = only_vm;
    m->sim = sim_new();
    m->ev_pcpu = sim_on(m->sim, "pcpu", cpu_on_pcpu, m);
    m->ev_vm = sim_on(m->sim, "vm", guest_on_timer, m);
    m->ev_tick = sim_on(m->sim, "tick", cpu_on_tick, m);
    m->ev_kill = sim_on(m->sim, "kill", guest_on_kill, m);
    m->ev_load = sim_on(m->sim, "host load", thread_on_load, m);
    m->ev_event = sim_on(m->sim, "event", event_on, m);
    m->ev_heal = sim_on(m->sim, "repair", fail_on_end, m);
    m->ev_fail = sim_on(m->sim, "failure", fail_on_host, m);
    m->ev_cloud = sim_on(m->sim, "manager", cloud_on_event, m);
    m->ev_migrate = sim_on(m->sim, "migration", migrate_on, m);
    book_init(m);
    m->ev_end = sim_on(m->sim, "end", on_end, m);
    sim_on_stuck(m->sim, who_is_stuck, m);
    /* The run covers [0, end): this event is the first of its instant, being early and set before all others.
     */
    sim_at(m->sim, sc->run.duration_ns, EVQ_EARLY, m->ev_end, 0);
    for (uint32_t i = 0; i < sc->n_hosts; i++) {
        m->n_pcpus += sc->hosts[i].cores;
        m->n_threads += thread_count(sc, i);
    }
    m->n_vcpus = m->n_threads;
    for (uint32_t i = 0; i < sc->n_vms; i++)
        if (wanted(only_vm, i)) m->n_vcpus += sc->vms[i].vcpus;
    m->hosts = alloc_array(sc->n_hosts, sizeof *m->hosts);
    m->pcpus = alloc_array(m->n_pcpus, sizeof *m->pcpus);
    m->vcpus = alloc_array(m->n_vcpus, sizeof *m->vcpus);
    m->vms = alloc_array(sc->n_vms, sizeof *m->vms);
    m->threads = alloc_array(m->n_threads, sizeof *m->threads);
    m->dev_books = alloc_array(scenario_n_devs(sc), sizeof *m->dev_books);
    for (uint32_t i = 0; i < scenario_n_devs(sc); i++)
        book_open(m, &m->dev_books[i], i, UINT32_MAX, true);
    uint32_t next_pcpu = 0, next_vcpu = 0, next_thread = 0;
    for (uint32_t i = 0; i < sc->n_hosts; i++)
        build_host(m, i, &next_pcpu, &next_vcpu, &next_thread, only_vm);
    m->n_vcpus = next_vcpu; /* without the threads of hosts that have no VM */
    m->n_threads = next_thread;
    mem_init(m);
    disk_init(m);
    net_init(m);
    host_begin(m);
    cloud_init(m);
    fail_init(m);
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        struct vm *vm = &m->vms[i];
        if (!vm->sc || sc->vms[i].there >= SC_BY_CLONE) continue;
        timers_set(&vm->timers, sc->vms[i].start_ns, TIMER_START, 0);
        guest_arm(m, vm);
    }
    event_init(m);
    return m;
}

void model_free(struct model *m)
{
    if (!m) return;
    for (uint32_t i = 0; i < m->sc->n_hosts; i++) {
        free(m->hosts[i].sched);
        free(m->hosts[i].woken);
        free(m->hosts[i].pins);
        free(m->hosts[i].seats);
    }
    migrate_done(m);
    cloud_done(m);
    fail_done(m);
    net_done(m);
    disk_done(m);
    mem_done(m);
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        lock_done(&m->vms[i]);
        free(m->vms[i].book);
        free(m->vms[i].tasks);
        free(m->vms[i].ring);
        free(m->vms[i].cycles);
        timers_done(&m->vms[i].timers);
    }
    thread_done(m);
    book_done(m);
    free(m->dev_books);
    sim_free(m->sim);
    free(m->hosts);
    free(m->pcpus);
    free(m->vcpus);
    free(m->vms);
    free(m);
}

struct sim *model_sim(struct model *m)
{
    return m->sim;
}

uint64_t model_checksum(const struct model *m, uint32_t vm)
{
    return m->vms[vm].checksum;
}

/* The time a VM's tasks account for is the time its vCPUs ran, to the nanosecond. */
static int check_work(const struct model *m, char **why)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct vm *vm = &m->vms[i];
        int64_t ran = 0;
        for (uint32_t k = 0; vm->sc && k < vm->n_vcpus; k++)
            ran += m->vcpus[vm->first_vcpu + k].run_ns - m->vcpus[vm->first_vcpu + k].lost_ns;
        if (ran == vm->charged_ns) continue;
        ASSUME(vm->sc); /* or nothing ran and nothing was charged */
        if (asprintf(why, "vm.%s: its vCPUs ran %" PRId64 " ns, its tasks account for %" PRId64 " ns",
                     vm->sc->name, ran, vm->charged_ns) < 0)
            *why = NULL;
        return -1;
    }
    return 0;
}

int model_run(struct model *m, char **why)
{
    enum sim_end end = sim_run(m->sim, m->sc->run.duration_ns);
    if (end == SIM_STALLED) {
        *why = sim_stall_report(m->sim);
        return -1;
    }
    if (host_check(m, why) != 0)
        return -1; /* as events left it: what is charged at the end may bring wishes */
    book_close(m);
    cpu_close(m);
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        if (m->vms[i].sc) work_close(m, &m->vms[i]);
    rec_block_flush(m->out);
    if (net_check(m, why) != 0 || mem_check(m, why) != 0) return -1;
    return check_work(m, why) ? -1 : disk_check(m, why);
}
