// SPDX-License-Identifier: GPL-3.0-or-later
/* cloud_inner.h - the manager's own state, shared by the cloud_*.c files and by nobody else. */
#ifndef VLAB_MODEL_CLOUD_INNER_H
#define VLAB_MODEL_CLOUD_INNER_H

#include "model/cloud.h"
#include "policy/place.h"
#include "policy/scale.h"

/* The manager's appointments: arg of its event is kind + index * CLOUD_NWHATS. */
enum cloud_what {
    CLOUD_HOST_DETECT,
    CLOUD_HOST_DISPATCH,
    CLOUD_VM_DETECT,
    CLOUD_VM_DISPATCH,
    CLOUD_REQUEST,
    CLOUD_SCALE,
    CLOUD_BALANCE,
    CLOUD_SOON,  /* drains go on, stranded VMs are tried again, hosts without VMs are switched off */
    CLOUD_SPEED, /* a host's speed step */
    CLOUD_NWHATS
};

#define CLOUD_TRIES 64u /* hosts that admission looks at before it says no */

struct cloud_host {
    int64_t failed_ns; /* when it last did; -1: never */
    int64_t busy_ns;   /* what its VMs had run when that was last looked at */
};

struct cloud_vm {
    int64_t failed_ns;
    int64_t ran_ns, looked_ns; /* what it had run when its load was last looked at, and when */
    int64_t load_ppm;          /* then */
    int64_t life_ns;           /* from when it is up; INT64_MAX: without end */
    bool stranded;
    bool listed; /* among its flavour's free ones */
};

struct cloud_scale {
    struct scale state;
    bool asked; /* it will be looked at when this event's handler is through */
};

struct cloud_flavour {
    uint32_t *free; /* VMs that are not there; the last is taken next */
    uint32_t n_free;
};

struct cloud {
    const struct sc_cloud *sc;
    const struct place_class *policy; /* NULL: none */
    struct place_host *hosts;         /* as the policy sees them; cloud_place_hosts brings them up to date */
    struct cloud_host *host;
    struct cloud_vm *vm;
    bool rules;    /* some VM may not be on every host that has room for it */
    uint32_t turn; /* round robin's */
    uint32_t n_there, vcpus_there;
    int64_t bytes_there; /* of VMs that count for the quota */
    uint32_t n_stranded;
    uint32_t barred[CLOUD_TRIES]; /* hosts on which admission said no, in this search */
    struct place_vm *residents;   /* room for all VMs */
    struct place_mover *movers;
    struct place_move *moves;
    uint32_t *order; /* room for all VMs too */
    /* Rings of VMs that must be together, directly or by others between them: the next of a VM's ring; NULL:
     * nobody must. */
    uint32_t *ring;
    uint32_t *entry_of; /* room for all VMs: of a ring's lowest, its entry in residents */
    void *scratch;
    struct cloud_scale *scales;
    struct cloud_flavour *flavours;
    struct rng rng; /* requests' */
    uint64_t n_requests;
    int64_t loads_ns; /* when loads were last looked at */
    bool soon;        /* an appointment for that is made */
};

void cloud_at(struct model *m, int64_t at_ns, int prio, enum cloud_what what, uint32_t i);
bool cloud_rejected(struct model *m, const struct vm *vm, enum rec_why why); /* tells; false */

/* cloud_place.c */
void cloud_place_init(struct model *m);
/* All hosts as they are now. */
const struct place_host *cloud_place_hosts(struct model *m);
struct place_ask cloud_place_ask(const struct vm *vm,
                                 void *ctx); /* ctx: of CLOUD_CTX bytes, kept while it is used */
struct cloud_ctx {
    struct model *m;
    const struct vm *vm;
    bool together; /* a VM stands for all of its ring that are where it is */
    uint32_t at;   /* together: `vm` is there, wherever it may be now */
};
/* What only the manager knows, see place_ask. */
enum rec_why cloud_place_may(const void *ctx, uint32_t host);
/* Whether it failed, is to be up, and nothing but the manager will see to it. */
bool cloud_ha_waits(const struct vm *vm);
/* The next VM of the ring that is on the same host and has to be restarted too; `from` when there is no
 * other.
 */
struct vm *cloud_place_next(struct model *m, const struct vm *from);
/* Where one whose host has failed starts again, all of its ring that wait there with it; NULL: nowhere.
 * With `spares` as admission found room for it, by first-fit, whatever the policy; the VMs come in
 * place_decreasing's order. */
struct mhost *cloud_place_again(struct model *m, struct vm *vm, enum rec_why *why);
/* Where it goes; NULL: nowhere, *why tells. not: never there; NULL: anywhere. Admission counts where `admit`.
 */
struct mhost *cloud_place_pick(struct model *m, struct vm *vm, const struct mhost * not, bool admit,
                               enum rec_why *why);
/* Whether it may go there (a migration): REC_WHY_NONE, or why not. */
enum rec_why cloud_place_fits(struct model *m, const struct vm *vm, const struct mhost *h);
/* It is there from now on: whatever had run under its name before is not its load. */
void cloud_place_came(struct model *m, const struct vm *vm);
/* Measures loads anew: what each VM ran since the last time. */
void cloud_place_loads(struct model *m);
/* One more VM, as on that host, into c->residents, of which there are *n. */
void cloud_place_add(struct cloud *c, const struct vm *vm, uint32_t host, uint32_t *n);
/* Of c->residents, n of them, makes one of those that must be together, who wants what they want; how many.
 */
uint32_t cloud_place_together(struct model *m, uint32_t n);
/* All VMs on hosts that are not failed, and of the others those that wait to be started elsewhere and can be,
 * into c->residents; how many. Brings the hosts up to date. */
uint32_t cloud_place_residents(struct model *m);
bool cloud_place_rule(const void *ctx, const struct place_vm *vms, uint32_t vm, uint32_t host,
                      const uint32_t *there, uint32_t n_there);

/* The others. */
void cloud_ha_on(struct model *m, enum cloud_what what, uint32_t i);
void cloud_ha_retry(struct model *m); /* there is more room: those that are stranded */
void cloud_request_init(struct model *m);
void cloud_request_on(struct model *m);
void cloud_request_gone(struct model *m, const struct vm *vm);
void cloud_scale_init(struct model *m);
void cloud_scale_on(struct model *m, uint32_t i);
void cloud_balance_init(struct model *m);
void cloud_balance_on(struct model *m);
void cloud_balance_drain(struct model *m, struct mhost *h); /* the next one, if it is being drained */
void cloud_empty(struct model *m); /* hosts without VMs are switched off, if that is the policy */
void cloud_soon(struct model *m);
void cloud_speed_on(struct model *m, uint32_t host);

#endif
