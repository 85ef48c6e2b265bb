// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/dispatch_int.h"

static int64_t clamp(const struct dispatch *d, int64_t t, int64_t least)
{
    if (t > d->run->end_ns) t = d->run->end_ns;
    return t < least ? least : t;
}

void accounts_state(struct dispatch *d, uint32_t vcpu, enum vcpu_state to, int64_t t_ns)
{
    struct d_vcpu *v = &d->v[vcpu];
    struct run_vcpu *rv = &d->run->vcpus[vcpu];
    int64_t t = clamp(d, t_ns, v->since_ns);
    recs_add(&rv->recs, (struct rec){.t_ns = t,
                                     .value = t - v->since_ns,
                                     .host = run_vm_of(d->run, vcpu)->sc->host,
                                     .vm = rv->vm,
                                     .vcpu = (uint16_t)rv->index,
                                     .pcpu = v->pcpu,
                                     .kind = REC_STATE,
                                     .from = (uint8_t)v->state,
                                     .to = (uint8_t)to});
    v->state = to;
    v->since_ns = t;
}

void accounts_event(struct dispatch *d, uint32_t vcpu, enum rec_event ev, int64_t t_ns, int64_t value)
{
    struct run_vcpu *rv = &d->run->vcpus[vcpu];
    recs_add(&rv->recs, (struct rec){.t_ns = clamp(d, t_ns, d->v[vcpu].since_ns),
                                     .value = value,
                                     .host = run_vm_of(d->run, vcpu)->sc->host,
                                     .vm = rv->vm,
                                     .vcpu = (uint16_t)rv->index,
                                     .pcpu = d->v[vcpu].pcpu,
                                     .kind = REC_EVENT,
                                     .cause = (uint8_t)ev});
}

static void pcpu_span(struct d_pcpu *p, enum rec_kind kind, int64_t from, int64_t to)
{
    struct run *r = p->d->run;
    bool whose = kind == REC_SWITCH;
    if (to <= from) return;
    recs_add(&p->recs, (struct rec){.t_ns = to,
                                    .value = to - from,
                                    .host = run_vm_of(r, 0)->sc->host,
                                    .vm = whose ? r->vcpus[p->cur].vm : UINT32_MAX,
                                    .vcpu = whose ? (uint16_t)r->vcpus[p->cur].index : REC_NONE,
                                    .pcpu = (uint16_t)p->index,
                                    .kind = (uint8_t)kind});
}

void accounts_entered(struct d_pcpu *p, int64_t t_ns)
{
    struct dispatch *d = p->d;
    struct d_vcpu *v = &d->v[p->cur];
    int64_t t = clamp(d, t_ns, p->switch_ns > v->since_ns ? p->switch_ns : v->since_ns);
    pcpu_span(p, REC_IDLE, p->free_ns, p->switch_ns);
    pcpu_span(p, REC_SWITCH, p->switch_ns, t);
    if (v->pcpu != REC_NONE && v->pcpu != p->index) accounts_event(d, p->cur, REC_EV_MIGRATE, t, v->pcpu);
    v->pcpu = (uint16_t)p->index;
    accounts_state(d, p->cur, VCPU_RUN, t);
    p->free_ns = p->switch_ns = t;
}

void accounts_close(struct dispatch *d)
{
    int64_t end = d->run->end_ns;
    for (uint32_t i = 0; i < d->n_pcpus; i++) {
        struct d_pcpu *p = &d->p[i];
        bool runs = p->cur != SCHED_NONE && d->v[p->cur].state == VCPU_RUN;
        if (runs) continue; /* its vCPU's record covers the rest */
        pcpu_span(p, REC_IDLE, p->free_ns, p->cur == SCHED_NONE || p->switch_ns > end ? end : p->switch_ns);
        if (p->cur != SCHED_NONE) pcpu_span(p, REC_SWITCH, p->switch_ns, end);
    }
    for (uint32_t i = 0; i < d->run->n_vcpus; i++)
        accounts_state(d, i, d->v[i].state, end);
}
