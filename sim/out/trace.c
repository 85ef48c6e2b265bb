// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/alloc.h"
#include "out/jsonw.h"
#include "out/num.h"

struct trace {
    const struct scenario *sc;
    struct trace_opts o;
    struct gantt *gantt;
    bool gantt_wants;
    struct rec *ring; /* the kept records, the oldest at `head` */
    size_t head, n, cap;
    uint64_t slices, cut; /* kept and not kept; a run is a slice of two tracks */
};

struct trace *trace_new(const struct scenario *sc, const struct trace_opts *o)
{
    struct trace *t = alloc_array(1, sizeof *t);
    t->sc = sc;
    t->o = *o;
    if (!t->o.max) t->o.max = TRACE_MAX;
    t->gantt = gantt_new(sc);
    t->gantt_wants = true;
    return t;
}

void trace_free(struct trace *t)
{
    if (!t) return;
    gantt_free(t->gantt);
    free(t->ring);
    free(t);
}

/* On how many tracks the record is drawn. */
static unsigned weight(const struct rec *r)
{
    switch (r->kind) {
    case REC_STATE:
        if (r->value == 0) return 0;
        return r->from == VCPU_RUN && r->pcpu != REC_NONE ? 2 : 1;
    case REC_SWITCH:
    case REC_IDLE:
    case REC_OVERHEAD: return r->value > 0;
    case REC_THREAD: return r->value > 0 && r->from == VCPU_RUN; /* what it waits for is nobody's matter */
    case REC_EVENT: return 1;
    default: return 0;
    }
}

static void drop_oldest(struct trace *t)
{
    unsigned w = weight(&t->ring[t->head]);
    t->slices -= w;
    t->cut += w;
    t->head = (t->head + 1) % t->cap;
    t->n--;
}

/* Twice the room, in order from the start again. */
static void grow(struct trace *t)
{
    size_t cap = t->cap ? 2 * t->cap : 1024;
    struct rec *ring = alloc_array(cap, sizeof *ring);
    for (size_t i = 0; i < t->n; i++)
        ring[i] = t->ring[(t->head + i) % t->cap];
    free(t->ring);
    t->ring = ring;
    t->head = 0;
    t->cap = cap;
}

static void keep(struct trace *t, const struct rec *r)
{
    unsigned w = weight(r);
    if (w == 0) return;
    bool before = r->value > 0 ? r->t_ns <= t->o.from_ns : r->t_ns < t->o.from_ns;
    bool outside = t->o.keep == TRACE_WINDOW && (before || r->t_ns - r->value >= t->o.to_ns);
    if (outside || w > t->o.max || (t->o.keep != TRACE_LAST && t->slices + w > t->o.max)) {
        t->cut += w;
        return;
    }
    while (t->slices + w > t->o.max)
        drop_oldest(t);
    if (t->n == t->cap) grow(t);
    t->ring[(t->head + t->n++) % t->cap] = *r;
    t->slices += w;
}

static void trace_read(void *ctx, const struct rec *r, size_t n)
{
    struct trace *t = ctx;
    if (!t->gantt_wants && !t->o.slices) return;
    for (size_t i = 0; i < n; i++) {
        if (t->gantt_wants) t->gantt_wants = gantt_see(t->gantt, &r[i]);
        if (t->o.slices) keep(t, &r[i]);
    }
}

struct rec_reader trace_reader(struct trace *t)
{
    uint32_t mask = 1u << REC_STATE | 1u << REC_SWITCH | 1u << REC_THREAD;
    if (t->o.slices) mask |= 1u << REC_IDLE | 1u << REC_EVENT | 1u << REC_OVERHEAD;
    return (struct rec_reader){trace_read, t, mask};
}

uint64_t trace_cut(const struct trace *t)
{
    return t->cut;
}

static const char *kept_name(const struct trace *t)
{
    static const char *const names[] = {
        [TRACE_FIRST] = "first", [TRACE_LAST] = "last", [TRACE_WINDOW] = "window"};
    return names[t->o.keep];
}

char *trace_cut_text(const struct trace *t)
{
    char *s;
    if (t->cut == 0) return NULL;
    const char *which = t->o.keep == TRACE_WINDOW ? "those of the window" : kept_name(t);
    int n = asprintf(&s, "trace.json keeps %" PRIu64 " slices (%s); %" PRIu64 " more were cut", t->slices,
                     which, t->cut);
    ASSERT(n >= 0);
    return s;
}

const struct gantt *trace_gantt(const struct trace *t)
{
    return t->gantt;
}

const struct scenario *trace_scenario(const struct trace *t)
{
    return t->sc;
}

/* --- the file ---
 * Process ids: hosts from 1, then VMs, then devices. Thread ids from 1: on a host pCPU + 1, on a VM vCPU + 1;
 * behind the last vCPU those with the overhead of each. */

static uint64_t pid_of_vm(const struct trace *t, uint32_t vm)
{
    return t->sc->n_hosts + (uint64_t)vm + 1;
}

static uint64_t pid_of_dev(const struct trace *t, uint32_t dev)
{
    return (uint64_t)t->sc->n_hosts + t->sc->n_vms + dev + 1;
}

static void meta(FILE *f, const char *what, uint64_t pid, uint64_t tid, const char *kind, const char *name)
{
    fprintf(f,
            "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64 ",\"args\":{\"name\":", what,
            pid, tid);
    char *both;
    int n = asprintf(&both, "%s%s", kind, name);
    ASSERT(n >= 0);
    jsonw_string(f, both);
    free(both);
    fputs("}},\n", f);
}

static void names(FILE *f, const struct trace *t)
{
    char num[NUM_LEN];
    bool overhead = false,
         *devs = alloc_array(scenario_n_devs(t->sc), sizeof *devs); /* what there is to show */
    for (size_t i = 0; i < t->n; i++) {
        const struct rec *r = &t->ring[(t->head + i) % t->cap];
        overhead = overhead || r->kind == REC_OVERHEAD;
        if (r->kind == REC_EVENT && r->pcpu == REC_DEV) devs[r->host] = true;
    }
    for (uint32_t h = 0; h < t->sc->n_hosts; h++) {
        meta(f, "process_name", h + 1, 0, "host ", t->sc->hosts[h].name);
        for (uint32_t p = 0; p < t->sc->hosts[h].cores; p++)
            meta(f, "thread_name", h + 1, p + 1, "pCPU ", num_whole(num, p));
    }
    for (uint32_t v = 0; v < t->sc->n_vms; v++) {
        uint32_t vcpus = t->sc->vms[v].vcpus;
        meta(f, "process_name", pid_of_vm(t, v), 0, "vm ", t->sc->vms[v].name);
        for (uint32_t c = 0; c < vcpus; c++)
            meta(f, "thread_name", pid_of_vm(t, v), c + 1, "vCPU ", num_whole(num, c));
        for (uint32_t c = 0; overhead && c < vcpus; c++)
            meta(f, "thread_name", pid_of_vm(t, v), vcpus + c + 1, "overhead of vCPU ", num_whole(num, c));
    }
    for (uint32_t d = 0; d < scenario_n_devs(t->sc); d++)
        if (devs[d]) meta(f, "process_name", pid_of_dev(t, d), 0, "", scenario_dev_entity(t->sc, d));
    free(devs);
}

static void slice(FILE *f, const struct rec *r, uint64_t pid, uint64_t tid, const char *name, const char *cat)
{
    char ts[NUM_LEN], dur[NUM_LEN];
    fprintf(f,
            ",\n{\"ph\":\"X\",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64
            ",\"ts\":%s,\"dur\":%s,\"cat\":\"%s\",\"name\":",
            pid, tid, num_micros(ts, r->t_ns - r->value), num_micros(dur, r->value), cat);
    jsonw_string(f, name);
    /* Perfetto colours by name; for chrome://tracing waits for devices get the colour it has for such. */
    if (!strcmp(name, "diskwait") || !strcmp(name, "swapwait") || !strcmp(name, "netwait"))
        fputs(",\"cname\":\"thread_state_iowait\"", f);
    putc('}', f);
}

static void instant(FILE *f, const struct trace *t, const struct rec *r)
{
    char ts[NUM_LEN];
    bool of_vm = r->vm != UINT32_MAX, of_vcpu = of_vm && r->vcpu != REC_NONE;
    fprintf(f,
            ",\n{\"ph\":\"i\",\"pid\":%" PRIu64
            ",\"tid\":%u,\"ts\":%s,\"s\":\"%s\",\"cat\":\"event\",\"name\":",
            r->pcpu == REC_DEV ? pid_of_dev(t, r->host)
            : of_vm            ? pid_of_vm(t, r->vm)
                               : (uint64_t)r->host + 1,
            of_vcpu ? r->vcpu + 1u : 0u, num_micros(ts, r->t_ns), of_vcpu ? "t" : "p");
    jsonw_string(f, rec_event_name((enum rec_event)r->cause));
    fprintf(f, ",\"args\":{\"value\":%" PRId64, r->value);
    if (r->to != REC_WHY_NONE) fputs(",\"why\":", f);
    if (r->to != REC_WHY_NONE) jsonw_string(f, rec_why_text((enum rec_why)r->to));
    fputs("}}", f);
}

static bool on_pcpu(const struct rec *r)
{
    return r->kind != REC_STATE || (r->from == VCPU_RUN && r->pcpu != REC_NONE);
}

static void one(FILE *f, const struct trace *t, const struct rec *r)
{
    if (r->kind == REC_EVENT) {
        instant(f, t, r);
        return;
    }
    if (r->kind == REC_OVERHEAD) {
        slice(f, r, pid_of_vm(t, r->vm), t->sc->vms[r->vm].vcpus + r->vcpu + 1u, "overhead", "overhead");
        return;
    }
    if (on_pcpu(r)) {
        char name[100];
        snprintf(name, sizeof name, "%s", r->kind == REC_SWITCH ? "switch" : "idle");
        if (r->kind == REC_THREAD) snprintf(name, sizeof name, "host thread %u", r->vcpu);
        if (r->kind == REC_STATE) snprintf(name, sizeof name, "%s.vcpu%u", t->sc->vms[r->vm].name, r->vcpu);
        slice(f, r, r->host + 1, r->pcpu + 1u, name,
              r->kind == REC_STATE    ? "run"
              : r->kind == REC_THREAD ? "host"
                                      : name);
    }
    if (r->kind == REC_STATE)
        slice(f, r, pid_of_vm(t, r->vm), r->vcpu + 1u, rec_state_name((enum vcpu_state)r->from), "state");
}

void trace_json(FILE *f, const struct trace *t)
{
    fputs("{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"scenario\":", f);
    jsonw_string(f, t->sc->name);
    fprintf(f, ",\"kept\":\"%s\",\"slices\":%" PRIu64 ",\"cut\":%" PRIu64 "},\n\"traceEvents\":[\n",
            kept_name(t), t->slices, t->cut);
    names(f, t);
    /* A first element without a comma before it, and the list may be empty behind the names. */
    fputs("{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":1,\"tid\":0,\"args\":{\"sort_index\":0}}",
          f);
    for (size_t i = 0; i < t->n; i++)
        one(f, t, &t->ring[(t->head + i) % t->cap]);
    fputs("\n]}\n", f);
}
