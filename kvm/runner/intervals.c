// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/intervals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/runner/pagepool.h"
#include "kvm/runner/pcpu_time.h"
#include "kvm/runner/switches.h"

#define INTERRUPT_NS  50000
#define WAIT_LEAST_NS 5000 /* nobody waits oftener */

struct gap { /* off the CPU though it could have run */
    int64_t from, to;
    int64_t throttled; /* from its beginning */
};

struct look {
    int64_t t, total;
};

struct watched {
    struct switches sw;
    struct ctl_wait *waits;
    size_t n_waits, waits_cap;
    int64_t waits_abs_ns; /* when they were last looked at */
    struct gap *gaps;
    size_t n_gaps, gaps_cap;
    bool waits_lost, nonsense; /* the ring was overtaken; the VMM wrote what cannot be */
    int pid, tid;
    int64_t stat_abs_ns, stat_run_ns; /* the last look at schedstat: when, and run time since t = 0 */
    int64_t stat_zero_ns;             /* its run time then */
};

struct intervals {
    struct run *run;
    const uint32_t *pcpu;
    struct watched *w;   /* of each vCPU */
    struct look **looks; /* of each VM */
    size_t *n_looks;
};

/* Room for one more in an array that doubles. */
#define GROW(v, n, cap)                                                                                      \
    do {                                                                                                     \
        if ((n) == (cap)) {                                                                                  \
            (cap) = (cap) ? 2 * (cap) : 64;                                                                  \
            (v) = realloc((v), (cap) * sizeof *(v));                                                         \
            ASSERT(v);                                                                                       \
        }                                                                                                    \
    } while (0)

struct intervals *intervals_new(struct run *r, const uint32_t *pcpu)
{
    struct intervals *iv = calloc(1, sizeof *iv);
    ASSERT(iv);
    iv->run = r;
    iv->pcpu = pcpu;
    iv->w = calloc(r->n_vcpus + 1, sizeof *iv->w);
    iv->looks = calloc(r->n_vms + 1, sizeof *iv->looks);
    iv->n_looks = calloc(r->n_vms + 1, sizeof *iv->n_looks);
    ASSERT(iv->w && iv->looks && iv->n_looks);
    for (uint32_t i = 0; i < r->n_vcpus; i++)
        iv->w[i].sw.fd = -1;
    return iv;
}

void intervals_free(struct intervals *iv)
{
    for (uint32_t i = 0; i < iv->run->n_vcpus; i++) {
        switches_done(&iv->w[i].sw);
        free(iv->w[i].waits);
        free(iv->w[i].gaps);
    }
    for (uint32_t i = 0; i < iv->run->n_vms; i++)
        free(iv->looks[i]);
    free(iv->looks);
    free(iv->n_looks);
    free(iv->w);
    free(iv);
}

int intervals_watch(struct intervals *iv, uint32_t vcpu, int tid)
{
    struct watched *w = &iv->w[vcpu];
    w->pid = (int)run_vm_of(iv->run, vcpu)->proc.pid;
    w->tid = tid;
    w->stat_zero_ns = host_thread_ns(w->pid, w->tid);
    return switches_open(&w->sw, tid);
}

/* schedstat, the kernel's own sum, is up to a tick behind. */
static void look_at_schedstat(struct watched *w)
{
    int64_t ns = w->tid != 0 ? host_thread_ns(w->pid, w->tid) : -1;
    if (ns < 0 || w->stat_zero_ns < 0) return;
    w->stat_run_ns = ns - w->stat_zero_ns;
    w->stat_abs_ns = host_now();
}

/* Whether what the switches say agrees with schedstat: within 5 % and 20 ms. */
static bool sums_agree(const struct watched *w)
{
    int64_t run = 0, in = -1;
    if (w->stat_abs_ns == 0) return true;
    for (size_t i = 0; i < w->sw.n && w->sw.v[i].abs_ns < w->stat_abs_ns; i++) {
        if (w->sw.v[i].in) {
            in = w->sw.v[i].abs_ns;
        } else if (in >= 0) {
            run += w->sw.v[i].abs_ns - in;
            in = -1;
        }
    }
    if (in >= 0) run += w->stat_abs_ns - in;
    int64_t off = run > w->stat_run_ns ? run - w->stat_run_ns : w->stat_run_ns - run;
    return off < 20000000 + run / 20;
}

/* A VMM can write what it likes: no time of a wait may be one that sums overflow with. */
static struct ctl_wait wait_checked(struct ctl_wait x, bool *nonsense)
{
    const struct ctl_wait none = {0};
    if (x.from_ns < 0 || x.deadline_ns < 0 || x.to_ns < x.from_ns) *nonsense = true;
    return *nonsense ? none : x;
}

static void take_waits(struct watched *w, const struct ctl_vcpu *c)
{
    uint64_t n = __atomic_load_n(&c->n_waits, __ATOMIC_ACQUIRE), more = n - w->n_waits;
    int64_t now = host_now(), passed = w->waits_abs_ns != 0 ? now - w->waits_abs_ns : INT64_MAX;
    w->waits_abs_ns = now;
    if (w->nonsense || w->waits_lost) return;
    if (more > CTL_WAITS - 8) {
        w->waits_lost = n > w->n_waits && more < (uint64_t)passed / WAIT_LEAST_NS;
        w->nonsense = !w->waits_lost;
        return;
    }
    while (w->n_waits < n && !w->nonsense) {
        GROW(w->waits, w->n_waits, w->waits_cap);
        w->waits[w->n_waits] = wait_checked(c->waits[w->n_waits % CTL_WAITS], &w->nonsense);
        w->n_waits++;
    }
}

bool intervals_sane(const struct intervals *iv, uint32_t vcpu)
{
    return !iv->w[vcpu].nonsense;
}

void intervals_poll(struct intervals *iv)
{
    for (uint32_t i = 0; i < iv->run->n_vcpus; i++) {
        switches_drain(&iv->w[i].sw);
        take_waits(&iv->w[i], run_ctl(iv->run, i));
        /* Of a thread that is being killed no switches are told any more, while its run time still grows. */
        if (!run_is_down(run_vm_of(iv->run, i))) look_at_schedstat(&iv->w[i]);
    }
}

void intervals_throttled(struct intervals *iv, uint32_t vm, int64_t t_ns, int64_t total_ns)
{
    struct look *l = realloc(iv->looks[vm], (iv->n_looks[vm] + 1) * sizeof *l);
    ASSERT(l);
    l[iv->n_looks[vm]++] = (struct look){t_ns, total_ns};
    iv->looks[vm] = l;
}

/* A wait under way at the end is not in the ring yet: the VMM's thread still writes that place. */
static void take_open_wait(struct watched *w, const struct ctl_vcpu *c, enum ctl_state s)
{
    if (s != CTL_WAITING) return;
    GROW(w->waits, w->n_waits, w->waits_cap);
    struct ctl_wait x =
        wait_checked((struct ctl_wait){c->changed_ns, c->deadline_ns, INT64_MAX, c->waits_as}, &w->nonsense);
    if (!w->nonsense) w->waits[w->n_waits++] = x;
}

struct builder {
    struct run *run;
    uint32_t vcpu;
    enum vcpu_state state;
    int64_t since;
    uint16_t pcpu;
    const struct pagepool_wait *waits; /* of its VM, for pages */
    size_t n_waits, at_wait;
};

static void turn_to(struct builder *b, enum vcpu_state to, int64_t t)
{
    if (t < b->since) t = b->since;
    if (t > b->run->end_ns) t = b->run->end_ns;
    const struct run_vcpu *v = &b->run->vcpus[b->vcpu];
    recs_add(&b->run->vcpus[b->vcpu].recs, (struct rec){.t_ns = t,
                                                        .value = t - b->since,
                                                        .host = run_vm_of(b->run, b->vcpu)->sc->host,
                                                        .vm = v->vm,
                                                        .vcpu = (uint16_t)v->index,
                                                        .pcpu = b->pcpu,
                                                        .kind = REC_STATE,
                                                        .from = (uint8_t)b->state,
                                                        .to = (uint8_t)to});
    b->since = t;
    b->state = to;
}

/* The wait of the guest that went off the CPU at abs_ns; NULL: it did not wait. */
static const struct ctl_wait *wait_at(const struct watched *w, size_t *at, int64_t abs_ns)
{
    while (*at < w->n_waits && w->waits[*at].to_ns < abs_ns)
        (*at)++;
    return *at < w->n_waits && w->waits[*at].from_ns <= abs_ns ? &w->waits[*at] : NULL;
}

static enum vcpu_state wait_state(const struct ctl_wait *x)
{
    return x && (x->as == VCPU_DISKWAIT || x->as == VCPU_NETWAIT) ? (enum vcpu_state)x->as : VCPU_IDLE;
}

/* First pass: when the vCPU could run and did not. */
static void find_gaps(struct intervals *iv, uint32_t vcpu, int64_t from, int64_t end)
{
    struct watched *w = &iv->w[vcpu];
    size_t at = 0;
    int64_t off = from; /* ready since, or INT64_MAX: it is on the CPU */
    for (size_t i = 0; i < w->sw.n; i++) {
        const struct switch_rec *s = &w->sw.v[i];
        int64_t t = s->abs_ns - iv->run->zero_abs_ns;
        if (t >= end) break;
        if (s->in) {
            if (off < t && t > from) {
                GROW(w->gaps, w->n_gaps, w->gaps_cap);
                w->gaps[w->n_gaps++] = (struct gap){off > from ? off : from, t, 0};
            }
            off = INT64_MAX;
        } else {
            const struct ctl_wait *x = s->preempted ? NULL : wait_at(w, &at, s->abs_ns);
            off = t;
            if (x && x->deadline_ns - iv->run->zero_abs_ns > t) off = x->deadline_ns - iv->run->zero_abs_ns;
            if (off < from) off = from;
        }
    }
    if (off >= end) return;
    GROW(w->gaps, w->n_gaps, w->gaps_cap);
    w->gaps[w->n_gaps++] = (struct gap){off, end, 0};
}

static struct gap *longest_overlapping(struct intervals *iv, const struct run_vm *vm, int64_t from,
                                       int64_t to)
{
    struct gap *best = NULL;
    for (uint32_t i = vm->first; i < vm->first + vm->sc->vcpus; i++)
        for (size_t k = 0; k < iv->w[i].n_gaps; k++) {
            struct gap *g = &iv->w[i].gaps[k];
            if (g->from >= to || g->to <= from || g->throttled != 0) continue;
            if (!best || g->to - g->from > best->to - best->from) best = g;
        }
    return best;
}

static void split_throttled(struct intervals *iv, uint32_t vm)
{
    for (size_t k = 1; k < iv->n_looks[vm]; k++) {
        const struct look *l = &iv->looks[vm][k];
        int64_t left = l[0].total - l[-1].total;
        while (left > 0) {
            struct gap *g = longest_overlapping(iv, &iv->run->vms[vm], l[-1].t, l[0].t);
            if (!g) break;
            g->throttled = left < g->to - g->from ? left : g->to - g->from;
            left -= g->throttled;
        }
    }
}

static void add_throttle_event(struct run *r, uint32_t vcpu, int64_t t)
{
    struct run_vm *vm = run_vm_of(r, vcpu);
    recs_add(&r->vcpus[vcpu].recs, (struct rec){.t_ns = t,
                                                .host = vm->sc->host,
                                                .vm = r->vcpus[vcpu].vm,
                                                .vcpu = (uint16_t)r->vcpus[vcpu].index,
                                                .pcpu = REC_NONE,
                                                .kind = REC_EVENT,
                                                .cause = REC_EV_THROTTLE});
}

/* Up to when in this gap it waited for a page; g->from: it did not. It goes off the CPU before its fault is
 * heard of, and on again before its being served is: so the wait before may reach into this gap. */
static int64_t waited_until(struct builder *b, const struct gap *g)
{
    int64_t zero = b->run->zero_abs_ns, until = g->from;
    for (; b->at_wait < b->n_waits; b->at_wait++) {
        const struct pagepool_wait *w = &b->waits[b->at_wait];
        if (w->from_ns - zero >= g->to) break;
        if (w->vcpu == b->run->vcpus[b->vcpu].index && w->to_ns - zero > until) until = w->to_ns - zero;
        if (w->to_ns - zero > g->to) break; /* it may go on in the next */
    }
    return until < g->to ? until : g->to;
}

static void build_gap(struct builder *b, const struct gap *g)
{
    int64_t until = g->throttled ? g->from : waited_until(b, g);
    if (until > g->from) {
        turn_to(b, VCPU_SWAPWAIT, g->from);
        if (until < g->to) turn_to(b, VCPU_READY, until);
        return;
    }
    enum vcpu_state st = g->throttled ? VCPU_THROTTLED : VCPU_READY;
    if (b->state != st) turn_to(b, st, g->from);
    if (g->throttled) {
        add_throttle_event(b->run, b->vcpu, g->from);
        turn_to(b, VCPU_READY, g->from + g->throttled);
    }
}

/* When another vCPU of this pCPU was next put on it, at or after t; INT64_MAX: never. */
static int64_t next_other_in(const struct intervals *iv, uint32_t vcpu, int64_t t)
{
    int64_t next = INT64_MAX, abs = t + iv->run->zero_abs_ns;
    for (uint32_t i = 0; i < iv->run->n_vcpus; i++) {
        if (i == vcpu || iv->pcpu[i] != iv->pcpu[vcpu]) continue;
        const struct switches *s = &iv->w[i].sw;
        size_t lo = 0, hi = s->n; /* the first switch from then on */
        while (lo < hi) {
            size_t mid = (lo + hi) / 2;
            if (s->v[mid].abs_ns < abs)
                lo = mid + 1;
            else
                hi = mid;
        }
        while (lo < s->n && !s->v[lo].in)
            lo++;
        if (lo < s->n && s->v[lo].abs_ns - iv->run->zero_abs_ns < next)
            next = s->v[lo].abs_ns - iv->run->zero_abs_ns;
    }
    return next;
}

/* An interruption by the host's own threads: short, and the pCPU was given to no other vCPU. */
static bool is_interrupt(const struct intervals *iv, uint32_t vcpu, const struct gap *g)
{
    return g->to - g->from < INTERRUPT_NS && !g->throttled && next_other_in(iv, vcpu, g->from) >= g->to;
}

/* Second pass: all states from 0 to the end, from gaps and what lies between them: runs and waits. */
static void build(struct intervals *iv, uint32_t vcpu)
{
    struct run *r = iv->run;
    struct run_vm *vm = run_vm_of(r, vcpu);
    struct watched *w = &iv->w[vcpu];
    int64_t from = vm->sc->start_ns < r->end_ns ? vm->sc->start_ns : r->end_ns;
    int64_t end = vm->down_ns < r->end_ns ? vm->down_ns : r->end_ns;
    struct builder b = {.run = r, .vcpu = vcpu, .state = VCPU_DOWN, .pcpu = (uint16_t)iv->pcpu[vcpu]};
    b.waits = pagepool_waits(r->pool, r->vcpus[vcpu].vm, &b.n_waits);
    if (end < from) end = from;
    if (from > 0) turn_to(&b, VCPU_READY, from);
    b.state = VCPU_READY;
    size_t k = 0, at = 0;
    for (size_t i = 0; i < w->sw.n; i++) {
        const struct switch_rec *s = &w->sw.v[i];
        int64_t t = s->abs_ns - r->zero_abs_ns;
        if (t >= end) break;
        if (t < from) continue;
        for (; k < w->n_gaps && w->gaps[k].to <= t; k++)
            if (!(b.state == VCPU_RUN && is_interrupt(iv, vcpu, &w->gaps[k]))) build_gap(&b, &w->gaps[k]);
        if (s->in) {
            if (b.state != VCPU_RUN) turn_to(&b, VCPU_RUN, t);
        } else if (!(k < w->n_gaps && w->gaps[k].from <= t)) {
            turn_to(&b, wait_state(wait_at(w, &at, s->abs_ns)), t);
        }
    }
    for (; k < w->n_gaps && w->gaps[k].from < end; k++)
        build_gap(&b, &w->gaps[k]);
    /* The kernel says nothing of a dying thread's last switch: another vCPU on its pCPU tells of it. */
    if (b.state == VCPU_RUN && end < r->end_ns) {
        int64_t other = next_other_in(iv, vcpu, b.since);
        if (other < end) end = other;
    }
    turn_to(&b, end < r->end_ns ? VCPU_DOWN : b.state, end);
    if (end < r->end_ns) turn_to(&b, VCPU_DOWN, r->end_ns);
}

int intervals_finish(struct intervals *iv, char **why)
{
    struct run *r = iv->run;
    intervals_poll(iv);
    for (uint32_t i = 0; i < r->n_vcpus; i++) {
        struct run_vm *vm = run_vm_of(r, i);
        if (iv->w[i].sw.lost || iv->w[i].waits_lost) {
            *why = host_text("vm.%s: the host was too busy to follow its vCPU (switch records lost)",
                             vm->sc->name);
            return -1;
        }
        /* A thread that is killed is off the CPU before schedstat is gone, and no record says when. */
        if (!run_is_down(vm) && !sums_agree(&iv->w[i])) {
            *why = host_text("vm.%s: the kernel's switch records and its schedstat disagree", vm->sc->name);
            return -1;
        }
        take_open_wait(&iv->w[i], run_ctl(r, i), vmproc_state(&vm->proc, r->vcpus[i].index));
        int64_t end = vm->down_ns < r->end_ns ? vm->down_ns : r->end_ns;
        if (vm->sc->start_ns < end) find_gaps(iv, i, vm->sc->start_ns, end);
    }
    for (uint32_t vm = 0; vm < r->n_vms; vm++)
        split_throttled(iv, vm);
    for (uint32_t i = 0; i < r->n_vcpus; i++)
        build(iv, i);
    pcpu_time_add(r, iv->pcpu);
    return 0;
}
