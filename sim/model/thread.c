// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/thread.h"

#include <stdlib.h>

#include "model/cpu.h"
#include "model/disk.h"
#include "model/host.h"
#include "model/mem.h"
#include "model/net.h"

#define LOAD_EVERY_NS INT64_C(10000000)
/* What the host's own programs could not do for want of a pCPU is kept, but no more than a second of it. */
#define LOAD_BACKLOG 100u

static void nothing(struct model *m, uint64_t arg)
{
    (void)m;
    (void)arg;
}

static void do_job(struct model *m, enum thread_job job, uint64_t arg)
{
    static void (*const handlers[THREAD_NJOBS])(struct model *, uint64_t) = {[JOB_DISK] = disk_job,
                                                                             [JOB_NET_TX] = net_tx_job,
                                                                             [JOB_NET_RX] = net_rx_job,
                                                                             [JOB_SCAN] = mem_scan_job,
                                                                             [JOB_LOAD] = nothing};
    handlers[job](m, arg);
}

/* Whether this host has any use for such a thread; says so before the model is built. */
static bool needed(const struct scenario *sc, uint32_t host, enum thread_kind kind)
{
    const struct sc_host *h = &sc->hosts[host];
    switch (kind) {
    case THREAD_LOAD: return h->type == 2 && h->load_ppm > 0;
    case THREAD_SCAN:
        for (uint32_t i = 0; i < h->memory.n_reclaim; i++)
            if (h->memory.reclaim[i] == SC_SHARE && h->memory.share_cost_ns > 0) return true;
        return false;
    case THREAD_IO:
        if (h->type == 2 && h->modes && h->modes->host_io_ps > 0) return true;
        for (uint32_t i = 0; i < sc->n_nics; i++)
            if (sc->nics[i].host == host && sc->nics[i].packet_cost_ns > 0) return true;
        for (uint32_t i = 0; i < sc->n_networks; i++)
            for (uint32_t k = 0; sc->networks[i].rewrite_ns > 0 && k < sc->networks[i].n_hosts; k++)
                if (sc->networks[i].hosts[k] == host) return true;
        return false;
    case THREAD_NKINDS: break;
    }
    return false;
}

uint32_t thread_count(const struct scenario *sc, uint32_t host)
{
    return (needed(sc, host, THREAD_IO) ? 1u : 0) + (needed(sc, host, THREAD_SCAN) ? 1u : 0) +
           (needed(sc, host, THREAD_LOAD) ? sc->hosts[host].cores : 0);
}

static void build(struct model *m, struct mhost *h, enum thread_kind kind, uint32_t pcpu)
{
    struct thread *t = &m->threads[h->first_thread + h->n_threads];
    uint32_t vi = h->first_vcpu + h->n_vcpus + h->n_threads;
    *t = (struct thread){.kind = (uint8_t)kind, .vcpu = vi, .pcpu = pcpu};
    m->vcpus[vi] = (struct vcpu){
        .proto = {.host = h->index,
                  .vm = UINT32_MAX,
                  .vcpu = (uint16_t)h->n_threads,
                  .pcpu = REC_NONE,
                  .kind = REC_THREAD,
                  .from = VCPU_IDLE},
        .host = h,
        .task = NONE,
        .last_task = NONE,
        .paying = TOLL_NONE,
        .index = vi,
        .in_sched = h->seats ? h->n_threads : vi - h->first_vcpu,
        .thread = h->first_thread + h->n_threads,
    };
    h->n_threads++;
}

void thread_build(struct model *m, struct mhost *h)
{
    for (int kind = 0; kind < THREAD_NKINDS; kind++) {
        if (!needed(m->sc, h->index, (enum thread_kind)kind)) continue;
        for (uint32_t p = 0; p < (kind == THREAD_LOAD ? h->n_pcpus : 1u); p++)
            build(m, h, (enum thread_kind)kind, p);
    }
    if (needed(m->sc, h->index, THREAD_LOAD)) sim_at(m->sim, 0, EVQ_NORMAL, m->ev_load, h->index);
}

void thread_done(struct model *m)
{
    for (uint32_t i = 0; i < m->n_threads; i++)
        free(m->threads[i].jobs);
    free(m->threads);
}

static void push(struct thread *t, struct job j)
{
    if (t->n == t->cap) {
        uint32_t cap = t->cap ? 2 * t->cap : 16;
        struct job *jobs = malloc(cap * sizeof *jobs);
        ASSERT(jobs);
        for (uint32_t i = 0; i < t->n; i++)
            jobs[i] = t->jobs[(t->head + i) & (t->cap - 1)];
        free(t->jobs);
        t->jobs = jobs;
        t->cap = cap;
        t->head = 0;
    }
    t->jobs[(t->head + t->n++) & (t->cap - 1)] = j;
}

static void give(struct model *m, struct thread *t, struct job j)
{
    struct vcpu *v = &m->vcpus[t->vcpu];
    push(t, j);
    if (v->task != NONE) return;
    v->task = 0; /* it has something to do */
    v->burst_ns = v->granted_ns = j.cost_ns;
    cpu_wake(m, v);
}

void thread_give(struct model *m, struct mhost *h, enum thread_kind kind, enum thread_job job,
                 int64_t cost_ns, uint64_t arg)
{
    for (uint32_t i = h->first_thread; cost_ns > 0 && host_up(h) && i < h->first_thread + h->n_threads; i++) {
        if (m->threads[i].kind != kind) continue;
        give(m, &m->threads[i], (struct job){.cost_ns = cost_ns, .arg = arg, .job = (uint8_t)job});
        return;
    }
    do_job(m, job, arg);
}

bool thread_proceed(struct model *m, struct vcpu *v)
{
    struct thread *t = &m->threads[v->thread];
    struct job j = t->jobs[t->head++ & (t->cap - 1)];
    t->n--;
    do_job(m, (enum thread_job)j.job, j.arg);
    if (t->n == 0) {
        v->task = NONE;
        return false;
    }
    v->burst_ns = v->granted_ns = t->jobs[t->head & (t->cap - 1)].cost_ns;
    return true;
}

void thread_flush(struct model *m, struct mhost *h)
{
    for (struct thread *t = m->threads + h->first_thread; t < m->threads + h->first_thread + h->n_threads;
         t++) {
        struct vcpu *v = &m->vcpus[t->vcpu];
        cpu_take_off(m, v);
        v->task = NONE;
        v->burst_ns = v->granted_ns = 0;
        for (; t->n; t->n--) {
            struct job j = t->jobs[t->head++ & (t->cap - 1)];
            do_job(m, (enum thread_job)j.job, j.arg);
        }
    }
}

void thread_on_load(void *model, uint32_t host)
{
    struct model *m = model;
    struct mhost *h = &m->hosts[host];
    int64_t want = LOAD_EVERY_NS / 1000000 * h->sc->load_ppm;
    for (uint32_t i = h->first_thread; host_up(h) && i < h->first_thread + h->n_threads; i++)
        if (m->threads[i].kind == THREAD_LOAD && m->threads[i].n < LOAD_BACKLOG)
            give(m, &m->threads[i], (struct job){.cost_ns = want, .job = JOB_LOAD});
    sim_at(m->sim, sim_now(m->sim) + LOAD_EVERY_NS, EVQ_NORMAL, m->ev_load, host);
    cpu_settle(m, h);
    book_settle(m);
}
