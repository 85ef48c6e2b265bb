// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/cpu.h"

#include "model/guest.h"
#include "model/warmth.h"

static int64_t add_sat(int64_t a, int64_t b)
{
    int64_t r;
    return __builtin_add_overflow(a, b, &r) ? INT64_MAX : r;
}

void cpu_set_state(struct model *m, struct vcpu *v, enum vcpu_state to, uint32_t pcpu)
{
    int64_t now = sim_now(m->sim), spent = now - v->since_ns;
    ASSERT(spent >= 0);
    struct rec *r = rec_next(m->out);
    *r = v->proto;
    r->t_ns = now;
    r->value = spent;
    r->pcpu = pcpu == NONE ? REC_NONE : m->pcpus[pcpu].num;
    r->from = v->state;
    r->to = (uint8_t)to;
    if (v->state == VCPU_RUN) v->run_ns += spent;
    v->state = (uint8_t)to;
    v->since_ns = now;
}

/* A record of what a pCPU did without a vCPU running: idling or switching, up to now. */
static void tell_pcpu(struct model *m, uint32_t p, enum rec_kind kind)
{
    struct pcpu *c = &m->pcpus[p];
    int64_t now = sim_now(m->sim);
    if (now == c->since_ns) return;
    bool of_vcpu = kind == REC_SWITCH;
    *rec_next(m->out) = (struct rec){
        .t_ns = now,
        .value = now - c->since_ns,
        .host = c->host,
        .vm = of_vcpu ? m->vcpus[c->vcpu].vm : UINT32_MAX,
        .vcpu = of_vcpu ? m->vcpus[c->vcpu].num : REC_NONE,
        .pcpu = c->num,
        .kind = (uint8_t)kind,
    };
}

static void tell_event(struct model *m, const struct vcpu *v, enum rec_event what, int64_t value)
{
    if (!rec_wants(m->out, REC_EVENT)) return;
    *rec_next(m->out) = (struct rec){
        .t_ns = sim_now(m->sim),
        .value = value,
        .host = v->host,
        .vm = v->vm,
        .vcpu = v->num,
        .pcpu = v->last_pcpu == NONE ? REC_NONE : m->pcpus[v->last_pcpu].num,
        .kind = REC_EVENT,
        .cause = (uint8_t)what,
    };
}

static void unplan(struct model *m, struct pcpu *c)
{
    if (c->event) sim_cancel(m->sim, c->event);
    c->event = 0;
}

/* The running vCPU's next stop: the end of its slice or of what it does, whichever is first. */
static void plan(struct model *m, uint32_t p)
{
    struct pcpu *c = &m->pcpus[p];
    int64_t end = add_sat(sim_now(m->sim), m->vcpus[c->vcpu].burst_ns);
    if (c->slice_end < end) end = c->slice_end;
    c->event = end == INT64_MAX ? 0 : sim_at(m->sim, end, EVQ_NORMAL, m->ev_pcpu, p);
}

static void start_run(struct model *m, uint32_t p)
{
    struct pcpu *c = &m->pcpus[p];
    struct mhost *h = &m->hosts[c->host];
    struct vcpu *v = &m->vcpus[c->vcpu];
    int64_t now = sim_now(m->sim);
    c->mode = PCPU_RUN;
    c->run_from = now;
    c->slice_end = add_sat(now, c->slice_run);
    if (h->tick_ns && c->slice_end != INT64_MAX) {
        int64_t rest = c->slice_end % h->tick_ns;
        if (rest) c->slice_end = add_sat(c->slice_end, h->tick_ns - rest);
    }
    cpu_set_state(m, v, VCPU_RUN, p);
    plan(m, p);
}

/* Charges the running vCPU for what it has had since the last time. */
static void charge(struct model *m, struct pcpu *c)
{
    if (c->mode != PCPU_RUN) return;
    int64_t now = sim_now(m->sim), ran = now - c->run_from;
    if (ran == 0) return;
    const struct mhost *h = &m->hosts[c->host];
    struct vcpu *v = &m->vcpus[c->vcpu];
    v->burst_ns -= ran;
    ASSERT(v->burst_ns >= 0);
    c->run_from = now;
    sched_charge(h->sched, c->vcpu - h->first_vcpu, ran, now);
}

static enum vcpu_state waiting_state(const struct model *m, const struct vcpu *v)
{
    const struct mhost *h = &m->hosts[v->host];
    switch (sched_where(h->sched, (uint32_t)(v - m->vcpus) - h->first_vcpu)) {
    case SCHED_BLOCKED: return VCPU_IDLE;
    case SCHED_THROTTLED: return VCPU_THROTTLED;
    case SCHED_QUEUED:
    case SCHED_RUNNING: break;
    }
    return VCPU_READY;
}

/* Enters whatever waiting the scheduler holds it in, if that is news. */
static void settle_waiting(struct model *m, struct vcpu *v)
{
    enum vcpu_state to = waiting_state(m, v);
    if (to == (enum vcpu_state)v->state) return;
    cpu_set_state(m, v, to, v->last_pcpu);
    if (to == VCPU_THROTTLED) tell_event(m, v, REC_EV_THROTTLE, 0);
}

/* Takes the vCPU off, whatever of switching or running it was at. */
static void leave(struct model *m, uint32_t p)
{
    struct pcpu *c = &m->pcpus[p];
    struct mhost *h = &m->hosts[c->host];
    struct vcpu *v = &m->vcpus[c->vcpu];
    if (c->mode == PCPU_SWITCH) {
        int64_t refilling = sim_now(m->sim) - c->since_ns - h->switch_ns;
        tell_pcpu(m, p, REC_SWITCH);
        warmth_refilled(h, c, v, refilling > 0 ? refilling : 0);
    }
    warmth_leave(c, v);
    settle_waiting(m, v);
    v->pcpu = NONE;
    c->vcpu = NONE;
}

static void come(struct model *m, uint32_t p, uint32_t vi, int64_t run_ns)
{
    struct pcpu *c = &m->pcpus[p];
    struct mhost *h = &m->hosts[c->host];
    struct vcpu *v = &m->vcpus[vi];
    ASSERT(v->pcpu == NONE);
    if (c->mode == PCPU_IDLE) tell_pcpu(m, p, REC_IDLE);
    bool same = c->last_vcpu == vi;
    if (v->last_pcpu != p) {
        uint32_t from = v->last_pcpu;
        v->last_pcpu = p;
        if (from != NONE) tell_event(m, v, REC_EV_MIGRATE, m->pcpus[from].num);
        warmth_cold(c, v);
    }
    c->vcpu = c->last_vcpu = vi;
    c->slice_run = run_ns;
    v->pcpu = p;
    int64_t cost = same ? 0 : h->switch_ns + warmth_refill_ns(h, c, v);
    if (cost == 0) {
        warmth_refilled(h, c, v, INT64_MAX);
        start_run(m, p);
        return;
    }
    if (v->state != VCPU_READY) cpu_set_state(m, v, VCPU_READY, p);
    c->mode = PCPU_SWITCH;
    c->since_ns = sim_now(m->sim);
    c->event = sim_at(m->sim, c->since_ns + cost, EVQ_NORMAL, m->ev_pcpu, p);
}

/* Asks the policy who is next on p. Whoever is on it has been charged and has no event. */
static void dispatch(struct model *m, uint32_t p)
{
    struct pcpu *c = &m->pcpus[p];
    struct mhost *h = &m->hosts[c->host];
    struct sched_pick next = sched_pick(h->sched, p - h->first_pcpu, sim_now(m->sim));
    uint32_t vi = next.vcpu == SCHED_NONE ? NONE : next.vcpu + h->first_vcpu;
    if (vi != NONE) ASSERT(next.run_ns > 0);
    if (vi != NONE && vi == c->vcpu) { /* it goes on */
        c->slice_run = next.run_ns;
        if (c->mode == PCPU_SWITCH) return; /* its event still stands */
        c->slice_end = add_sat(sim_now(m->sim), next.run_ns);
        if (h->tick_ns && c->slice_end != INT64_MAX && c->slice_end % h->tick_ns)
            c->slice_end = add_sat(c->slice_end, h->tick_ns - c->slice_end % h->tick_ns);
        plan(m, p);
        return;
    }
    bool was_idle = c->vcpu == NONE;
    if (!was_idle) {
        unplan(m, c); /* of a switch that will not be finished */
        leave(m, p);
    }
    if (vi != NONE) {
        if (!was_idle) c->mode = PCPU_RUN; /* no idle time in between */
        come(m, p, vi, next.run_ns);
    } else if (!was_idle) {
        c->mode = PCPU_IDLE;
        c->since_ns = sim_now(m->sim);
    }
}

/* Brings a pCPU up to date: what its vCPU did, whether it has more to do, who is next. */
static void resume(struct model *m, uint32_t p, bool pick)
{
    struct pcpu *c = &m->pcpus[p];
    if (c->vcpu == NONE) {
        if (pick) dispatch(m, p);
        return;
    }
    struct mhost *h = &m->hosts[c->host];
    struct vcpu *v = &m->vcpus[c->vcpu];
    if (c->mode == PCPU_RUN) unplan(m, c);
    charge(m, c);
    bool has = v->burst_ns > 0 || guest_proceed(m, v);
    if (!has) sched_block(h->sched, c->vcpu - h->first_vcpu, sim_now(m->sim));
    if (pick || !has || (c->mode == PCPU_RUN && sim_now(m->sim) >= c->slice_end))
        dispatch(m, p);
    else if (c->mode == PCPU_RUN)
        plan(m, p);
}

static void arm_tick(struct model *m, uint32_t host)
{
    struct mhost *h = &m->hosts[host];
    int64_t at = sched_next_tick(h->sched);
    if (at == h->tick_at) return;
    if (h->tick_event) sim_cancel(m->sim, h->tick_event);
    h->tick_at = at;
    /* Before the pCPUs' events of that time: quotas are refilled and queues balanced first. */
    h->tick_event = at == SCHED_FOREVER ? 0 : sim_at(m->sim, at, EVQ_EARLY, m->ev_tick, host);
}

void cpu_settle(struct model *m, uint32_t host)
{
    struct mhost *h = &m->hosts[host];
    for (;;) {
        uint32_t x = sched_take_resched(h->sched);
        if (x == SCHED_NONE) break;
        resume(m, h->first_pcpu + x, true);
    }
    for (uint32_t x; (x = sched_take_changed(h->sched)) != SCHED_NONE;) {
        struct vcpu *v = &m->vcpus[h->first_vcpu + x];
        if (v->pcpu == NONE) settle_waiting(m, v);
    }
    for (uint32_t i = 0; i < h->n_woken; i++) {
        struct vcpu *v = &m->vcpus[h->woken[i]];
        v->woken = false;
        if (v->pcpu == NONE) settle_waiting(m, v);
    }
    h->n_woken = 0;
    arm_tick(m, host);
}

void cpu_on_pcpu(void *model, uint32_t p)
{
    struct model *m = model;
    struct pcpu *c = &m->pcpus[p];
    c->event = 0;
    if (c->mode == PCPU_SWITCH) {
        struct mhost *h = &m->hosts[c->host];
        tell_pcpu(m, p, REC_SWITCH);
        warmth_refilled(h, c, &m->vcpus[c->vcpu], INT64_MAX);
        sched_started(h->sched, p - h->first_pcpu, sim_now(m->sim));
        start_run(m, p);
        return;
    }
    uint32_t host = c->host;
    resume(m, p, false);
    cpu_settle(m, host);
}

void cpu_on_tick(void *model, uint32_t host)
{
    struct model *m = model;
    struct mhost *h = &m->hosts[host];
    h->tick_event = 0;
    h->tick_at = SCHED_FOREVER;
    /* Quotas and shares are judged on what was run up to now. */
    for (uint32_t p = h->first_pcpu; p < h->first_pcpu + h->n_pcpus; p++) {
        struct pcpu *c = &m->pcpus[p];
        if (c->mode == PCPU_RUN && c->run_from != sim_now(m->sim)) charge(m, c);
    }
    sched_tick(h->sched, sim_now(m->sim));
    cpu_settle(m, host);
}

void cpu_power_on(struct model *m, uint32_t vi)
{
    struct vcpu *v = &m->vcpus[vi];
    struct mhost *h = &m->hosts[v->host];
    if (v->woken) return;
    v->woken = true;
    h->woken[h->n_woken++] = vi;
}

void cpu_wake(struct model *m, uint32_t vi)
{
    struct mhost *h = &m->hosts[m->vcpus[vi].host];
    sched_wake(h->sched, vi - h->first_vcpu, sim_now(m->sim));
    cpu_power_on(m, vi);
}

void cpu_step_over(struct model *m, uint32_t vi)
{
    struct vcpu *v = &m->vcpus[vi];
    struct mhost *h = &m->hosts[v->host];
    if (v->pcpu != NONE) charge(m, &m->pcpus[v->pcpu]);
    guest_settle(m, v);
    m->vms[v->vm].tasks[v->task].left_ns = 0;
    v->burst_ns = v->granted_ns = 0;
    if (v->pcpu != NONE) {
        resume(m, v->pcpu, false);
    } else if (!guest_proceed(m, v)) {
        sched_block(h->sched, vi - h->first_vcpu, sim_now(m->sim));
        settle_waiting(m, v);
    }
}

void cpu_close(struct model *m)
{
    for (uint32_t p = 0; p < m->n_pcpus; p++) {
        struct pcpu *c = &m->pcpus[p];
        charge(m, c);
        if (c->mode == PCPU_IDLE) tell_pcpu(m, p, REC_IDLE);
        if (c->mode == PCPU_SWITCH) tell_pcpu(m, p, REC_SWITCH);
    }
    for (uint32_t i = 0; i < m->n_vcpus; i++) {
        struct vcpu *v = &m->vcpus[i];
        cpu_set_state(m, v, (enum vcpu_state)v->state, v->last_pcpu);
        if (v->task != NONE) guest_settle(m, v);
    }
}
