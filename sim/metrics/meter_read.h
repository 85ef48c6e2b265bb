// SPDX-License-Identifier: GPL-3.0-or-later
/* meter_read.h - what each record adds, for the two loops over them: meter.c's, and that of meter_home.c,
 * which also follows what runs where. In a header, so that the first is compiled as if the second were not
 * there. */
#ifndef VLAB_METRICS_METER_READ_H
#define VLAB_METRICS_METER_READ_H

#include "base/assert.h"
#include "metrics/meter_inner.h"

/* Between this interval and the last of its pCPU is a gap, or they overlap. */
void meter_read_gap(struct meter *m, const struct rec *r, struct pcpu_meter *p);
/* This interval does not follow on the last of its vCPU. */
void meter_read_broken(struct meter *m, const struct rec *r, const struct vcpu_meter *v);
/* A record of a kind that is not told all the time. */
void meter_read_rare(struct meter *m, const struct rec *r);
/* The end of the warm-up, samples: everything up to and at t_ns that is not a record. */
void meter_read_cross(struct meter *m, int64_t t_ns);

static inline struct pcpu_meter *pcpu_interval(struct meter *m, const struct rec *r)
{
    struct pcpu_meter *p = &m->pcpus[m->first_pcpu[r->host] + r->pcpu];
    if (r->t_ns - r->value != p->last_ns) meter_read_gap(m, r, p);
    p->last_ns = r->t_ns;
    return p;
}

/* `follow`: what runs where is followed too; a constant of whoever calls. */
static inline void read_state(struct meter *m, const struct rec *r, bool follow)
{
    struct vcpu_meter *v = &m->vcpus[m->first_vcpu[r->vm] + r->vcpu];
    int64_t value = r->value;
    uint32_t from = r->from, to = r->to;
    if (follow) meter_home_state(m, r, v->state);
    if (r->t_ns - value != v->last_ns || from != v->state) meter_read_broken(m, r, v);
    v->total[from] += value;
    v->last_ns = r->t_ns;
    v->state = to;
    if (from == VCPU_RUN) {
        pcpu_interval(m, r)->run_ns += meter_in_window(m, r);
        if (from != to && m->warm) hist_add(v->slice, value);
    } else if (from == VCPU_READY && to != VCPU_READY && m->warm) {
        hist_add(v->wait, value);
    }
}

static inline void set_inside(struct meter *m, struct vm_meter *v, const struct rec *r, int delta)
{
    /* Of an instant in which several come and go, the last value counts. */
    if (r->t_ns > v->level_ns && v->inside > v->inside_max && m->warm) v->inside_max = v->inside;
    v->integral += (__int128)v->inside * (r->t_ns - v->level_ns);
    v->level_ns = r->t_ns;
    v->inside += delta;
}

static inline void read_done(struct meter *m, const struct rec *r)
{
    struct vm_meter *v = &m->vms[r->vm];
    set_inside(m, v, r, -1);
    v->done_all++;
    v->latency_all += r->value;
    if (!m->warm) return;
    v->done++;
    hist_add(v->latency, r->value);
}

static inline void read_rec(struct meter *m, const struct rec *r)
{
    struct vm_meter *v = r->vm == UINT32_MAX ? NULL : &m->vms[r->vm];
    ASSUME(v || r->kind < REC_ARRIVE || r->kind >= REC_EVENT); /* requests and work are a VM's */
    switch ((enum rec_kind)r->kind) {
    case REC_SWITCH: {
        struct pcpu_meter *p = pcpu_interval(m, r);
        p->switch_ns += meter_in_window(m, r);
        p->switch_all_ns += r->value;
        break;
    }
    case REC_IDLE: pcpu_interval(m, r)->idle_ns += meter_in_window(m, r); break;
    case REC_ARRIVE:
        set_inside(m, v, r, 1);
        v->arrived_all++;
        v->arrived += m->warm;
        break;
    case REC_DONE: read_done(m, r); break;
    case REC_WORK:
        v->done_all++;
        if (!m->warm) break;
        v->done++;
        v->took += r->value;
        break;
    default: meter_read_rare(m, r); break;
    }
}

#endif
