// SPDX-License-Identifier: GPL-3.0-or-later
/* made_cloud.h - hosts and VMs of one vCPU, written by hand, and the records of what they do, fed straight
 * into a meter. Times are in ms. Fields of the scenario are set between cloud_new and cloud_start. */
#ifndef VLAB_TESTS_MADE_CLOUD_H
#define VLAB_TESTS_MADE_CLOUD_H

#include "tests/unit/made_records.h"

enum { CLOUD_HOSTS = 12, CLOUD_CORES = 2 };

struct cloud {
    struct scenario sc;
    struct sc_host hosts[CLOUD_HOSTS];
    struct sc_vm *vms;
    char host_names[CLOUD_HOSTS][16], (*vm_names)[16];
    struct {
        uint32_t host, state;
        uint16_t pcpu;
        int64_t since;
    } * at; /* of each VM: where it is, since when in its state */
    int64_t idle_since[CLOUD_HOSTS][CLOUD_CORES];
    struct meter *meter;
    struct rec_reader reader;
};

/* A run of 1 s without warm-up, sampled each 100 ms. VM i is on host i modulo hosts. */
static inline struct cloud *cloud_new(uint32_t hosts, uint32_t cores, uint32_t vms)
{
    struct cloud *c = alloc_array(1, sizeof *c);
    c->vms = alloc_array(vms, sizeof *c->vms);
    c->vm_names = alloc_array(vms, sizeof *c->vm_names);
    c->at = alloc_array(vms, sizeof *c->at);
    for (uint32_t h = 0; h < hosts; h++) {
        snprintf(c->host_names[h], sizeof c->host_names[h], "h%u", h);
        c->hosts[h] = (struct sc_host){
            .name = c->host_names[h], .group = c->host_names[h], .cores = cores, .scheduler = "rr"};
    }
    for (uint32_t i = 0; i < vms; i++) {
        snprintf(c->vm_names[i], sizeof c->vm_names[i], "v%u", i);
        c->vms[i] = (struct sc_vm){.name = c->vm_names[i],
                                   .group = c->vm_names[i],
                                   .host = i % hosts,
                                   .vcpus = 1,
                                   .weight = 1000,
                                   .network = SC_NONE,
                                   .work = {.threads = 1}};
        c->at[i].host = i % hosts;
    }
    c->sc = (struct scenario){.name = "cloud",
                              .run = {.duration_ns = 1000 * MS, .sample_ns = 100 * MS, .replications = 1},
                              .hosts = c->hosts,
                              .n_hosts = hosts,
                              .vms = c->vms,
                              .n_vms = vms};
    return c;
}

static inline void cloud_start(struct cloud *c, bool no_series)
{
    c->meter = meter_new(&c->sc, &(struct meter_opts){.only_vm = UINT32_MAX, .no_series = no_series});
    c->reader = meter_reader(c->meter);
}

static inline void cloud_tell(struct cloud *c, struct rec r)
{
    c->reader.read(c->reader.ctx, &r, 1);
}

static inline void cloud_vm(struct cloud *c, int64_t t, uint32_t vm, enum rec_kind kind, int cause,
                            int64_t value)
{
    cloud_tell(c, (struct rec){.t_ns = t * MS,
                               .value = value,
                               .host = c->at[vm].host,
                               .vm = vm,
                               .vcpu = REC_NONE,
                               .pcpu = REC_NONE,
                               .kind = (uint8_t)kind,
                               .cause = (uint8_t)cause});
}

static inline void cloud_host(struct cloud *c, int64_t t, uint32_t host, enum rec_power what, int64_t value)
{
    cloud_tell(c, (struct rec){.t_ns = t * MS,
                               .value = value,
                               .host = host,
                               .vm = UINT32_MAX,
                               .vcpu = REC_NONE,
                               .pcpu = REC_NONE,
                               .kind = REC_POWER,
                               .cause = (uint8_t)what});
}

static inline void cloud_up(struct cloud *c, int64_t t, uint32_t vm, bool up)
{
    cloud_vm(c, t, vm, REC_POWER, REC_P_UP, up);
}

/* All hosts up, all VMs there and up, at the start. */
static inline void cloud_all_up(struct cloud *c)
{
    for (uint32_t h = 0; h < c->sc.n_hosts; h++)
        cloud_host(c, 0, h, REC_P_UP, 1);
    for (uint32_t i = 0; i < c->sc.n_vms; i++) {
        cloud_vm(c, 0, i, REC_POWER, REC_P_THERE, 1);
        cloud_up(c, 0, i, true);
    }
}

/* The VM's vCPU goes to another state; from or to VCPU_RUN on the pCPU of the host it is on. */
static inline void cloud_state(struct cloud *c, int64_t t, uint32_t vm, enum vcpu_state to, uint16_t pcpu)
{
    uint32_t h = c->at[vm].host, from = c->at[vm].state;
    if (from == VCPU_RUN) pcpu = c->at[vm].pcpu;
    if (to == VCPU_RUN && from != VCPU_RUN && t > c->idle_since[h][pcpu])
        cloud_tell(c, (struct rec){.t_ns = t * MS,
                                   .value = (t - c->idle_since[h][pcpu]) * MS,
                                   .host = h,
                                   .vm = UINT32_MAX,
                                   .vcpu = REC_NONE,
                                   .pcpu = pcpu,
                                   .kind = REC_IDLE});
    cloud_tell(c, (struct rec){.t_ns = t * MS,
                               .value = (t - c->at[vm].since) * MS,
                               .host = h,
                               .vm = vm,
                               .pcpu = pcpu,
                               .kind = REC_STATE,
                               .from = (uint8_t)from,
                               .to = (uint8_t)to});
    c->at[vm].state = to;
    c->at[vm].since = t;
    c->at[vm].pcpu = pcpu;
    if (from == VCPU_RUN || to == VCPU_RUN) c->idle_since[h][pcpu] = t;
}

static inline void cloud_run(struct cloud *c, int64_t t, uint32_t vm, uint16_t pcpu)
{
    cloud_state(c, t, vm, VCPU_RUN, pcpu);
}
static inline void cloud_idle(struct cloud *c, int64_t t, uint32_t vm)
{
    cloud_state(c, t, vm, VCPU_IDLE, 0);
}

/* All intervals are ended; the law that is broken, malloc'ed, or NULL. */
static inline char *cloud_close(struct cloud *c)
{
    int64_t end = c->sc.run.duration_ns / MS;
    char *why = NULL;
    bool busy[CLOUD_HOSTS][CLOUD_CORES] = {0};
    for (uint32_t i = 0; i < c->sc.n_vms; i++) {
        if (c->at[i].state == VCPU_RUN) busy[c->at[i].host][c->at[i].pcpu] = true;
        uint16_t pcpu = c->at[i].state == VCPU_RUN ? c->at[i].pcpu : REC_NONE;
        cloud_tell(c, (struct rec){.t_ns = end * MS,
                                   .value = (end - c->at[i].since) * MS,
                                   .host = c->at[i].host,
                                   .vm = i,
                                   .pcpu = pcpu,
                                   .kind = REC_STATE,
                                   .from = (uint8_t)c->at[i].state,
                                   .to = (uint8_t)c->at[i].state});
    }
    for (uint32_t h = 0; h < c->sc.n_hosts; h++)
        for (uint16_t p = 0; p < c->hosts[h].cores; p++)
            if (!busy[h][p])
                cloud_tell(c, (struct rec){.t_ns = end * MS,
                                           .value = (end - c->idle_since[h][p]) * MS,
                                           .host = h,
                                           .vm = UINT32_MAX,
                                           .vcpu = REC_NONE,
                                           .pcpu = p,
                                           .kind = REC_IDLE});
    int bad = meter_finish(c->meter, end * MS, &why);
    ck_assert_int_eq(bad != 0, why != NULL);
    return why;
}

static inline void cloud_close_well(struct cloud *c)
{
    char *why = cloud_close(c);
    ck_assert_msg(!why, "%s", why);
}

static inline void cloud_done(struct cloud *c)
{
    meter_free(c->meter);
    free(c->vms);
    free(c->vm_names);
    free(c->at);
    free(c);
}

/* Ends the run, looks for the word in the law that is broken, and frees it all. */
static inline void cloud_close_broken(struct cloud *c, const char *word)
{
    char *why = cloud_close(c);
    ck_assert_msg(why && strstr(why, word), "wanted `%s`, got `%s`", word, why ? why : "nothing");
    free(why);
    cloud_done(c);
}

static inline const struct result *cloud_row(const struct cloud *c, const char *e, const char *metric,
                                             const char *stat)
{
    return results_find(meter_output(c->meter)->results, e, metric, stat);
}

static inline double cloud_value(const struct cloud *c, const char *e, const char *metric, const char *stat)
{
    const struct result *x = cloud_row(c, e, metric, stat);
    ck_assert_msg(x != NULL, "there is no %s.%s.%s", e, metric, stat);
    return x->value;
}

/* In the sample that ends at t; NaN: there is no such column. */
static inline double cloud_sample(const struct cloud *c, const char *e, const char *metric, int64_t t)
{
    const struct series *s = meter_output(c->meter)->series;
    for (size_t row = 0; row < s->n_rows; row++)
        for (size_t k = 0; k < s->n_cols; k++)
            if (s->t_ns[row] == t * MS && !strcmp(s->entities[k], e) && !strcmp(s->metrics[k], metric))
                return s->v[row * s->n_cols + k];
    return (double)__builtin_nan("");
}

#endif
