// SPDX-License-Identifier: GPL-3.0-or-later
/* made_records.h - a small scenario with memory, a disk, a store, NICs and networks, written by hand, and
 * records fed straight into a meter: what the models would have told, or never should. */
#ifndef VLAB_TESTS_MADE_RECORDS_H
#define VLAB_TESTS_MADE_RECORDS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "metrics/meter.h"

#define MS INT64_C(1000000)

enum { MADE_SSD, MADE_SAN, MADE_NIC, MADE_LAN, MADE_PC }; /* its devices */

struct made_run {
    struct scenario sc;
    struct sc_host host;
    struct sc_vm *vms;
    struct prog *prog;
    struct sc_vdisk vdisk;
    struct sc_disk disks[2];
    struct sc_nic nic;
    struct sc_network lan;
    struct sc_peer peer;
    char (*names)[24];
    struct meter *meter;
    struct rec_reader reader;
};

/* A run of 1 s, the first 200 ms not counted, sampled each 100 ms; n VMs of one vCPU each on a host of two
 * pCPUs. One VM is called v; more of them are v-0, v-1, ... of a group. */
static inline struct made_run *made_run_new(uint32_t n, struct meter_opts o)
{
    struct made_run *r = alloc_array(1, sizeof *r);
    const struct step steps[] = {
        {.kind = STEP_TOUCH, .probability = UINT32_MAX, .span = 1},
        {.kind = STEP_DISK, .probability = UINT32_MAX},
    };
    uint32_t bytes = prog_size(2, 0);
    r->prog = prog_build(alloc_array(1, bytes), steps, 2, NULL, 0);
    r->vms = alloc_array(n, sizeof *r->vms);
    r->names = alloc_array(n, sizeof *r->names);
    r->host = (struct sc_host){.name = "h",
                               .group = "h",
                               .cores = 2,
                               .speed_ppm = 1000000,
                               .scheduler = "rr",
                               .memory = {.bytes = 1 << 20}};
    r->disks[MADE_SSD] = (struct sc_disk){.name = "ssd0",
                                          .entity = "host.h.disk.ssd0",
                                          .model = SC_DISK_SSD,
                                          .channels = 2,
                                          .dies = 4,
                                          .pool_bytes = 1 << 20};
    r->disks[MADE_SAN] = (struct sc_disk){.name = "san", .entity = "storage.san", .host = SC_NONE};
    r->nic = (struct sc_nic){.name = "eth0", .entity = "host.h.nic.eth0"};
    static const uint32_t first[] = {0};
    r->lan = (struct sc_network){.name = "lan",
                                 .entity = "network.lan",
                                 .kind = SC_NET_BRIDGE,
                                 .nics = first,
                                 .n_nics = 1,
                                 .hosts = first,
                                 .n_hosts = 1,
                                 .up = SC_NONE};
    r->peer = (struct sc_peer){.name = "pc", .entity = "peer.pc"};
    r->vdisk = (struct sc_vdisk){.disk = MADE_SSD};
    for (uint32_t i = 0; i < n; i++) {
        snprintf(r->names[i], sizeof *r->names, n > 1 ? "v-%u" : "v", i);
        r->vms[i] = (struct sc_vm){.name = r->names[i],
                                   .group = "v",
                                   .vcpus = 1,
                                   .weight = 1000,
                                   .disks = &r->vdisk,
                                   .n_disks = 1,
                                   .network = SC_NONE,
                                   .work = {.threads = 1, .prog = r->prog}};
    }
    r->sc = (struct scenario){.name = "made",
                              .run = {.duration_ns = 1000 * MS,
                                      .warmup_ns = 200 * MS,
                                      .sample_ns = 100 * MS,
                                      .seed = 1,
                                      .replications = 1},
                              .hosts = &r->host,
                              .n_hosts = 1,
                              .vms = r->vms,
                              .n_vms = n,
                              .disks = r->disks,
                              .n_disks = 2,
                              .nics = &r->nic,
                              .n_nics = 1,
                              .networks = &r->lan,
                              .n_networks = 1,
                              .peers = &r->peer,
                              .n_peers = 1};
    o.only_vm = UINT32_MAX;
    r->meter = meter_new(&r->sc, &o);
    r->reader = meter_reader(r->meter);
    return r;
}

static inline void made_run_done(struct made_run *r)
{
    meter_free(r->meter);
    free(r->names);
    free(r->vms);
    free(r->prog);
    free(r);
}

static inline void made_read(struct made_run *r, const struct rec *recs, size_t n)
{
    r->reader.read(r->reader.ctx, recs, n);
}
#define MADE_READ(r, ...)                                                                                    \
    made_read(r, (const struct rec[]){__VA_ARGS__},                                                          \
              sizeof((const struct rec[]){__VA_ARGS__}) / sizeof(struct rec))

/* Records, times in ms. */
#define AT_STATE(t, len, a, b)                                                                               \
    {                                                                                                        \
        .t_ns = (t)*MS, .value = (len)*MS, .kind = REC_STATE, .from = VCPU_##a, .to = VCPU_##b               \
    }
#define AT_IDLE(t, len, p)                                                                                   \
    {                                                                                                        \
        .t_ns = (t)*MS, .value = (len)*MS, .kind = REC_IDLE, .vm = UINT32_MAX, .vcpu = REC_NONE, .pcpu = p   \
    }
#define AT_OVERHEAD(t, len)                                                                                  \
    {                                                                                                        \
        .t_ns = (t)*MS, .value = (len)*MS, .kind = REC_OVERHEAD                                              \
    }
#define AT_THREAD(t, len, n, a, b)                                                                           \
    {                                                                                                        \
        .t_ns = (t)*MS, .value = (len)*MS, .kind = REC_THREAD, .vm = UINT32_MAX, .vcpu = n, .pcpu = 1,       \
        .from = VCPU_##a, .to = VCPU_##b                                                                     \
    }
#define OF_VM(what, t, c, v)                                                                                 \
    {                                                                                                        \
        .t_ns = t, .value = v, .kind = REC_##what, .cause = c, .vcpu = REC_NONE, .pcpu = REC_NONE            \
    }
#define OF_HOST(what, t, c, v)                                                                               \
    {                                                                                                        \
        .t_ns = t, .value = v, .kind = REC_##what, .cause = c, .vm = UINT32_MAX, .vcpu = REC_NONE,           \
        .pcpu = REC_NONE                                                                                     \
    }
#define OF_DEV(what, t, d, c, v)                                                                             \
    {                                                                                                        \
        .t_ns = t, .value = v, .kind = REC_##what, .cause = c, .host = d, .vm = UINT32_MAX,                  \
        .vcpu = REC_NONE, .pcpu = REC_DEV                                                                    \
    }
#define AT_IO(t, d, latency, v)                                                                              \
    {                                                                                                        \
        .t_ns = t, .value = latency, .kind = REC_IO, .host = d, .vm = v, .vcpu = REC_NONE, .pcpu = REC_DEV   \
    }

/* All of the run, where nothing runs: each VM down, each pCPU idle. */
static inline void made_nothing(struct made_run *r)
{
    for (uint32_t i = 0; i < r->sc.n_vms; i++) {
        struct rec down = {
            .t_ns = 1000 * MS, .value = 1000 * MS, .kind = REC_STATE, .vm = i, .pcpu = REC_NONE};
        made_read(r, &down, 1);
    }
    MADE_READ(r, AT_IDLE(1000, 1000, 0), AT_IDLE(1000, 1000, 1));
}

/* Ends the run. The law that is broken, malloc'ed; NULL: none is. */
static inline char *made_end(struct made_run *r)
{
    char *why = NULL;
    int bad = meter_finish(r->meter, r->sc.run.duration_ns, &why);
    ck_assert_int_eq(bad != 0, why != NULL);
    return why;
}

static inline void made_end_well(struct made_run *r)
{
    char *why = made_end(r);
    ck_assert_msg(!why, "%s", why);
}

/* Ends the run and looks for the word in the law that is broken. */
static inline void made_end_broken(struct made_run *r, const char *word)
{
    char *why = made_end(r);
    ck_assert_msg(why && strstr(why, word), "wanted `%s`, got `%s`", word, why ? why : "nothing");
    free(why);
    made_run_done(r);
}

static inline const struct result *made_row(const struct made_run *r, const char *e, const char *metric,
                                            const char *stat)
{
    return results_find(meter_output(r->meter)->results, e, metric, stat);
}

static inline double made_value(const struct made_run *r, const char *e, const char *metric, const char *stat)
{
    const struct result *x = made_row(r, e, metric, stat);
    ck_assert_msg(x != NULL, "there is no %s.%s.%s", e, metric, stat);
    return x->value;
}

/* The series' value in the sample that ends at t_ns. */
static inline double made_sample(const struct made_run *r, const char *e, const char *metric, int64_t t_ns)
{
    const struct series *s = meter_output(r->meter)->series;
    for (size_t row = 0; row < s->n_rows; row++)
        for (size_t c = 0; c < s->n_cols; c++)
            if (s->t_ns[row] == t_ns && !strcmp(s->entities[c], e) && !strcmp(s->metrics[c], metric))
                return s->v[row * s->n_cols + c];
    ck_abort_msg("there is no column %s.%s", e, metric);
}

#endif
