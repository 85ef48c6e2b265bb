// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/cpu.h"

#include "model/guest.h"
#include "model/mem.h"
#include "model/smt.h"
#include "model/warmth.h"

static int64_t add_sat(int64_t a, int64_t b)
{
    int64_t r;
    return __builtin_add_overflow(a, b, &r) ? INT64_MAX : r;
}

/* --- records --- */

/* Enters a state, leaving a record of the one left. */
static inline void enter(struct model *m, struct vcpu *v, enum vcpu_state to)
{
    int64_t now = sim_now(m->sim);
    struct rec *r = rec_next(m->out);
    *r = v->proto;
    r->t_ns = now;
    r->value = now - v->since_ns;
    r->to = (uint8_t)to;
    v->proto.from = (uint8_t)to;
    v->since_ns = now;
}

/* A record of what a pCPU did without a vCPU running: idling or switching, up to now. */
static void tell_pcpu(struct model *m, struct pcpu *c, enum rec_kind kind)
{
    int64_t now = sim_now(m->sim);
    if (now == c->since_ns) return;
    bool of_vcpu = kind == REC_SWITCH;
    if (!of_vcpu) c->idle_ns += now - c->since_ns;
    *rec_next(m->out) = (struct rec){
        .t_ns = now,
        .value = now - c->since_ns,
        .host = c->host->index,
        .vm = of_vcpu ? c->on->proto.vm : UINT32_MAX,
        .vcpu = of_vcpu ? c->on->proto.vcpu : REC_NONE,
        .pcpu = c->num,
        .kind = (uint8_t)kind,
    };
}

static void tell_event(struct model *m, const struct vcpu *v, enum rec_event what, int64_t value)
{
    if (!rec_wants(m->out, REC_EVENT) || !v->vm) return;
    struct rec *r = rec_next(m->out);
    *r = v->proto;
    r->t_ns = sim_now(m->sim);
    r->value = value;
    r->kind = REC_EVENT;
    r->cause = (uint8_t)what;
}

/* --- a vCPU comes, runs, leaves --- */

static inline void set_event(struct model *m, struct pcpu *c, int64_t at_ns)
{
    c->event_at = at_ns;
    c->event = at_ns == INT64_MAX ? 0 : sim_at(m->sim, at_ns, c->prio, m->ev_pcpu, c->index);
}

static void unplan(struct model *m, struct pcpu *c)
{
    if (c->event) sim_cancel(m->sim, c->event);
    c->event = 0;
}

/* The running vCPU's next stop: the end of its slice or of what it does, whichever is first. A branch, not a
 * choice of values: when the end of the slice is guessed right, the queue need not wait for the vCPU to be
 * looked up, and that is half of what a slice costs. */
static inline void plan(struct model *m, struct pcpu *c)
{
    int64_t end = c->slice_end;
    if (__builtin_expect(c->smt, 0)) {
        set_event(m, c, smt_end_ns(c, sim_now(m->sim)));
        return;
    }
    if (__builtin_expect(c->on->burst_ns < end - sim_now(m->sim), 0)) {
        end = sim_now(m->sim) + c->on->burst_ns;
        __asm__ volatile("" : "+r"(end));
    }
    set_event(m, c, end);
}

/* A slice granted from now on; where the host has a tick, slices end on it, and where who runs has to be
 * kicked, by so much later. */
static inline void set_slice(struct model *m, struct pcpu *c, int64_t run_ns)
{
    int64_t end = add_sat(sim_now(m->sim), run_ns), tick = c->host->tick_ns;
    if (tick && end != INT64_MAX && end % tick) end = add_sat(end, tick - end % tick);
    c->slice_end = add_sat(end, c->host->kick_ns);
}

static inline void start_run(struct model *m, struct pcpu *c, int64_t run_ns)
{
    c->mode = PCPU_RUN;
    c->run_from = sim_now(m->sim);
    set_slice(m, c, run_ns);
    enter(m, c->on, VCPU_RUN);
    plan(m, c);
}

/* A stretch of run time that is overhead, or on a hardware thread. */
static __attribute__((noinline)) void charge_odd(struct model *m, struct pcpu *c, int64_t ran)
{
    struct vcpu *v = c->on;
    int64_t work = c->smt ? smt_work_ns(c, ran) : ran;
    v->burst_ns -= work;
    v->lost_ns += ran - work;
    if (!v->overhead || !v->vm) return;
    struct rec *r = rec_next(m->out);
    *r = v->proto;
    r->t_ns = sim_now(m->sim);
    r->value = ran;
    r->kind = REC_OVERHEAD;
}

/* Books what the running vCPU has had since the last time. The scheduler is not told: it decides alike
 * however often a task's steps, or anybody's curiosity, cut a turn into pieces. */
static inline void account(struct model *m, struct pcpu *c)
{
    int64_t now = sim_now(m->sim), ran = now - c->run_from;
    if (c->mode != PCPU_RUN || ran == 0) return;
    c->run_from = now;
    c->untold_ns += ran;
    struct vcpu *v = c->on;
    if (c->smt | v->overhead)
        charge_odd(m, c, ran);
    else
        v->burst_ns -= ran;
    ASSERT(v->burst_ns >= 0);
}

/* Before the scheduler decides about the running vCPU: charges it for all it has had. */
static inline void charge(struct model *m, struct pcpu *c)
{
    account(m, c);
    if (c->untold_ns == 0) return;
    sched_charge(c->host->sched, c->on->in_sched, c->untold_ns, sim_now(m->sim));
    c->untold_ns = 0;
}

/* Who sits on a seat of the host's scheduler. */
static inline struct vcpu *seated(struct model *m, const struct mhost *h, uint32_t seat)
{
    return __builtin_expect(h->seats != NULL, 0) ? h->seats[seat] : &m->vcpus[h->first_vcpu + seat];
}

/* Enters whatever waiting the scheduler holds it in, if that is news. */
static void settle_waiting(struct model *m, struct vcpu *v)
{
    static const uint8_t waits[] = {
        [SCHED_QUEUED] = VCPU_READY,
        [SCHED_RUNNING] = VCPU_READY,
        [SCHED_THROTTLED] = VCPU_THROTTLED,
        [SCHED_COSTOPPED] = VCPU_COSTOP,
    };
    enum sched_where where = v->in_sched == NONE ? SCHED_BLOCKED : sched_where(v->host->sched, v->in_sched);
    enum vcpu_state to = where == SCHED_BLOCKED ? guest_waits_as(v) : (enum vcpu_state)waits[where];
    if (to == state_of(v)) return;
    enter(m, v, to);
    if (to == VCPU_THROTTLED) tell_event(m, v, REC_EV_THROTTLE, 0);
}

/* Takes the vCPU off, whatever of switching or running it was at; it has nothing to do where it blocked. */
static inline void leave(struct model *m, struct pcpu *c, bool blocked)
{
    struct vcpu *v = c->on;
    if (c->mode == PCPU_RUN) {
        if (c->prio != EVQ_NORMAL && v->vm && v->vm->mem && v->task < TASK_BOOT) mem_leaves(m, v);
        v->run_ns += sim_now(m->sim) - v->since_ns;
    } else {
        int64_t refilling = sim_now(m->sim) - c->since_ns - c->host->switch_ns;
        tell_pcpu(m, c, REC_SWITCH);
        if (c->host->cache_lines) warmth_refilled(c, v, refilling > 0 ? refilling : 0);
    }
    if (c->host->cache_lines) warmth_leave(c, v);
    if (blocked)
        enter(m, v, guest_waits_as(v));
    else if (c->mode == PCPU_RUN && !c->host->limits)
        enter(m, v, VCPU_READY);
    else
        settle_waiting(m, v);
    v->at = NULL;
    c->on = NULL;
}

static void first_time_here(struct model *m, struct pcpu *c, struct vcpu *v)
{
    const struct pcpu *from = v->last;
    v->last = c;
    v->proto.pcpu = c->num;
    if (from) tell_event(m, v, REC_EV_MIGRATE, from->num);
    warmth_cold(c, v);
}

static inline void come(struct model *m, struct pcpu *c, struct vcpu *v, int64_t run_ns)
{
    ASSERT(!v->at);
    if (v->last != c) first_time_here(m, c, v);
    bool same = c->last == v;
    c->on = c->last = v;
    v->at = c;
    int64_t cost = same ? 0 : c->host->switch_ns;
    if (c->host->cache_lines && !same) cost += warmth_refill_ns(c, v);
    if (cost == 0) {
        start_run(m, c, run_ns);
        return;
    }
    if (state_of(v) != VCPU_READY) enter(m, v, VCPU_READY);
    c->mode = PCPU_SWITCH;
    c->slice_run = run_ns;
    c->since_ns = sim_now(m->sim);
    set_event(m, c, c->since_ns + cost);
}

/* Puts on who the policy says is next. Whoever is on the pCPU has no event if it ran. */
static inline void put_on(struct model *m, struct pcpu *c, struct sched_pick next, bool blocked)
{
    const struct mhost *h = c->host;
    struct vcpu *v = next.vcpu == SCHED_NONE ? NULL : seated(m, h, next.vcpu);
    if (v) ASSERT(next.run_ns > 0);
    if (v && v == c->on) { /* it goes on */
        c->slice_run = next.run_ns;
        if (c->mode == PCPU_SWITCH) return; /* its event still stands */
        set_slice(m, c, next.run_ns);
        plan(m, c);
        return;
    }
    if (c->on) {
        if (c->event) unplan(m, c); /* of a switch that will not be finished */
        leave(m, c, blocked);
        c->mode = PCPU_IDLE;
        c->since_ns = sim_now(m->sim);
    }
    if (!v) return;
    tell_pcpu(m, c, REC_IDLE); /* of no length, where another left just now: none */
    come(m, c, v, next.run_ns);
}

/* Asks the policy who is next. Whoever is on the pCPU has been charged. */
static void dispatch(struct model *m, struct pcpu *c, bool blocked)
{
    put_on(m, c, sched_pick(c->host->sched, c->num, sim_now(m->sim)), blocked);
}

/* The slice is over and nothing else is. */
static inline void turn(struct model *m, struct pcpu *c, int64_t ran)
{
    c->on->burst_ns -= ran;
    c->run_from += ran;
    ran += c->untold_ns;
    c->untold_ns = 0;
    put_on(m, c, sched_turn(c->host->sched, c->num, ran, c->run_from), false);
}

/* Brings a pCPU up to date: what its vCPU did, whether it has more to do, who is next. */
static inline void resume(struct model *m, struct pcpu *c, bool pick)
{
    if (!c->on) {
        if (pick) dispatch(m, c, false);
        return;
    }
    if (c->mode == PCPU_RUN && c->event) unplan(m, c);
    account(m, c);
    bool has = c->on->burst_ns > 0 || guest_proceed(m, c->on);
    if (pick || !has || (c->mode == PCPU_RUN && sim_now(m->sim) >= c->slice_end)) {
        charge(m, c);
        if (!has) sched_block(c->host->sched, c->on->in_sched, sim_now(m->sim));
        dispatch(m, c, !has);
    } else if (c->mode == PCPU_RUN) {
        plan(m, c);
    }
}

/* --- the scheduler's wishes --- */

static void arm_tick(struct model *m, struct mhost *h, int64_t at)
{
    if (h->tick_event) sim_cancel(m->sim, h->tick_event);
    h->tick_at = at;
    /* Before the pCPUs' events of that time: quotas are refilled and queues balanced first. */
    h->tick_event = at == SCHED_FOREVER ? 0 : sim_at(m->sim, at, EVQ_EARLY, m->ev_tick, h->index);
}

/* There are wishes, or somebody woke. */
__attribute__((noinline)) static int64_t settle_wishes(struct model *m, struct mhost *h)
{
    struct sched *s = h->sched;
    for (uint32_t x; (x = sched_take_resched(s)) != SCHED_NONE;)
        resume(m, &m->pcpus[h->first_pcpu + x], true);
    for (uint32_t x; (x = sched_take_changed(s)) != SCHED_NONE;) {
        struct vcpu *v = seated(m, h, x);
        if (!v->at) settle_waiting(m, v);
    }
    for (uint32_t i = 0; i < h->n_woken; i++) {
        struct vcpu *v = h->woken[i];
        v->woken = false;
        if (!v->at) settle_waiting(m, v);
    }
    h->n_woken = 0;
    return sched_next_tick(s);
}

static inline void settle(struct model *m, struct mhost *h)
{
    int64_t at = sched_poll(h->sched);
    if (at < 0 || h->n_woken) at = settle_wishes(m, h);
    if (at != h->tick_at) arm_tick(m, h, at);
    if (h->smt) smt_settle(m, h);
}

void cpu_settle(struct model *m, struct mhost *h)
{
    settle(m, h);
}

/* Where memory is modelled, events of one ns are in the order of pCPUs, and after all others of that ns: so
 * it does not matter who of them was planned last, which hangs on how many references a stretch has. A lower
 * pCPU's that is due now takes this one's turn, which comes again at once. */
static struct pcpu *lowest_due(struct model *m, struct pcpu *c)
{
    for (struct pcpu *low = &m->pcpus[c->host->first_pcpu]; low < c; low++) {
        if (!low->event || low->event_at != sim_now(m->sim)) continue;
        unplan(m, low);
        set_event(m, c, sim_now(m->sim));
        return low;
    }
    return c;
}

void cpu_on_pcpu(void *model, uint32_t p)
{
    struct model *m = model;
    struct pcpu *c = &m->pcpus[p];
    c->event = 0;
    if (c->prio != EVQ_NORMAL) c = lowest_due(m, c);
    if (c->mode == PCPU_SWITCH) {
        tell_pcpu(m, c, REC_SWITCH);
        if (c->host->cache_lines) warmth_refilled(c, c->on, INT64_MAX);
        sched_started(c->host->sched, c->num, sim_now(m->sim));
        start_run(m, c, c->slice_run);
        return;
    }
    int64_t ran = sim_now(m->sim) - c->run_from;
    if (sim_now(m->sim) == c->slice_end && ran > 0 && ran < c->on->burst_ns && !(c->smt | c->on->overhead)) {
        turn(m, c, ran);
        settle(m, c->host);
        return;
    }
    resume(m, c, false);
    settle(m, c->host);
    if (m->books.n_unsettled) book_settle(m);
}

void cpu_on_tick(void *model, uint32_t host)
{
    struct model *m = model;
    struct mhost *h = &m->hosts[host];
    h->tick_event = 0;
    h->tick_at = SCHED_FOREVER;
    /* Quotas and shares are judged on what was run up to now. */
    for (uint32_t p = h->first_pcpu; p < h->first_pcpu + h->n_pcpus; p++)
        charge(m, &m->pcpus[p]);
    sched_tick(h->sched, sim_now(m->sim));
    cpu_settle(m, h);
    book_settle(m);
}

void cpu_look(struct vcpu *v)
{
    if (v->woken) return;
    v->woken = true;
    v->host->woken[v->host->n_woken++] = v;
}

void cpu_wake(struct model *m, struct vcpu *v)
{
    if (v->vm && v->vm->held) return;
    sched_wake(v->host->sched, v->in_sched, sim_now(m->sim));
    cpu_look(v);
}

void cpu_take_off(struct model *m, struct vcpu *v)
{
    if (v->in_sched != NONE && sched_where(v->host->sched, v->in_sched) != SCHED_BLOCKED) {
        struct pcpu *c = v->at;
        if (c && c->mode == PCPU_RUN && c->event) unplan(m, c);
        if (c) charge(m, c);
        if (v->vm) guest_settle(v);
        sched_block(v->host->sched, v->in_sched, sim_now(m->sim));
        if (c) dispatch(m, c, true);
    }
    cpu_look(v);
}

int64_t cpu_uncharged_ns(const struct model *m, const struct vcpu *v)
{
    struct pcpu c;
    if (!v->at || v->at->mode != PCPU_RUN) return 0;
    c = *v->at;
    int64_t ran = sim_now(m->sim) - c.run_from;
    return c.smt ? smt_work_ns(&c, ran) : ran;
}

int64_t cpu_busy_ns(const struct model *m, const struct pcpu *c)
{
    return sim_now(m->sim) - c->idle_ns - (c->mode == PCPU_IDLE ? sim_now(m->sim) - c->since_ns : 0);
}

void cpu_replan(struct model *m, struct vcpu *v)
{
    struct pcpu *c = v->at;
    if (!c || c->mode != PCPU_RUN) return;
    if (c->event) unplan(m, c);
    plan(m, c);
}

void cpu_account(struct model *m, struct vcpu *v)
{
    if (v->at) account(m, v->at);
}

void cpu_step_over(struct model *m, struct vcpu *v)
{
    if (v->at) account(m, v->at);
    guest_settle(v);
    v->vm->tasks[v->task].left_ns = 0;
    v->burst_ns = v->granted_ns = 0;
    if (v->at) {
        resume(m, v->at, false);
    } else if (!guest_proceed(m, v) && !v->vm->held) {
        sched_block(v->host->sched, v->in_sched, sim_now(m->sim));
        settle_waiting(m, v);
    }
}

void cpu_close(struct model *m)
{
    for (uint32_t p = 0; p < m->n_pcpus; p++) {
        struct pcpu *c = &m->pcpus[p];
        charge(m, c);
        if (c->mode == PCPU_IDLE) tell_pcpu(m, c, REC_IDLE);
        if (c->mode == PCPU_SWITCH) tell_pcpu(m, c, REC_SWITCH);
    }
    for (uint32_t i = 0; i < m->n_vcpus; i++) {
        struct vcpu *v = &m->vcpus[i];
        if (state_of(v) == VCPU_RUN) v->run_ns += sim_now(m->sim) - v->since_ns;
        enter(m, v, state_of(v));
        if (v->task != NONE) guest_settle(v);
    }
}
