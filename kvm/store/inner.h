// SPDX-License-Identifier: GPL-3.0-or-later
/* inner.h - the datastore's own state: peer.c talks to VMMs, serve.c says what goes when, medium.c asks the
 * file, faults.c lets go wrong what the plan says, main.c holds it together. One thread. */
#ifndef VLAB_KVM_STORE_INNER_H
#define VLAB_KVM_STORE_INNER_H

#include "kvm/store/engine.h"
#include "kvm/store/serve.h"
#include "kvm/store/store.h"

struct req {
    struct ioqueue_req q; /* first: the queue hands back this address */
    struct req *next;     /* in the list it is in: those that ripen, or answers to be sent */
    struct req *behind;   /* in the medium's line, where it may be as well */
    struct store_ask ask;
    uint32_t volume;
    uint32_t status;
    uint64_t moved;
    int64_t ripe_ns;
    bool used;
    bool ripens; /* the disk is not through with it */
    bool asks;   /* the medium is not */
    bool syncs;  /* it has its data, and is made to keep them */
    bool orphan; /* nobody waits for its answer */
};

struct list {
    struct req *head, *tail;
};

struct volume {
    const struct store_volume *cfg;
    int sock, direct, buffered; /* sock -1: its VMM is gone */
    unsigned char *window;
    struct req *reqs; /* STORE_OPEN_MOST, by id */
    struct list answers;
    uint64_t numbers; /* of requests so far, for the plan of faults */
    uint64_t taken;   /* bytes of the file, as last told */
    bool wrote;       /* since */
};

struct store {
    struct store_ctl *ctl;
    struct volume *vols;
    struct serve serve;
    bool busy; /* the runner was told that the server is at work */
    const struct engine_kind *kind;
    struct engine *engine;
    struct filter filter;
    uint32_t under_way; /* asked of the engine */
    struct list line;   /* wait for the engine, by `behind` */
    struct list ripen;  /* wait for their time, earliest first */
    int64_t look_ns;    /* the server has something again */
    int64_t timer_ns;   /* what the timer is set to; INT64_MAX: to nothing */
    int64_t told_ns;    /* when allocation was looked at */
};

static inline struct req *list_pop(struct list *l)
{
    struct req *r = l->head;
    if (r) l->head = r->next;
    if (!l->head) l->tail = NULL;
    return r;
}
static inline void list_push(struct list *l, struct req *r)
{
    r->next = NULL;
    if (l->tail)
        l->tail->next = r;
    else
        l->head = r;
    l->tail = r;
}

/* main.c */
int64_t store_now(void);
void store_enter(struct store *s, struct req *r); /* a new request, checked */
void store_look(struct store *s, struct req *r);  /* something of it is over: answer it if all is */

/* peer.c: takes what VMMs ask; sends answers. Who says what cannot be is hung up on. */
void peer_ready(struct store *s, uint32_t volume);
void peer_send(struct store *s, uint32_t volume);

/* medium.c */
void medium_ask(struct store *s, struct req *r);
void medium_pump(struct store *s);
void medium_take(struct store *s);

/* faults.c: what the plan has for this request: a status, and how much longer it takes. */
enum abi_status faults_draw(const struct store_faults *f, uint32_t volume, uint64_t number, bool write,
                            int64_t *longer_ns);
/* Until when nothing is answered; below 0: all is well at `now_ns` since t = 0. */
int64_t faults_stalled_until(const struct store_faults *f, int64_t now_ns);

#endif
