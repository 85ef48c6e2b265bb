// SPDX-License-Identifier: GPL-3.0-or-later
/* Frames, as sim/model/net.h has them: a send of B bytes is ceil(B / (mtu - 52)) frames, the last one
 * shorter; a VM's sends take turns, frame by frame; a send is over when its last frame has left. A receive
 * takes frames that have come and that no earlier receive took, first come first served. A send without a way
 * is refused, and its task goes on after 1 s.
 *
 * The window: first the buffers for what comes, which the first vCPU takes; then, for each vCPU, those for
 * what it sends. */
#include "base/rec.h"
#include "kvm/guest/dev.h"
#include "kvm/net.h"

#define NO_TASK  UINT32_MAX
#define RX       64u
#define TX       160u /* with RX, no more than a ring holds */
#define QUIET    32u  /* frames */
#define TAG_SENT 0x10000u
#define RETRY_NS INT64_C(1000000000)
_Static_assert(RX + TX <= ABI_RING_LEN, "they fit the ring");

struct flow {     /* of a task */
    int64_t left; /* send: bytes not handed over */
    int64_t need; /* receive: frames */
    uint32_t out; /* send: frames handed over that have not left */
    uint32_t to;
    uint32_t next; /* in a list of tasks */
    bool lost;     /* send: some found the link down */
};

struct list {
    uint32_t head, tail;
};

struct side {                  /* a vCPU's */
    struct list sending;       /* tasks with a frame to hand over, in turn */
    struct list receiving;     /* tasks that wait for frames */
    struct list over;          /* tasks whose step is over */
    uint32_t n_waiting;        /* tasks in a net step */
    uint32_t free[TX], n_free; /* buffers */
    uint32_t quiet;            /* frames sent in the midst of a send */
    uint32_t task[TX];         /* whose frame is in it */
    int64_t refused_until_ns;
};

/* Each vCPU uses its own side, and of the steps those of its own tasks; what has come is the first one's. */
static struct {
    uint32_t dev, slot, payload; /* number of the device; bytes of a buffer; the most of a frame */
    uint64_t unread;             /* frames that no task took */
    uint64_t number;             /* of the next frame */
    struct flow steps[ABI_MAX_TASKS];
    struct side sides[ABI_MAX_VCPUS];
} nic;

static struct side *side_of(const struct guest *g)
{
    return &nic.sides[g->vcpu];
}

static bool has_nic(const struct guest *g)
{
    return g->boot->n_ends > 0;
}

static struct flow *step_of(const struct guest *g, uint32_t task)
{
    return &nic.steps[g->vcpu + task]; /* as their tasks lie: guest_main */
}

static void append(struct guest *g, struct list *l, uint32_t task)
{
    step_of(g, task)->next = NO_TASK;
    if (l->head == NO_TASK)
        l->head = task;
    else
        step_of(g, l->tail)->next = task;
    l->tail = task;
}

static uint32_t pop(struct guest *g, struct list *l)
{
    uint32_t task = l->head;
    if (task != NO_TASK) l->head = step_of(g, task)->next;
    return task;
}

/* It is in the list. */
static void take_out(struct guest *g, struct list *l, uint32_t task)
{
    struct list rest = {NO_TASK, NO_TASK};
    for (uint32_t t; (t = pop(g, l)) != NO_TASK;)
        if (t != task) append(g, &rest, t);
    *l = rest;
}

/* --- buffers --- */

static uint32_t tx_offset(const struct guest *g, uint32_t i)
{
    return (RX + g->vcpu * TX + i) * nic.slot;
}

static unsigned char *window(uint32_t offset)
{
    return (unsigned char *)(uintptr_t)(ABI_DMA + nic.dev * ABI_DMA_STEP + offset);
}

static void post(struct guest *g, uint32_t i)
{
    dev_put(g, nic.dev,
            &(struct abi_sub){.op = ABI_OP_RECEIVE, .tag = i, .offset = i * nic.slot, .length = nic.slot});
}

void net_setup(struct guest *g)
{
    struct side *s = side_of(g);
    if (!has_nic(g)) return;
    uint32_t d = ABI_MAX_DEVS - 1;
    while (d > 0 && g->boot->dev[d].kind != ABI_DEV_NIC)
        d--;
    if (g->boot->dev[d].kind != ABI_DEV_NIC || g->boot->dev[d].bytes <= NET_OVERHEAD)
        io_abort(ABI_ABORT_BOOT);
    uint64_t most = g->boot->dev[d].bytes, slot = (most + 63) / 64 * 64;
    if (slot * (RX + TX * (uint64_t)g->boot->n_vcpus) > g->boot->dev[d].window_bytes)
        io_abort(ABI_ABORT_BOOT);
    s->sending.head = s->receiving.head = s->over.head = NO_TASK;
    s->n_free = TX;
    for (uint32_t i = 0; i < TX; i++)
        s->free[i] = TX - 1 - i;
    /* The same, whoever writes it. */
    __atomic_store_n(&nic.dev, d, __ATOMIC_RELAXED);
    __atomic_store_n(&nic.slot, (uint32_t)slot, __ATOMIC_RELAXED);
    __atomic_store_n(&nic.payload, (uint32_t)most - NET_OVERHEAD, __ATOMIC_RELAXED);
    for (uint32_t i = 0; g->vcpu == 0 && i < RX; i++)
        post(g, i);
    dev_kick(g);
}

/* --- sending --- */

static const struct abi_end *end_of(const struct guest *g, uint32_t i)
{
    const char *all = (const char *)g->boot + g->boot->end_at;
    return (const struct abi_end *)(const void *)all + i;
}

static void put16(unsigned char *p, uint32_t v)
{
    p[0] = (unsigned char)(v >> 8);
    p[1] = (unsigned char)v;
}

static void put32(unsigned char *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static uint32_t ip_sum(const unsigned char *ip)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < NET_IP; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
}

/* Ethernet, IPv4, UDP without a checksum, and the head; the payload is what was in the buffer. */
static void write_headers(const struct guest *g, unsigned char *f, uint32_t to, uint32_t payload)
{
    const struct abi_end *me = end_of(g, g->boot->end_self), *they = end_of(g, to);
    struct net_head h = {NET_MAGIC, payload, g->boot->end_self, to,
                         __atomic_fetch_add(&nic.number, 1, __ATOMIC_RELAXED)};
    unsigned char *ip = f + NET_ETHER, *udp = ip + NET_IP;
    for (uint32_t i = 0; i < NET_MAC; i++) {
        f[i] = they->mac[i];
        f[NET_MAC + i] = me->mac[i];
    }
    put16(f + 12, NET_TYPE_IP4);
    put32(ip, 0x45000000u + NET_OVERHEAD - NET_ETHER + payload);
    put32(ip + 4, 0);
    put32(ip + 8, 0x40110000u); /* 64 hops, UDP */
    put32(ip + 12, me->ip);
    put32(ip + 16, they->ip);
    put16(ip + 10, ip_sum(ip));
    put16(udp, NET_UDP_PORT);
    put16(udp + 2, NET_UDP_PORT);
    put16(udp + 4, NET_UDP + (uint32_t)sizeof h + payload);
    put16(udp + 6, 0);
    __builtin_memcpy(udp + NET_UDP, &h, sizeof h);
}

static void hand_over(struct guest *g, struct side *s, uint32_t task)
{
    struct flow *k = step_of(g, task);
    uint32_t payload = k->left < (int64_t)nic.payload ? (uint32_t)k->left : nic.payload;
    uint32_t i = s->free[--s->n_free], at = tx_offset(g, i);
    write_headers(g, window(at), k->to, payload);
    s->task[i] = task;
    k->left -= payload;
    k->out++;
    /* Woken for the end of a send, and for buffers by the score: not for each frame. */
    bool loud = k->left == 0 || ++s->quiet % QUIET == 0;
    dev_put(g, nic.dev,
            &(struct abi_sub){.flags = loud ? 0 : ABI_SUB_QUIET,
                              .op = ABI_OP_SEND,
                              .tag = TAG_SENT + i,
                              .offset = at,
                              .length = NET_OVERHEAD + payload});
}

/* As much as there is room for. The doorbell rings once for it. */
static void pump(struct guest *g, struct side *s)
{
    if (s->sending.head == NO_TASK || s->n_free == 0) return;
    while (s->n_free > 0 && s->sending.head != NO_TASK && dev_room(g, nic.dev)) {
        uint32_t task = pop(g, &s->sending);
        hand_over(g, s, task);
        if (step_of(g, task)->left > 0) append(g, &s->sending, task);
    }
    dev_kick(g);
}

static void refuse(struct guest *g, int64_t frames, uint32_t why)
{
    struct side *s = side_of(g);
    io_log(g, ABI_LOG_REFUSED, io_clock(g), frames << 8 | why);
    if (g->now_ns + RETRY_NS > s->refused_until_ns) s->refused_until_ns = g->now_ns + RETRY_NS;
}

static int64_t in_frames(int64_t bytes)
{
    return bytes / nic.payload + (bytes % nic.payload > 0);
}

/* One of the task's frames has left, or found nobody to take it. */
static void has_left(struct guest *g, struct side *s, uint32_t i, bool lost)
{
    uint32_t task = s->task[i];
    struct flow *k = step_of(g, task);
    s->free[s->n_free++] = i;
    k->out--;
    if (lost && !k->lost) {
        k->lost = true;
        if (k->left > 0) take_out(g, &s->sending, task);
        refuse(g, in_frames(k->left) + k->out + 1, REC_WHY_LINK);
    }
    if (k->out > 0 || (k->left > 0 && !k->lost)) return;
    s->n_waiting--;
    if (k->lost)
        timers_push(&g->timers, g->now_ns + RETRY_NS, task);
    else
        append(g, &s->over, task);
}

/* --- receiving --- */

static void came(struct guest *g, uint32_t i, uint64_t bytes)
{
    const unsigned char *f = window(i * nic.slot);
    struct net_head h;
    if (bytes >= NET_OVERHEAD && bytes <= nic.slot) {
        __builtin_memcpy(&h, f + NET_OVERHEAD - sizeof h, sizeof h);
        /* What else comes by - who asks for an address, say - no task waits for. */
        nic.unread += h.magic == NET_MAGIC && h.to == g->boot->end_self;
    }
    post(g, i);
}

static void hand_out(struct guest *g, struct side *s)
{
    while (nic.unread > 0 && s->receiving.head != NO_TASK) {
        struct flow *k = step_of(g, s->receiving.head);
        int64_t n = nic.unread < (uint64_t)k->need ? (int64_t)nic.unread : k->need;
        nic.unread -= (uint64_t)n;
        k->need -= n;
        if (k->need > 0) return;
        s->n_waiting--;
        append(g, &s->over, pop(g, &s->receiving));
    }
}

/* --- steps --- */

static bool begin_receive(struct guest *g, struct side *s, uint32_t task, int64_t need)
{
    struct flow *k = step_of(g, task);
    *k = (struct flow){.need = need};
    s->n_waiting++;
    append(g, &s->receiving, task);
    hand_out(g, s);
    /* Over at once only if all that was in line before it is. */
    if (s->over.head != task) return false;
    pop(g, &s->over);
    return true;
}

bool net_begin(struct guest *g, uint32_t task, const struct prog_act *act)
{
    struct side *s = side_of(g);
    if (!has_nic(g)) io_abort(ABI_ABORT_STEP);
    if (act->step->how == PROG_RECEIVE) {
        if (g->vcpu != 0) io_abort(ABI_ABORT_STEP); /* the runner refuses it before */
        return begin_receive(g, s, task, act->amount);
    }
    uint32_t to = act->step->target;
    if (to >= g->boot->n_ends) io_abort(ABI_ABORT_PROGRAM);
    *step_of(g, task) = (struct flow){.left = act->amount, .to = to};
    if (end_of(g, to)->why != REC_WHY_NONE) {
        refuse(g, in_frames(act->amount), end_of(g, to)->why);
        timers_push(&g->timers, g->now_ns + RETRY_NS, task);
        return false;
    }
    s->n_waiting++;
    append(g, &s->sending, task);
    pump(g, s);
    return false;
}

uint32_t net_take(struct guest *g)
{
    struct side *s = side_of(g);
    struct abi_comp c;
    bool any = false;
    if (!has_nic(g)) return NO_TASK;
    if (s->over.head != NO_TASK) return pop(g, &s->over);
    while (dev_take(g, nic.dev, &c)) {
        any = true;
        if (c.tag < RX)
            came(g, c.tag, c.value);
        else if (c.tag - TAG_SENT < TX)
            has_left(g, s, c.tag - TAG_SENT, c.status != ABI_DONE);
    }
    if (!any) return NO_TASK;
    hand_out(g, s);
    pump(g, s);
    dev_kick(g);
    return pop(g, &s->over);
}

bool net_waits(const struct guest *g)
{
    const struct side *s = side_of(g);
    return has_nic(g) && (s->n_waiting > 0 || g->now_ns < s->refused_until_ns);
}
