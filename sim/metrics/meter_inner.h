// SPDX-License-Identifier: GPL-3.0-or-later
/* meter_inner.h - the meter's own state, shared by the meter_*.c files and by nobody else.
 *
 * All totals run from time 0; `base` is what they were when the warm-up ended, so a result is the
 * difference. Records arrive in order of time, so at a boundary (the end of the warm-up, or of a sample)
 * every vCPU's state is known and what it has had of it is added up to that very instant. */
#ifndef VLAB_METRICS_METER_INNER_H
#define VLAB_METRICS_METER_INNER_H

#include "metrics/hist.h"
#include "metrics/meter.h"

#define METER_FOLD       100 /* a `count:` group with more members is reported as one */
#define METER_WORST      100 /* of which the worst are named */
#define METER_HAPPENINGS 100000

struct event_meter {
    uint64_t total;
    int64_t first_ns, last_ns;
};

struct vcpu_meter {  /* what every record of a vCPU touches, and no more */
    int64_t last_ns; /* up to when its time is accounted for */
    uint32_t vm;
    uint32_t state;
    struct hist *slice, *wait; /* its own, or its group's */
    int64_t total[VCPU_NSTATES];
};

struct vcpu_marks { /* what `total` was */
    int64_t base[VCPU_NSTATES], sampled[VCPU_NSTATES];
};

struct pcpu_meter { /* of the measured window only */
    int64_t last_ns;
    int64_t run_ns, switch_ns, idle_ns;
    int64_t overhead_ns; /* of run_ns; what is left of it is the guests' */
    int64_t hostos_ns;   /* the host's own threads; on a real clock: what no record covers */
    int64_t switch_all_ns, switch_sampled_ns; /* from time 0, for samples */
};

struct overhead_meter { /* of a vCPU */
    int64_t last_ns;    /* where the last interval of overhead ended */
    int64_t ns;         /* in the window */
};

struct thread_meter { /* of a host's own */
    int64_t last_ns;
    int64_t run_ns, run_base, run_sampled; /* from time 0; what that was */
    uint32_t state;
};

struct threads_meter { /* of a host: as many as its records have named */
    struct thread_meter *t;
    uint32_t n;
};

struct level_meter {
    int64_t now, since_ns;
    int64_t max;             /* in the window, the level at its start included */
    __int128 integral, base; /* over time, up to since_ns; what that was when the warm-up ended */
};

/* What a VM, a host or a device counts, and the levels it is at; allocated at the first record of such. */
struct tally {
    int64_t count[REC_NCOUNTS], base[REC_NCOUNTS]; /* from time 0; what that was when the warm-up ended */
    struct level_meter level[REC_NLEVELS];
    struct hist *io; /* latencies of disk requests in the window: its own, or its group's; NULL: none yet */
    bool owns_io;
    uint64_t n_io; /* requests done, from time 0 */
};

/* A device: a disk or store, a NIC, a network or a peer. */
struct dev_meter {
    struct tally *tally;        /* NULL: nothing yet */
    struct event_meter *events; /* NULL: none yet; else one of each kind, as of all entities */
    /* of a disk's queue, for the laws */
    int64_t at_ns;      /* the last instant at which it changed or a request was done */
    int64_t before;     /* how long it was when that instant began */
    uint64_t done_then; /* requests done at that instant */
    int64_t busy_since; /* when it was last empty */
    __int128 spent;     /* sum of ns that requests done were inside */
};

struct vm_meter {
    uint32_t first_vcpu, n_vcpus;
    uint64_t arrived, lost, done;         /* in the window */
    uint64_t arrived_all, done_all, open; /* from time 0 */
    uint64_t aborted_all;                 /* lost inside, with the VM */
    uint64_t done_sampled;
    int64_t inside, inside_max; /* requests in the system now, and the most of them in the window */
    int64_t level_ns;           /* when `inside` last changed */
    __int128 integral, integral_base, integral_sampled;
    __int128 latency_all, latency_sampled,
        ages;      /* sums of ns: answered, answered before this sample, still open or aborted */
    __int128 took; /* of a loop's iterations in the window */
    struct hist *latency;
    int64_t until_ns; /* -1: not reached */
    uint64_t checksum;
    double alone_s; /* NaN: not asked */
    struct event_meter *events;
    struct tally *tally; /* NULL: it counts nothing */
};

/* A VM or a host: whether it is there and up. */
struct up_meter {
    bool there, up;
    bool was_there;   /* ever */
    int64_t since_ns; /* up to when up_ns is accounted for */
    int64_t up_ns;    /* in the window */
};

/* A service: up while `need` of its VMs are. It fails where it was up and then is down for any time at all.
 */
struct service_meter {
    struct up_meter is;
    uint32_t n_up;        /* of its VMs */
    bool was_up, ever_up; /* as it was for some time */
    struct event_meter *events;
};

/* A number of VMs or hosts, as it is at the last record of each instant. */
struct number_meter {
    struct level_meter level;
    __int128 sampled;
};

struct ups_meter {
    bool vms_told, hosts_told; /* by any record; a backend may tell nothing of power */
    struct up_meter *vms, *hosts;
    struct service_meter *services;
    uint32_t *first_of, *service_of; /* VM v is of services service_of[first_of[v] .. first_of[v + 1]) */
    struct number_meter down, on;    /* VMs that are there and not up; hosts that are up */
};

/* How busy a host's pCPUs are, and the power that goes with it. Energy is in mW ns times pCPUs, a whole
 * number: see meter_power.c. */
struct power_meter {
    uint32_t running;             /* pCPUs on which a vCPU or a thread of the host runs */
    int64_t busy_ns, since_ns;    /* of all its pCPUs, from time 0 up to since_ns; a switch when it ends */
    int64_t busy_sampled;         /* at the last sample */
    int64_t piece_ns, piece_busy; /* where the piece began that is not in `energy` yet, and busy_ns then */
    bool up, next_up, changes;    /* changes: the next_ ones hold after change_ns */
    uint32_t speed, next_speed;
    int64_t change_ns;
    __int128 energy; /* from time 0 up to piece_ns */
    __int128 base, sampled, marked;
    double max_w;
};

/* Where a VM is, for scenarios in which they move. */
struct home_meter {
    uint32_t host;    /* as its last record has it */
    uint32_t running; /* its vCPUs that run, all on */
    uint32_t runs_on; /* this host */
    bool told, moved;
};

/* What VMs did on a host, whichever were there. */
struct guests_meter {
    int64_t state[VCPU_NSTATES]; /* in the window */
    struct hist slice, wait;
};

struct dists {
    struct hist slice, wait, latency;
};
#define METER_NAME_LEN 100 /* "vm." + 63 + "-99999" + ".vcpu1023" */

/* What is reported under one name of its own: a VM, or a group of too many to name. */
struct meter_unit {
    const char *name; /* "vm.db" */
    uint32_t first_vm, n_vms;
};

struct meter {
    const struct scenario *sc;
    struct meter_opts opts;
    int64_t warmup_ns, end_ns, next_boundary, next_sample;
    bool warm, finished;
    struct vcpu_meter *vcpus;
    struct vcpu_marks *marks; /* of each vCPU */
    struct pcpu_meter *pcpus;
    struct vm_meter *vms;
    uint32_t *first_pcpu; /* of each host */
    uint32_t *first_vcpu; /* of each VM: apart from vms, which the hot path need not touch */
    uint32_t n_vcpus, n_pcpus;
    struct dists *dists; /* one a unit, one a vCPU of units that have several */
    size_t n_dists;
    struct meter_unit *units;
    uint32_t n_units;
    struct event_meter **host_events, **pcpu_events, **vcpu_events; /* of each; NULL: it had none */
    struct event_meter *cluster_events;
    struct ups_meter ups;
    struct power_meter *power;        /* of each host; NULL: it is of no interest how busy they are */
    bool powered;                     /* some host states its power */
    int64_t marked_ns;                /* up to when the power's maximum is known */
    double max_w;                     /* of the cluster */
    struct home_meter *homes;         /* of each VM; NULL: they do not move */
    struct guests_meter *guests;      /* of each host, likewise */
    struct overhead_meter *overheads; /* of each vCPU; NULL: there was none */
    struct threads_meter *threads;    /* of each host; NULL: none has any */
    struct dev_meter *devs;           /* of each device; NULL: the scenario has none */
    struct tally **host_tallies;      /* of each host: NULL, or its own */
    __int128 *held;                   /* of each host: mem.resident of all its VMs, kept up as it changes */
    unsigned *host_has;               /* of each host, enum meter_has */
    struct tally **tallies;           /* every one there is */
    size_t n_tallies, cap_tallies;
    char *broken; /* the first law found broken */
    /* samples */
    const char **col_entity, **col_metric, **col_unit;
    size_t n_cols;
    struct resource_col *resource_cols; /* the last of the columns */
    size_t n_resource_cols;
    struct series series;
    int64_t *sample_t;
    double *sample_v;
    size_t sample_cap;
    struct happening *happenings;
    size_t n_happenings, cap_happenings, happenings_cut;
    char **names; /* entity names made for the output */
    size_t n_names, cap_names;
    struct results *results;
    struct run_output output;
};

/* Remembers the first broken law; the run will be refused for it. */
__attribute__((format(printf, 2, 3))) void meter_broken(struct meter *m, const char *fmt, ...);
/* A name that lives as long as the meter. */
__attribute__((format(printf, 2, 3))) const char *meter_name(struct meter *m, const char *fmt, ...);

/* The pCPU of a record that closes an interval of it, which is taken into account; what it was for is not. */
struct pcpu_meter *meter_pcpu_interval(struct meter *m, const struct rec *r);
/* How much of the record's interval lies in the window. */
static inline int64_t meter_in_window(const struct meter *m, const struct rec *r)
{
    int64_t since = r->t_ns - m->warmup_ns;
    return since >= r->value ? r->value : since > 0 ? since : 0;
}

/* meter_event.c */
void meter_event_read(struct meter *m, const struct rec *r);
void meter_event_count(struct event_meter **e, enum rec_event what, int64_t t_ns);
/* Adds b to a, kind by kind; b may be NULL. */
void meter_event_add(struct event_meter *a, const struct event_meter *b);
uint64_t meter_event_total(const struct event_meter *e, enum rec_event what); /* e may be NULL */
void meter_event_done(struct meter *m);

/* meter_up.c: what is there and up: VMs, hosts, services */
void meter_up_init(struct meter *m);
void meter_up_done(struct meter *m);
void meter_up_read(struct meter *m, const struct rec *r);
void meter_up_end_warmup(struct meter *m);
void meter_up_end(struct meter *m);
/* Whether a VM is to be told of: one that was to come and never came is not. */
bool meter_was_there(const struct meter *m, uint32_t vm);
double meter_up_share(const struct meter *m, const struct up_meter *u); /* of the window */
/* The mean since the last call, of a sample that ends at t_ns. */
double meter_up_sample(const struct meter *m, struct number_meter *n, int64_t t_ns);

/* meter_power.c */
void meter_power_init(struct meter *m);
void meter_power_change(struct meter *m, const struct rec *r); /* a host's REC_POWER */
void meter_power_run(struct meter *m, uint32_t host, int64_t t_ns, int by);
void meter_power_busy(struct meter *m, uint32_t host, int64_t t_ns, int64_t ns); /* more, told afterwards */
void meter_power_end_warmup(struct meter *m);
/* A boundary, or the end of the run: power up to t_ns is looked at for its maximum. */
void meter_power_mark(struct meter *m, int64_t t_ns);
double meter_power_util(struct meter *m, uint32_t host, int64_t t_ns); /* of the sample that ends at t_ns */
double meter_power_sample(struct meter *m, uint32_t host);             /* W, of the sample that just ended */
double meter_power_joules(const struct meter *m, uint32_t host);       /* in the window */

/* meter_home.c: VMs that move, and what runs where; called only where m->power is there */
void meter_home_init(struct meter *m);
/* The reader, in place of meter.c's own. */
void meter_home_read(void *ctx, const struct rec *r, size_t n);
void meter_home_state(struct meter *m, const struct rec *r, uint32_t was);
void meter_home_at(struct meter *m, const struct rec *r); /* any other record of a VM */
void meter_home_laws(struct meter *m);
void meter_home_done(struct meter *m);
static inline uint32_t meter_home_of(const struct meter *m, uint32_t vm)
{
    return m->homes ? m->homes[vm].host : m->sc->vms[vm].host;
}

/* meter_thread.c: time of a host's own threads, and overhead */
void meter_thread_overhead(struct meter *m, const struct rec *r);
void meter_thread_read(struct meter *m, const struct rec *r);
void meter_thread_end_warmup(struct meter *m);
void meter_thread_laws(struct meter *m);
void meter_thread_done(struct meter *m);
/* What its threads ran from time 0 up to t_ns, which is not before the last record. */
static inline int64_t meter_thread_until(const struct thread_meter *t, int64_t t_ns)
{
    return t->run_ns + (t->state == VCPU_RUN ? t_ns - t->last_ns : 0);
}

/* meter_count.c: counts and levels */
void meter_count_read(struct meter *m, const struct rec *r);
void meter_count_end_warmup(struct meter *m);
/* Levels that are told for VMs and for their host agree; at an instant that is over. */
void meter_count_laws(struct meter *m);
/* The tally of an entity, made where it has none yet. */
struct tally *meter_count_new(struct meter *m, struct tally **place);
void meter_count_done(struct meter *m);
/* In the window; a tally may be NULL. */
int64_t meter_count_of(const struct tally *t, int what);
__int128 meter_count_integral(const struct tally *t, int what, int64_t t_ns); /* from time 0 up to t_ns */
double meter_count_mean(const struct meter *m, const struct tally *t, int what);
int64_t meter_count_max(const struct tally *t, int what);

/* meter_dev.c: disk requests and the laws of queues */
void meter_dev_io(struct meter *m, const struct rec *r);
/* A disk's queue is about to change at t_ns: what ended before is held against the laws. */
void meter_dev_settle(struct meter *m, uint32_t dev, int64_t t_ns);
void meter_dev_laws(struct meter *m);

/* meter_has.c: what an entity has, and so which rows and columns are its */
enum meter_has { METER_MEM = 1, METER_DISK = 2, METER_NET = 4, METER_EXITS = 8 };
unsigned meter_has_vm(const struct meter *m, uint32_t vm);
void meter_has_init(struct meter *m);                        /* m->host_has: METER_MEM or nothing */
unsigned meter_has_dev(const struct meter *m, uint32_t dev); /* METER_DISK or METER_NET */
bool meter_has_pool(const struct meter *m, uint32_t dev);
bool meter_has_own(const struct meter *m, const struct meter_unit *u); /* every VM its own distributions */
bool meter_has_ups(const struct meter *m); /* anything may go down or come up, but at the start and the end */

/* meter_sample.c */
void meter_sample_init(struct meter *m);
void meter_sample_take(struct meter *m, int64_t t_ns);
void meter_sample_done(struct meter *m);
/* meter_column.c: the columns of memory, disks and networks, and of what is above the hosts */
/* The VMs' are left out where they would be more than `most`. How many there can be: */
size_t meter_column_most(const struct meter *m, size_t most);
void meter_column_init(struct meter *m, size_t most);
void meter_column_take(struct meter *m, int64_t t_ns, double *row);
/* meter_laws.c */
void meter_check_laws(struct meter *m);

/* The vCPU time in each state of a set of VMs, and what fairness needs. */
struct meter_sums {
    int64_t state[VCPU_NSTATES], overhead;
    uint64_t vcpus;
    double x, xx; /* of run/weight over vCPUs never idle */
    uint64_t busy_vcpus;
};

/* meter_put.c: rows of one kind each */
double meter_put_span(const struct meter *m); /* measured time, s */
void meter_put(struct meter *m, const char *e, const char *metric, const char *stat, const char *unit,
               double v);
void meter_put_count(struct meter *m, const char *e, const char *metric, const char *unit, uint64_t n);
void meter_put_time(struct meter *m, const char *e, const char *metric, int64_t ns, double of_ns);
void meter_put_dist(struct meter *m, const char *e, const char *metric, const struct hist *h);
void meter_put_events(struct meter *m, const char *e, const struct event_meter *ev);
void meter_put_unserved(struct meter *m, const char *e, const struct meter_sums *s);
void meter_put_fairness(struct meter *m, const char *e, const struct meter_sums *s);
/* The spread over the n members of a folded group, of which v tells one value each (it is sorted). */
void meter_put_spread(struct meter *m, const char *e, const char *metric, const char *unit, double *v,
                      size_t n);
void meter_put_add_vcpu(const struct meter *m, const struct vcpu_meter *v, struct meter_sums *s);
void meter_put_add_vms(const struct meter *m, uint32_t first, uint32_t n, struct meter_sums *s);

/* meter_rows.c: into m->results */
void meter_write_rows(struct meter *m);
/* A host with its pCPUs, a VM with its vCPUs, a device, under their own names. */
void meter_write_host(struct meter *m, uint32_t host);
/* meter_rows_vm.c */
void meter_write_vm(struct meter *m, uint32_t vm);
void meter_write_unit(struct meter *m, const struct meter_unit *u);
/* Adds all slices, waits and latencies of a unit. */
void meter_add_dists(const struct meter *m, const struct meter_unit *u, struct dists *to);
void meter_done_dists(struct dists *d);
/* meter_rows_res.c: memory, disks, networks, exits */
void meter_write_vm_res(struct meter *m, const struct meter_unit *u);
void meter_write_host_res(struct meter *m, const char *e, uint32_t first, uint32_t n);
void meter_write_dev(struct meter *m, uint32_t dev);
void meter_write_devs(struct meter *m); /* those of folded hosts folded */
void meter_write_reach(struct meter *m);
/* meter_rows_cloud.c: availability, boot, migration, power, cost */
void meter_write_vm_cloud(struct meter *m, const struct meter_unit *u);
void meter_write_host_cloud(struct meter *m, const char *e, uint32_t first, uint32_t n);
void meter_write_cluster_cloud(struct meter *m);
void meter_write_services(struct meter *m);
/* meter_ecdf.c */
void meter_make_ecdfs(struct meter *m);

/* What v has had of state st up to t_ns, which is not before its last record. */
static inline int64_t meter_state_until(const struct vcpu_meter *v, int st, int64_t t_ns)
{
    return v->total[st] + ((uint32_t)st == v->state ? t_ns - v->last_ns : 0);
}

/* The most requests inside, up to the end. */
static inline int64_t meter_most_inside(const struct vm_meter *v)
{
    return v->inside > v->inside_max ? v->inside : v->inside_max;
}

static inline double meter_s(int64_t ns)
{
    return (double)ns / 1e9;
}

#endif
