// SPDX-License-Identifier: GPL-3.0-or-later
/* A disk as its VMM sees it: requests go to the datastore, answers come back. A datastore that hangs up, says
 * what cannot be, or is silent though asked, is gone: then every request ends with ABI_EGONE, now and later.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvm/store/proto.h"
#include "kvm/vmm/dev.h"

#define PING_NS   1000000000 /* silent for so long with requests open: it is asked whether it is there */
#define SILENT_NS 3000000000 /* and for so long: it is not */

struct open {
    uint32_t vcpu, tag;
    uint32_t next; /* in the free list */
    bool used;
    bool told; /* of it the runner is told, under this number: */
    int64_t number;
};

struct disk {
    struct store_ask out[STORE_BATCH]; /* not sent yet */
    uint32_t n_out;
    uint32_t n_open, free;
    int64_t heard_ns, pinged_ns;
    int64_t told; /* requests that the runner was told of */
    struct open open[STORE_OPEN_MOST];
};

static int make(struct dev *d)
{
    struct disk *k = d->own = calloc(1, sizeof *k);
    if (!k) return -1;
    for (uint32_t i = 0; i < STORE_OPEN_MOST; i++)
        k->open[i].next = i + 1;
    return 0;
}

static void answer(struct dev *d, uint32_t id, enum abi_status status, uint64_t bytes)
{
    struct disk *k = d->own;
    struct open *o = &k->open[id];
    struct abi_comp comp = {.tag = o->tag, .status = (uint32_t)status, .value = bytes};
    if (o->told)
        ctl_io_put(&d->vmm->ctl->ios, (struct ctl_io){.t_ns = gate_now(),
                                                      .value = o->number,
                                                      .bytes = bytes,
                                                      .kind = CTL_IO_DONE,
                                                      .dev = (uint16_t)d->index,
                                                      .status = (uint32_t)status});
    o->used = false;
    o->next = k->free;
    k->free = id;
    k->n_open--;
    dev_give(d, o->vcpu, comp);
}

static void gone(struct dev *d)
{
    struct disk *k = d->own;
    if (d->peer_fd >= 0) close(d->peer_fd);
    d->peer_fd = -1;
    d->stuck = false;
    k->n_out = 0;
    for (uint32_t i = 0; i < STORE_OPEN_MOST; i++)
        if (k->open[i].used) answer(d, i, ABI_EGONE, 0);
}

/* What has gathered, or a ping. False: the socket takes nothing now, or is no more. */
static bool send_all(struct dev *d, const struct store_ask *ask, uint32_t n)
{
    if (send(d->peer_fd, ask, n * sizeof *ask, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) gone(d);
    return false;
}

static void flush(struct dev *d)
{
    struct disk *k = d->own;
    if (k->n_out == 0 || d->peer_fd < 0) return;
    if (send_all(d, k->out, k->n_out)) k->n_out = 0;
    d->stuck = k->n_out == STORE_BATCH;
}

static bool submit(struct dev *d, uint32_t vcpu, const struct abi_sub *sub, const char **why)
{
    struct disk *k = d->own;
    struct abi_comp no = {.tag = sub->tag, .status = ABI_EINVAL};
    *why = "a disk request is longer than its buffer";
    bool moves = sub->op == ABI_OP_READ || sub->op == ABI_OP_WRITE;
    if (moves && sub->bytes > sub->length && sub->length != ABI_PIECE) return false;
    if (sub->op < ABI_OP_READ || sub->op > ABI_OP_TRIM) {
        dev_give(d, vcpu, no);
        return true;
    }
    uint32_t id = k->free; /* there is one: rings hold no more */
    if (k->n_open == 0) k->heard_ns = gate_now();
    k->free = k->open[id].next;
    k->open[id] = (struct open){.vcpu = vcpu, .tag = sub->tag, .used = true, .told = moves};
    if (moves) {
        k->open[id].number = k->told++;
        ctl_io_put(&d->vmm->ctl->ios, (struct ctl_io){.t_ns = gate_now(),
                                                      .value = k->open[id].number,
                                                      .bytes = sub->bytes,
                                                      .kind = CTL_IO_ASKED,
                                                      .dev = (uint16_t)d->index});
    }
    k->n_open++;
    if (d->peer_fd < 0) {
        answer(d, id, ABI_EGONE, 0);
        return true;
    }
    k->out[k->n_out++] = (struct store_ask){.id = id,
                                            .op = sub->op,
                                            .flags = sub->flags,
                                            .offset = sub->offset,
                                            .length = sub->length,
                                            .at = sub->at,
                                            .bytes = sub->bytes};
    if (k->n_out == STORE_BATCH) flush(d);
    return true;
}

/* One message. False: there is none, or nobody to send any. */
static bool receive(struct dev *d)
{
    struct disk *k = d->own;
    struct store_answer got[STORE_BATCH];
    ssize_t n = recv(d->peer_fd, got, sizeof got, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
    if (n <= 0 || (size_t)n > sizeof got || (size_t)n % sizeof *got != 0) {
        gone(d);
        return false;
    }
    k->heard_ns = gate_now();
    for (size_t i = 0; i < (size_t)n / sizeof *got; i++) {
        if (got[i].id == STORE_PING) continue;
        if (got[i].id >= STORE_OPEN_MOST || !k->open[got[i].id].used || got[i].status >= ABI_NSTATUS) {
            gone(d);
            return false;
        }
        answer(d, got[i].id, (enum abi_status)got[i].status, got[i].bytes);
    }
    return true;
}

/* Open requests and silence: is it still there? */
static void look(struct dev *d)
{
    struct disk *k = d->own;
    int64_t now = gate_now();
    if (k->n_open == 0) return;
    if (now - k->heard_ns >= SILENT_NS) {
        gone(d);
    } else if (now - k->heard_ns >= PING_NS && now - k->pinged_ns >= PING_NS) {
        const struct store_ask ping = {.id = STORE_PING};
        k->pinged_ns = now;
        send_all(d, &ping, 1);
    }
}

static void ready(struct dev *d, uint32_t events)
{
    if (d->peer_fd < 0) return;
    if (events & EPOLLOUT) flush(d);
    while (d->peer_fd >= 0 && receive(d)) {
    }
    if (d->peer_fd >= 0) look(d);
}

static int64_t due_ns(const struct dev *d)
{
    const struct disk *k = d->own;
    if (d->peer_fd < 0 || k->n_open == 0) return INT64_MAX;
    int64_t next = k->heard_ns + PING_NS, ping = k->pinged_ns + PING_NS;
    if (ping > next) next = ping;
    return next < k->heard_ns + SILENT_NS ? next : k->heard_ns + SILENT_NS;
}

const struct dev_class dev_disk = {
    .make = make, .submit = submit, .flush = flush, .ready = ready, .due_ns = due_ns};
