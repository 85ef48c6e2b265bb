// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/dispatch_int.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define FIFO_PRIORITY 10
#define EARLY_NS      2000      /* a time so near is now */
#define LAG_NS        20000     /* first guess of p->lag_ns */
#define LONGEST_NS    100000000 /* a dispatcher looks around at least so often */

int64_t dispatch_now(struct dispatch *d)
{
    int64_t t = host_now() - d->run->zero_abs_ns;
    if (t > d->now_ns) d->now_ns = t;
    return d->now_ns;
}

static enum vcpu_state waiting_state(const struct dispatch *d, uint32_t v)
{
    switch (sched_where(d->sched, v)) {
    case SCHED_THROTTLED: return VCPU_THROTTLED;
    case SCHED_BLOCKED: return d->v[v].fetches ? VCPU_SWAPWAIT : d->v[v].wait_as;
    default: return VCPU_READY;
    }
}

static void set_waiting_state(struct dispatch *d, uint32_t v, int64_t t)
{
    enum vcpu_state st = waiting_state(d, v);
    if (d->v[v].state == st || d->v[v].down) return;
    accounts_state(d, v, st, t);
    if (st == VCPU_THROTTLED) accounts_event(d, v, REC_EV_THROTTLE, t, 0);
}

static bool is_current(const struct dispatch *d, uint32_t v)
{
    for (uint32_t i = 0; i < d->n_pcpus; i++)
        if (d->p[i].cur == v) return true;
    return false;
}

/* After every call of the policy: who is to pick again, whose state changed. */
static void take_over(struct d_pcpu *p, int64_t now)
{
    struct dispatch *d = p->d;
    for (uint32_t q; (q = sched_take_resched(d->sched)) != SCHED_NONE;) {
        d->p[q].need = true;
        if (q != p->index) gate_ring(d, q);
    }
    for (uint32_t v; (v = sched_take_changed(d->sched)) != SCHED_NONE;)
        if (!is_current(d, v)) set_waiting_state(d, v, now);
}

/* A host with a tick ends slices at ticks, as the simulated one does. */
static int64_t slice_end(const struct dispatch *d, int64_t from_ns, int64_t run_ns)
{
    int64_t end, tick = d->run->pc->tick_ns;
    if (__builtin_add_overflow(from_ns, run_ns, &end)) return INT64_MAX;
    if (tick == 0 || end > INT64_MAX - tick) return end;
    return (end + tick - 1) / tick * tick;
}

/* Notes when cur's thread went through its gate. */
static void note_entry(struct d_pcpu *p)
{
    const struct ctl_vcpu *c = run_ctl(p->d->run, p->cur);
    if (p->entered || __atomic_load_n(&c->gate, __ATOMIC_ACQUIRE) == CTL_OPEN) return;
    int64_t t = c->entered_ns - p->d->run->zero_abs_ns;
    if (t < p->opened_ns) t = p->opened_ns;
    if (t > p->d->now_ns) t = p->d->now_ns;
    p->entered = true;
    p->charged_ns = t;
    p->lag_ns += (t - p->opened_ns - p->lag_ns) / 8;
    p->until_ns = slice_end(p->d, t, p->run_ns);
    /* A run that began at the end would have no length, and stand before the one that it followed. */
    if (!p->goes_on && t < p->d->run->end_ns) accounts_entered(p, t);
}

/* What a guest that waits says it waits for. */
static enum vcpu_state wait_as(const struct ctl_vcpu *c)
{
    uint32_t as = __atomic_load_n(&c->waits_as, __ATOMIC_RELAXED);
    return as == VCPU_DISKWAIT || as == VCPU_NETWAIT ? (enum vcpu_state)as : VCPU_IDLE;
}

/* The page that it waits for. */
static bool page_is_there(const struct dispatch *d, uint32_t v)
{
    return !__atomic_load_n(&run_ctl(d->run, v)->fetching, __ATOMIC_ACQUIRE);
}

/* cur has stopped: charges it and says where it is now. It stays cur until another is picked. */
static void settle(struct d_pcpu *p, enum gate_stop how, int64_t now)
{
    struct dispatch *d = p->d;
    uint32_t v = p->cur;
    const struct ctl_vcpu *c = run_ctl(d->run, v);
    if (how != GATE_NEVER_IN) note_entry(p);
    int64_t t = c->changed_ns - d->run->zero_abs_ns;
    bool said = how != GATE_GONE || __atomic_load_n(&c->state, __ATOMIC_ACQUIRE) == CTL_ENDED;
    if (!said || t > now) t = now;
    if (!p->entered) t = p->charged_ns;
    if (t < p->charged_ns) t = p->charged_ns;
    sched_charge(d->sched, v, p->entered ? t - p->charged_ns : 0, now);
    p->charged_ns = t;
    if (how == GATE_WAITING || how == GATE_GONE) {
        sched_block(d->sched, v, now);
        d->v[v].fetches = how == GATE_WAITING && c->deadline_ns == CTL_FETCH;
        d->v[v].wake_ns = how == GATE_GONE      ? INT64_MAX
                          : !d->v[v].fetches    ? c->deadline_ns - d->run->zero_abs_ns
                          : page_is_there(d, v) ? now
                                                : INT64_MAX;
        d->v[v].wait_as = wait_as(c);
    }
    if (how == GATE_GONE) d->v[v].down = true;
    take_over(p, now);
}

/* cur, settled, is not picked again: its run ends where it stopped. */
static void leave(struct d_pcpu *p, enum gate_stop how)
{
    struct dispatch *d = p->d;
    uint32_t v = p->cur;
    bool ran = d->v[v].state == VCPU_RUN;
    enum vcpu_state st = how == GATE_GONE ? VCPU_DOWN : waiting_state(d, v);
    p->cur = SCHED_NONE;
    if (!ran) {
        if (st != d->v[v].state) accounts_state(d, v, st, p->charged_ns);
        return;
    }
    accounts_state(d, v, st, p->charged_ns);
    if (st == VCPU_THROTTLED) accounts_event(d, v, REC_EV_THROTTLE, p->charged_ns, 0);
    p->free_ns = p->switch_ns = d->v[v].since_ns;
}

static void open_for(struct d_pcpu *p, struct sched_pick k, bool goes_on, int64_t now)
{
    p->cur = k.vcpu;
    p->entered = false;
    p->goes_on = goes_on;
    p->run_ns = k.run_ns;
    p->opened_ns = p->charged_ns = now;
    p->until_ns = slice_end(p->d, now + p->lag_ns, k.run_ns);
    gate_open(p, k.vcpu);
    sched_started(p->d->sched, p->index, now);
    take_over(p, now);
}

/* The policy chooses; `how` the vCPU that ran stands, if one did. */
static void pick(struct d_pcpu *p, enum gate_stop how, int64_t now)
{
    uint32_t before = p->cur;
    p->need = false;
    struct sched_pick k = sched_pick(p->d->sched, p->index, now);
    bool same = before != SCHED_NONE && k.vcpu == before && p->d->v[before].state == VCPU_RUN;
    if (before != SCHED_NONE && !same) leave(p, how);
    take_over(p, now);
    if (k.vcpu == SCHED_NONE) return;
    if (before == SCHED_NONE) p->switch_ns = now > p->free_ns ? now : p->free_ns;
    open_for(p, k, same, now);
}

static bool anyone_waits(const struct dispatch *d)
{
    for (uint32_t v = 0; v < d->run->n_vcpus; v++)
        if (sched_where(d->sched, v) == SCHED_QUEUED) return true;
    return false;
}

/* cur's time is up but nobody else could run: the policy gives it more without a kick. */
static bool goes_on_alone(struct d_pcpu *p, int64_t now)
{
    struct dispatch *d = p->d;
    if (!p->entered || p->need || anyone_waits(d) || run_vm_of(d->run, p->cur)->sc->limit_ppm != 0)
        return false;
    sched_charge(d->sched, p->cur, now - p->charged_ns, now);
    p->charged_ns = now;
    struct sched_pick k = sched_pick(d->sched, p->index, now);
    ASSERT(k.vcpu == p->cur); /* it can run and nobody else can */
    p->until_ns = slice_end(d, now, k.run_ns);
    sched_started(d->sched, p->index, now);
    take_over(p, now);
    return !p->need;
}

/* Whose wait this dispatcher ends: of those that ran here last, or never yet. */
static bool is_ours(const struct d_pcpu *p, uint32_t v)
{
    uint32_t at = sched_pcpu(p->d->sched, v);
    return at == p->index || (at >= p->d->n_pcpus && p->index == 0);
}

/* Until when v's guest waits, by what is known now; INT64_MAX: it does not, or another dispatcher sees to it.
 * Whom its I/O thread has woken is whoever's looks first: the bell that rang may be that of a pCPU it left.
 */
static int64_t wait_end(const struct d_pcpu *p, uint32_t v)
{
    const struct dispatch *d = p->d;
    const struct d_vcpu *x = &d->v[v];
    if (x->down || sched_where(d->sched, v) != SCHED_BLOCKED) return INT64_MAX;
    if (x->fetches)
        return page_is_there(d, v) ? (x->wake_ns < d->now_ns ? x->wake_ns : d->now_ns) : INT64_MAX;
    if (x->wake_ns == INT64_MAX) return INT64_MAX;
    const struct ctl_vcpu *c = run_ctl(d->run, v);
    if (x->state != VCPU_DOWN && __atomic_load_n(&c->wake, __ATOMIC_SEQ_CST)) {
        int64_t t = c->woken_ns - d->run->zero_abs_ns;
        if (t > d->now_ns) t = d->now_ns;
        return t < x->wake_ns ? t : x->wake_ns;
    }
    return is_ours(p, v) ? x->wake_ns : INT64_MAX;
}

/* Guests whose wait is over. */
static void wake_due(struct d_pcpu *p, int64_t now)
{
    struct dispatch *d = p->d;
    for (uint32_t v = 0; v < d->run->n_vcpus; v++) {
        struct d_vcpu *x = &d->v[v];
        int64_t t = wait_end(p, v);
        if (t > now) continue;
        x->wake_ns = INT64_MAX;
        x->fetches = false;
        sched_wake(d->sched, v, now);
        if (!is_current(d, v)) set_waiting_state(d, v, t);
        take_over(p, now);
    }
}

static bool has_ended(const struct dispatch *d, uint32_t v)
{
    return run_is_down(run_vm_of(d->run, v)) ||
           __atomic_load_n(&run_ctl(d->run, v)->state, __ATOMIC_ACQUIRE) == CTL_ENDED;
}

/* vCPUs that ended while they stood still: with their VM, or a sibling took them along. */
static void bury(struct d_pcpu *p, int64_t now)
{
    struct dispatch *d = p->d;
    for (uint32_t v = 0; v < d->run->n_vcpus; v++) {
        struct d_vcpu *x = &d->v[v];
        if (x->down || !has_ended(d, v) || is_current(d, v)) continue;
        x->down = true;
        if (sched_where(d->sched, v) != SCHED_BLOCKED) sched_block(d->sched, v, now);
        accounts_state(d, v, VCPU_DOWN, now);
        take_over(p, now);
    }
}

static int64_t next_look(const struct d_pcpu *p, int64_t now)
{
    const struct dispatch *d = p->d;
    int64_t t = now + LONGEST_NS, tick = sched_next_tick(d->sched);
    if (p->cur != SCHED_NONE && p->until_ns < t) t = p->until_ns;
    if (tick < t) t = tick;
    for (uint32_t v = 0; v < d->run->n_vcpus; v++)
        if (wait_end(p, v) < t) t = wait_end(p, v);
    return t < d->run->end_ns ? t : d->run->end_ns;
}

/* Everything that is due on this pCPU. */
static void turn(struct d_pcpu *p, int64_t now)
{
    struct dispatch *d = p->d;
    enum gate_stop how = GATE_PARKED;
    bury(p, now);
    if (p->cur != SCHED_NONE) note_entry(p);
    wake_due(p, now);
    if (sched_next_tick(d->sched) <= now) {
        sched_tick(d->sched, now);
        take_over(p, now);
    }
    if (p->cur == SCHED_NONE) {
        if (p->need) pick(p, how, now);
        return;
    }
    if (!gate_stopped(p, &how)) {
        if (!p->need && now + EARLY_NS < p->until_ns) return;
        if (goes_on_alone(p, now)) return;
        how = gate_take_back(p);
        now = dispatch_now(d);
    }
    settle(p, how, now);
    pick(p, how, now);
}

static void *dispatcher(void *arg)
{
    struct d_pcpu *p = arg;
    struct dispatch *d = p->d;
    struct sched_param fifo = {.sched_priority = FIFO_PRIORITY};
    host_pin(0, d->run->host.cpus[p->index]);
    host_weigh_more();
    if (d->fifo) pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo);
    host_sleep_until(d->run->zero_abs_ns);
    pthread_mutex_lock(&d->lock);
    while (!d->abort) {
        uint32_t rings = gate_rings(p);
        int64_t now = dispatch_now(d);
        if (now >= d->run->end_ns) break;
        turn(p, now);
        int64_t next = next_look(p, now);
        if (p->need || next <= dispatch_now(d)) continue;
        pthread_mutex_unlock(&d->lock);
        gate_sleep(p, rings, d->run->zero_abs_ns + next);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

bool dispatch_fifo_allowed(void)
{
    struct sched_param was, fifo = {.sched_priority = FIFO_PRIORITY};
    int policy;
    if (pthread_getschedparam(pthread_self(), &policy, &was) != 0) return false;
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo) != 0) return false;
    pthread_setschedparam(pthread_self(), policy, &was);
    return true;
}

static struct sched *make_sched(struct dispatch *d)
{
    const struct run *r = d->run;
    struct sched_vm_cfg *vms = calloc(r->n_vms + 1, sizeof *vms);
    ASSERT(vms);
    for (uint32_t i = 0; i < r->n_vms; i++) {
        const struct sc_vm *v = r->vms[i].sc;
        vms[i] = (struct sched_vm_cfg){.weight = v->weight,
                                       .first_vcpu = r->vms[i].first,
                                       .n_vcpus = v->vcpus,
                                       .reservation_ppm = v->reservation_ppm,
                                       .quota_ns = (int64_t)((__int128)v->limit_ppm * v->period_ns / 1000000),
                                       .period_ns = v->period_ns,
                                       .pins = v->pins};
    }
    struct sched_cfg cfg = {.cls = sched_class_find(r->pc->scheduler),
                            .n_pcpus = r->pc->cores,
                            .n_vcpus = r->n_vcpus,
                            .n_vms = r->n_vms,
                            .vms = vms,
                            .slice_ns = r->pc->slice_ns,
                            .tick_ns = r->pc->tick_ns,
                            .balance_every_ns = r->pc->balance_every_ns,
                            .balance_idle = r->pc->balance_idle,
                            .credit_debit_tick = r->pc->credit_debit_tick};
    size_t size = cfg.cls ? sched_size(&cfg) : 0;
    if (size > 0) d->block = calloc(1, size);
    struct sched *s = d->block ? sched_init(d->block, &cfg) : NULL;
    free(vms);
    return s;
}

struct dispatch *dispatch_new(struct run *r, char **why)
{
    struct dispatch *d = calloc(1, sizeof *d);
    ASSERT(d);
    d->run = r;
    d->n_pcpus = r->pc->cores;
    d->v = calloc(r->n_vcpus + 1, sizeof *d->v);
    d->p = calloc(d->n_pcpus, sizeof *d->p);
    ASSERT(d->v && d->p);
    pthread_mutex_init(&d->lock, NULL);
    d->fifo = dispatch_fifo_allowed();
    d->sched = make_sched(d);
    if (d->sched) return d;
    *why = host_text("scheduler: %s cannot be set up with these settings", r->pc->scheduler);
    dispatch_free(d);
    return NULL;
}

int dispatch_begin(struct dispatch *d, char **why)
{
    struct run *r = d->run;
    for (uint32_t v = 0; v < r->n_vcpus; v++) {
        int64_t start = run_vm_of(r, v)->sc->start_ns;
        d->v[v] = (struct d_vcpu){.state = start > 0 ? VCPU_DOWN : VCPU_IDLE,
                                  .wait_as = VCPU_IDLE,
                                  .wake_ns = start,
                                  .pcpu = REC_NONE,
                                  .cpu = -1};
    }
    for (uint32_t i = 0; i < d->n_pcpus; i++)
        d->p[i] = (struct d_pcpu){.d = d, .index = i, .cur = SCHED_NONE, .lag_ns = LAG_NS};
    for (uint32_t i = 0; i < d->n_pcpus; i++) {
        int e = pthread_create(&d->p[i].thread, NULL, dispatcher, &d->p[i]);
        d->p[i].started = e == 0;
        if (e == 0) continue;
        *why = host_text("cannot start a dispatcher: %s", strerror(e));
        return -1;
    }
    return 0;
}

void dispatch_wake(struct dispatch *d)
{
    for (uint32_t i = 0; i < d->n_pcpus; i++)
        gate_ring(d, i);
}

void dispatch_finish(struct dispatch *d, bool abort)
{
    if (abort) {
        pthread_mutex_lock(&d->lock);
        d->abort = 1;
        pthread_mutex_unlock(&d->lock);
    }
    dispatch_wake(d);
    for (uint32_t i = 0; i < d->n_pcpus; i++)
        if (d->p[i].started) pthread_join(d->p[i].thread, NULL);
    d->now_ns = d->run->end_ns;
    for (uint32_t i = 0; i < d->n_pcpus; i++)
        if (d->p[i].cur != SCHED_NONE) note_entry(&d->p[i]);
    accounts_close(d);
    for (uint32_t i = 0; i < d->n_pcpus; i++)
        recs_append(&d->run->recs, &d->p[i].recs);
}

void dispatch_free(struct dispatch *d)
{
    if (!d) return;
    for (uint32_t i = 0; i < d->n_pcpus; i++)
        recs_done(&d->p[i].recs);
    pthread_mutex_destroy(&d->lock);
    free(d->block);
    free(d->v);
    free(d->p);
    free(d);
}
