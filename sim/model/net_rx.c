// SPDX-License-Identifier: GPL-3.0-or-later
/* Where frames end. One for a VM waits for the CPU time of a packet first: that of its host's I/O thread,
 * where a hypervisor stands between (at most rx_queue frames of a NIC wait for it), or of the task that
 * receives it, where none does (at most rx_queue frames of a VM wait for one). What finds the queue full is
 * dropped. */
#include "model/net_inner.h"

#include "model/net.h"
#include "model/thread.h"

static void count(struct book *b, const struct net_frame *f)
{
    if (!b) return;
    book_add(b, REC_N_NET_FRAMES, 1);
    book_add(b, REC_N_NET_BYTES, f->payload);
    book_add(b, REC_N_NET_WIRE, f->wire);
}

/* The frame is through, for good or ill; it counts no longer against its sender. */
static void gone(struct net *net, uint32_t i)
{
    uint32_t from = net->routes[net->frames[i].route].from;
    if (net->routes[net->frames[i].route].inside) {
        net_left(net, i);
        net_frame_free(net, i);
        net_room(net, from);
    } else {
        net_frame_free(net, i);
    }
}

static void drop(struct net *net, uint32_t i)
{
    const struct net_frame *f = &net->frames[i];
    const struct net_route *r = &net->routes[f->route];
    struct book *vm = net->m->vms[r->to].book;
    if (vm) book_add(vm, REC_N_NET_DROPS, 1);
    if (r->nic != NONE) book_add(&net->m->dev_books[net->m->sc->n_disks + r->nic], REC_N_NET_DROPS, 1);
    net->dropped++;
    net->dropped_bytes += f->payload;
    gone(net, i);
}

/* --- a VM's frames that nobody has taken yet --- */

/* The first task that waits takes what is there; where that has a price it must run first. */
static void hand_out(struct net *net, uint32_t vm)
{
    struct net_vm *v = &net->vms[vm];
    if (v->receiving.head == NONE || v->unread == 0) return;
    uint32_t t = v->receiving.head;
    struct net_step *k = &v->steps[t];
    if (v->unread_ps == 0) {
        int64_t n = v->unread < k->need ? v->unread : k->need;
        v->unread -= n;
        k->need -= n;
        if (k->need > 0) return;
    }
    v->receiving.head = k->next;
    k->listed = false;
    net_wake(net, vm, t);
}

int net_take(struct net *net, uint32_t vm, uint32_t t, int64_t *useful_ns)
{
    struct net_vm *v = &net->vms[vm];
    struct net_step *k = &v->steps[t];
    while (v->unread > 0 && k->need > 0) { /* one by one where each has its price, else all at once */
        int64_t n = v->unread_ps ? 1 : v->unread < k->need ? v->unread : k->need;
        int64_t ps = v->unread_ps / v->unread;
        v->unread -= n;
        v->unread_ps -= ps;
        k->need -= n;
        *useful_ns = net_price_ns(v, ps);
        if (*useful_ns > 0) return NET_RUN;
    }
    if (k->need == 0) return NET_OVER;
    k->next = NONE;
    k->listed = k->waiting = true;
    if (v->receiving.head == NONE)
        v->receiving.head = t;
    else
        v->steps[v->receiving.tail].next = t;
    v->receiving.tail = t;
    return NET_WAIT;
}

/* --- arriving --- */

static void deliver(struct net *net, uint32_t i)
{
    const struct net_frame *f = &net->frames[i];
    const struct net_route *r = &net->routes[f->route];
    uint32_t to = r->to, n_vms = net->m->sc->n_vms;
    net->delivered++;
    net->delivered_bytes += f->payload;
    if (to >= n_vms) {
        const struct scenario *sc = net->m->sc;
        count(&net->m->dev_books[sc->n_disks + sc->n_nics + sc->n_networks + to - n_vms], f);
        gone(net, i);
        return;
    }
    struct net_vm *v = &net->vms[to];
    count(net->m->vms[to].book, f);
    v->unread++;
    if (v->pays) v->unread_ps += r->rx_ps;
    gone(net, i);
    hand_out(net, to);
}

void net_arrive(struct net *net, uint32_t i)
{
    const struct net_frame *f = &net->frames[i];
    const struct net_route *r = &net->routes[f->route];
    uint32_t from = r->from;
    bool inside = r->inside;
    if (r->bulk) {
        struct mhost *h = &net->m->hosts[r->to];
        net_touch(net, h);
        thread_give(net->m, h, THREAD_IO, JOB_NET_RX, r->rx_ps * f->frames / 1000, i);
        return;
    }
    if (r->to < net->m->sc->n_vms && net->vms[r->to].down) {
        drop(net, i);
        if (!inside) net_room(net, from);
        return;
    }
    if (r->to >= net->m->sc->n_vms || r->rx_ps == 0) {
        deliver(net, i);
    } else if (net->vms[r->to].pays) {
        if (!inside && net->vms[r->to].unread >= net->m->sc->nics[r->nic].rx_queue)
            drop(net, i);
        else
            deliver(net, i);
    } else if (!inside && net->rx_waiting[r->nic] >= net->m->sc->nics[r->nic].rx_queue) {
        drop(net, i);
    } else {
        if (!inside) net->rx_waiting[r->nic]++;
        struct mhost *h = &net->m->hosts[net->now.vms[r->to].host];
        net_touch(net, h);
        thread_give(net->m, h, THREAD_IO, JOB_NET_RX, net_price_ns(&net->vms[r->to], r->rx_ps), i);
    }
    if (!inside) net_room(net, from);
}

void net_rx_job(struct model *m, uint64_t arg)
{
    struct net *net = m->net;
    const struct net_route *r = &net->routes[net->frames[arg].route];
    if (r->bulk) {
        net_bulk_came(net, (uint32_t)arg);
        return;
    }
    if (!r->inside) net->rx_waiting[r->nic]--;
    if (net->vms[r->to].down)
        drop(net, (uint32_t)arg);
    else
        deliver(net, (uint32_t)arg);
}
