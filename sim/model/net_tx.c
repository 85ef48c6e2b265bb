// SPDX-License-Identifier: GPL-3.0-or-later
/* Sending. A send rings the doorbell once (the mode's price), finds its way, and hands over frame by frame,
 * as long as no more of the VM's are on their way than its window: those handed over and not through their
 * last stage. Before a frame goes, the CPU time of a packet is paid, by the task or by the host's I/O thread;
 * what is sent meanwhile is not waited for, so a flow has the smaller of the line's rate and that of the CPU:
 *
 *     bw = min(line, payload * 8 / c_packet)
 *
 * A VM's sends take turns, frame by frame. */
#include "model/net_inner.h"

#include "model/mode.h"
#include "model/net.h"
#include "model/thread.h"

static void tell(struct net *net, uint32_t vm, enum rec_event what, int64_t value, enum rec_why why)
{
    struct model *m = net->m;
    if (!rec_wants(m->out, REC_EVENT)) return;
    *rec_next(m->out) = (struct rec){
        .t_ns = sim_now(m->sim),
        .value = value,
        .host = m->vms[vm].host->index,
        .vm = vm,
        .vcpu = REC_NONE,
        .pcpu = REC_NONE,
        .kind = REC_EVENT,
        .to = (uint8_t)why,
        .cause = (uint8_t)what,
    };
}

void net_count_drops(struct net *net, uint32_t vm, int64_t n)
{
    struct model *m = net->m;
    uint32_t network = m->sc->vms[vm].network;
    if (m->vms[vm].book) book_add(m->vms[vm].book, REC_N_NET_DROPS, n);
    if (network != SC_NONE)
        book_add(&m->dev_books[m->sc->n_disks + m->sc->n_nics + network], REC_N_NET_DROPS, n);
}

/* --- handing over --- */

static void list(struct net_vm *v, uint32_t t)
{
    struct net_step *k = &v->steps[t];
    k->next = NONE;
    k->listed = true;
    if (v->sending.head == NONE)
        v->sending.head = t;
    else
        v->steps[v->sending.tail].next = t;
    v->sending.tail = t;
}

static void hand_over(struct net *net, uint32_t vm, uint32_t t)
{
    struct net_vm *v = &net->vms[vm];
    struct net_step *k = &v->steps[t];
    const struct net_route *r = &net->routes[k->route];
    uint32_t payload = k->bytes < r->payload ? (uint32_t)k->bytes : r->payload;
    uint32_t f = net_frame_new(net, k->route, t, payload);
    net->frames[f].life = v->life;
    k->bytes -= payload;
    k->out++;
    v->on_way++;
    net->handed++;
    net->handed_bytes += payload;
    int64_t cost_ns = v->pays ? 0 : net_price_ns(v, r->tx_ps);
    if (cost_ns == 0) {
        net_forward(net, f);
        return;
    }
    struct mhost *h = net->m->vms[vm].host;
    net_touch(net, h);
    thread_give(net->m, h, THREAD_IO, JOB_NET_TX, cost_ns, f);
}

/* Hands over what there is room for. What is delivered at once makes room at once: not from within, then. */
static void pump(struct net *net, uint32_t vm)
{
    struct net_vm *v = &net->vms[vm];
    if (v->pumping) return;
    v->pumping = true;
    if (net->m->vms[vm].off) v->sending.head = NONE; /* its tasks are no more */
    for (uint32_t t; (t = v->sending.head) != NONE;) {
        struct net_step *k = &v->steps[t];
        bool paid = k->phase == NET_PAID;
        if (v->on_way >= net->routes[k->route].window) break;
        v->sending.head = k->next;
        k->listed = false;
        if (paid) k->phase = NET_GO;
        hand_over(net, vm, t);
        if (paid && k->waiting)
            net_wake(net, vm, t);
        else if (!paid && k->bytes > 0)
            list(v, t);
    }
    v->pumping = false;
}

void net_room(struct net *net, uint32_t vm)
{
    struct net_vm *v = &net->vms[vm];
    v->on_way--;
    if (v->sending.head != NONE) pump(net, vm);
}

void net_left(struct net *net, uint32_t i)
{
    const struct net_frame *f = &net->frames[i];
    if (net->routes[f->route].bulk) return;
    uint32_t vm = net->routes[f->route].from;
    struct net_step *k = &net->vms[vm].steps[f->task];
    struct book *b = net->m->vms[vm].book;
    if (b) {
        book_add(b, REC_N_NET_FRAMES, 1);
        book_add(b, REC_N_NET_BYTES, f->payload);
        book_add(b, REC_N_NET_WIRE, f->wire);
    }
    if (f->life != net->vms[vm].life) return; /* nobody asks for it any more */
    k->out--;
    if (k->out == 0 && k->bytes == 0 && k->waiting && k->phase == NET_FLY) net_wake(net, vm, f->task);
}

void net_tx_job(struct model *m, uint64_t arg)
{
    net_forward(m->net, (uint32_t)arg);
}

/* --- the step --- */

static void time_out(struct net *net, uint32_t vm, uint32_t t)
{
    int64_t now = sim_now(net->m->sim);
    timers_set(&net->m->vms[vm].timers, now + NET_RETRY_NS, TIMER_TASK, t);
}

/* Finds the way. False: there is none now; the step waits for a time-out. */
static bool open(struct net *net, uint32_t vm, uint32_t t)
{
    struct net_vm *v = &net->vms[vm];
    struct net_step *k = &v->steps[t];
    const struct net_route *r = &net->routes[k->route];
    enum rec_why why = r->why ? (enum rec_why)r->why : net_is_cut(net, r) ? REC_WHY_LINK : REC_WHY_NONE;
    if (why != REC_WHY_NONE) {
        int64_t frames = k->bytes / r->payload + (k->bytes % r->payload > 0);
        net_count_drops(net, vm, frames);
        tell(net, vm, REC_EV_REFUSED, frames, why);
        k->phase = NET_GIVEN_UP;
        time_out(net, vm, t);
        return false;
    }
    if (r->pool == NONE) return true;
    k->conn = net_nat_begin(net, k->route, t);
    if (k->conn != NONE) return true;
    int64_t now = sim_now(net->m->sim);
    net_count_drops(net, vm, 1);
    if (v->full_at != now) tell(net, vm, REC_EV_NAT_FULL, net->pools[r->pool].ports, REC_WHY_PORTS);
    v->full_at = now;
    time_out(net, vm, t);
    return false;
}

int net_send(struct net *net, uint32_t vm, uint32_t t, int64_t *useful_ns, int64_t *overhead_ns)
{
    struct net_vm *v = &net->vms[vm];
    struct net_step *k = &v->steps[t];
    const struct net_route *r = &net->routes[k->route];
    for (;;) {
        switch ((enum net_phase)k->phase) {
        case NET_BELL: {
            struct mode_cost c = mode_io(&net->m->vms[vm], k->bytes);
            *useful_ns = c.useful_ns;
            *overhead_ns = c.overhead_ns;
            k->phase = NET_OPEN;
            if (c.useful_ns + c.overhead_ns > 0) return NET_RUN;
            break;
        }
        case NET_OPEN:
            if (!open(net, vm, t)) return NET_WAIT;
            k->phase = NET_GO;
            break;
        case NET_GO: /* the next frame's time; where the host's thread pays, all go at once */
            if (v->pays && r->tx_ps > 0 && k->bytes > 0) {
                k->phase = NET_PAID;
                *useful_ns = net_price_ns(v, r->tx_ps);
                if (*useful_ns > 0) return NET_RUN;
                break;
            }
            k->phase = NET_FLY;
            if (k->bytes == 0) break;
            list(v, t);
            pump(net, vm);
            break;
        case NET_PAID: /* its time is paid: it goes, or waits for room */
            list(v, t);
            pump(net, vm);
            if (!k->listed) break;
            k->waiting = true;
            return NET_WAIT;
        case NET_FLY:
            if (k->bytes > 0 || k->out > 0) {
                k->waiting = true;
                return NET_WAIT;
            }
            if (k->conn != NONE) net_nat_over(net, k->route, k->conn);
            return NET_OVER;
        case NET_GIVEN_UP:
        case NET_TAKE: return NET_OVER;
        }
    }
}
