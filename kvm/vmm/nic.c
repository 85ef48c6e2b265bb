// SPDX-License-Identifier: GPL-3.0-or-later
/* A NIC as its VMM sees it: frames go to the switch and come from it (kvm/net.h). A switch that hangs up or
 * says what cannot be is gone: what is sent ends with ABI_EGONE, now and later, and nothing comes any more.
 *
 * Both ways a frame is copied once, through memory that the guest does not see. What waits for room waits in
 * the sender's ring, or in the switch: here it is one frame each way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvm/net.h"
#include "kvm/vmm/dev.h"

#define BURST  256u /* messages of the switch a turn, then others are seen to */
#define POSTED (ABI_RING_LEN * ABI_MAX_VCPUS)

struct sent {
    uint32_t vcpu, tag, bytes;
    uint32_t next; /* in the free list */
    bool used, quiet;
};

struct buffer { /* that the guest wants a frame in */
    uint32_t vcpu, tag, offset, length;
};

struct message {
    struct net_msg head;
    uint8_t frame[NET_FRAME_MAX + 1];
};

struct nic {
    struct sent sent[NET_WINDOW];
    uint32_t free, n_sent;
    uint32_t open[ABI_MAX_VCPUS]; /* of `sent`, each vCPU's */
    struct buffer posted[POSTED]; /* a ring: no more than rings hold */
    uint32_t posted_head, n_posted;
    struct message out, in;
    uint32_t out_bytes; /* of `out`, not sent yet; 0: none */
    uint32_t in_bytes;  /* of a frame in `in` that no buffer is there for; 0: none */
    bool more;          /* the switch may have more to say */
};

static int make(struct dev *d)
{
    struct nic *k = d->own = calloc(1, sizeof *k);
    if (!k) return -1;
    for (uint32_t i = 0; i < NET_WINDOW; i++)
        k->sent[i].next = i + 1;
    return 0;
}

static void answer(struct dev *d, uint32_t cookie, enum abi_status status)
{
    struct nic *k = d->own;
    struct sent *s = &k->sent[cookie];
    s->used = false;
    s->next = k->free;
    k->free = cookie;
    k->n_sent--;
    struct abi_comp comp = {.tag = s->tag, .status = (uint32_t)status};
    if (status == ABI_DONE) comp.value = s->bytes;
    k->open[s->vcpu]--;
    if (s->quiet && k->open[s->vcpu] > 0 && status == ABI_DONE)
        dev_give_quietly(d, s->vcpu, comp);
    else
        dev_give(d, s->vcpu, comp);
}

static void gone(struct dev *d)
{
    struct nic *k = d->own;
    if (d->peer_fd >= 0) close(d->peer_fd);
    d->peer_fd = -1;
    d->stuck = k->more = false;
    k->out_bytes = k->in_bytes = 0;
    for (uint32_t i = 0; i < NET_WINDOW; i++)
        if (k->sent[i].used) answer(d, i, ABI_EGONE);
}

/* --- out --- */

static void send_out(struct dev *d)
{
    struct nic *k = d->own;
    if (k->out_bytes > 0 && d->peer_fd >= 0) {
        if (send(d->peer_fd, &k->out, k->out_bytes, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            k->out_bytes = 0;
        else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != EINTR)
            gone(d);
    }
    d->stuck = k->out_bytes > 0 || k->n_sent == NET_WINDOW;
}

static void submit_send(struct dev *d, uint32_t vcpu, const struct abi_sub *sub)
{
    struct nic *k = d->own;
    if (d->peer_fd < 0 || sub->length < NET_ETHER || sub->length > NET_FRAME_MAX) {
        enum abi_status no = d->peer_fd < 0 ? ABI_EGONE : ABI_EINVAL;
        dev_give(d, vcpu, (struct abi_comp){.tag = sub->tag, .status = (uint32_t)no});
        return;
    }
    uint32_t cookie = k->free; /* there is one: with none left the device is stuck */
    k->free = k->sent[cookie].next;
    k->sent[cookie] = (struct sent){.vcpu = vcpu, .tag = sub->tag, .bytes = sub->length, .used = true};
    k->sent[cookie].quiet = sub->flags & ABI_SUB_QUIET;
    k->open[vcpu]++;
    k->n_sent++;
    k->out.head = (struct net_msg){NET_FRAME, cookie};
    memcpy(k->out.frame, d->window + sub->offset, sub->length);
    k->out_bytes = (uint32_t)sizeof k->out.head + sub->length;
    send_out(d);
}

static bool submit(struct dev *d, uint32_t vcpu, const struct abi_sub *sub, const char **why)
{
    struct nic *k = d->own;
    (void)why;
    if (sub->op == ABI_OP_SEND) {
        submit_send(d, vcpu, sub);
    } else if (sub->op == ABI_OP_RECEIVE) { /* there is room: rings hold no more */
        k->posted[(k->posted_head + k->n_posted++) % POSTED] =
            (struct buffer){vcpu, sub->tag, sub->offset, sub->length};
        k->more = true;
    } else {
        dev_give(d, vcpu, (struct abi_comp){.tag = sub->tag, .status = ABI_EINVAL});
    }
    return true;
}

/* --- in --- */

/* A frame into the first buffer. False: there is none. */
static bool deliver(struct dev *d, const uint8_t *frame, uint32_t len)
{
    struct nic *k = d->own;
    if (k->n_posted == 0) return false;
    struct buffer b = k->posted[k->posted_head];
    if (len > b.length) return true; /* it does not fit: lost, as on a real NIC */
    k->posted_head = (k->posted_head + 1) % POSTED;
    k->n_posted--;
    memcpy(d->window + b.offset, frame, len); /* checked when it was posted */
    dev_give(d, b.vcpu, (struct abi_comp){.tag = b.tag, .status = ABI_DONE, .value = len});
    return true;
}

/* False: no sense can be made of it. */
static bool take_left(struct dev *d, uint32_t n, uint32_t bytes)
{
    struct nic *k = d->own;
    uint32_t cookies[NET_LEFT_MAX];
    if (n > NET_LEFT_MAX || bytes != n * sizeof *cookies) return false;
    memcpy(cookies, k->in.frame, bytes);
    for (uint32_t i = 0; i < n; i++) {
        if (cookies[i] >= NET_WINDOW || !k->sent[cookies[i]].used) return false;
        answer(d, cookies[i], ABI_DONE);
    }
    return true;
}

/* The next message. False: nothing more can be done now. */
static bool receive(struct dev *d)
{
    struct nic *k = d->own;
    if (k->in_bytes > 0) {
        if (!deliver(d, k->in.frame, k->in_bytes)) return false;
        k->in_bytes = 0;
    }
    ssize_t n = recv(d->peer_fd, &k->in, sizeof k->in, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
    bool sense = n > (ssize_t)sizeof k->in.head && n < (ssize_t)sizeof k->in;
    uint32_t bytes = sense ? (uint32_t)n - (uint32_t)sizeof k->in.head : 0;
    if (sense && k->in.head.kind == NET_FRAME)
        k->in_bytes = bytes;
    else if (!sense || k->in.head.kind != NET_LEFT || !take_left(d, k->in.head.n, bytes))
        gone(d);
    return d->peer_fd >= 0;
}

static void pull(struct dev *d)
{
    struct nic *k = d->own;
    uint32_t left = BURST;
    while (left > 0 && d->peer_fd >= 0 && receive(d))
        left--;
    k->more = left == 0 && d->peer_fd >= 0;
    if (d->peer_fd >= 0) send_out(d); /* what has left makes room */
}

static void flush(struct dev *d)
{
    if (((struct nic *)d->own)->more) pull(d);
}

static void ready(struct dev *d, uint32_t events)
{
    (void)events;
    pull(d);
}

static int64_t due_ns(const struct dev *d)
{
    return d->peer_fd >= 0 && ((const struct nic *)d->own)->more ? 0 : INT64_MAX;
}

const struct dev_class dev_nic = {
    .make = make, .submit = submit, .flush = flush, .ready = ready, .due_ns = due_ns};
