// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab-store: the datastore of one disk. Started by `vlab`, not by hand. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "kvm/sandbox/drop.h"
#include "kvm/sandbox/rules.h"
#include "kvm/store/inner.h"

#define ENGINE   UINT32_MAX /* in an event's data; else the volume's number */
#define TIMER    (UINT32_MAX - 1)
#define EVENTS   64
#define TELL_NS  10000000 /* between two looks at what is allocated */
#define MAX_FDS  (16u + STORE_MAX_VOLUMES * STORE_FDS)
#define MAX_FILE (UINT64_C(1) << 50)

int64_t store_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

_Noreturn __attribute__((format(printf, 2, 3))) static void fail(struct store_ctl *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->text, sizeof c->text, fmt, ap);
    va_end(ap);
    __atomic_store_n(&c->failed, 1, __ATOMIC_RELEASE);
    exit(EXIT_FAILURE);
}

static void tell(struct store *s, int64_t t, enum ctl_io_kind kind, uint32_t dev, int64_t value)
{
    ctl_io_put(&s->ctl->ios,
               (struct ctl_io){.t_ns = t, .value = value, .kind = (uint16_t)kind, .dev = (uint16_t)dev});
}

/* --- a request's way --- */

/* By their time: nearly always the latest yet. */
static void ripen(struct store *s, struct req *r)
{
    r->ripens = true;
    if (!s->ripen.tail || s->ripen.tail->ripe_ns <= r->ripe_ns) {
        list_push(&s->ripen, r);
        return;
    }
    struct req **at = &s->ripen.head;
    while ((*at)->ripe_ns <= r->ripe_ns)
        at = &(*at)->next;
    r->next = *at;
    *at = r;
}

void store_enter(struct store *s, struct req *r)
{
    if (r->ask.op != ABI_OP_READ && r->ask.op != ABI_OP_WRITE) {
        medium_ask(s, r);
        return;
    }
    r->q.flow = r->volume;
    r->q.write = r->ask.op == ABI_OP_WRITE;
    r->q.bytes = (int64_t)r->ask.bytes;
    r->q.position = (int64_t)r->ask.at;
    serve_add(&s->serve, &r->q, store_now());
}

void store_look(struct store *s, struct req *r)
{
    if (r->ripens || r->asks) return;
    if (r->orphan)
        r->used = false;
    else
        list_push(&s->vols[r->volume].answers, r);
}

/* The server's times, as they become known. */
static void tell_server(struct store *s, int64_t was_free_ns, int64_t began_ns)
{
    if (s->busy && began_ns > was_free_ns) tell(s, was_free_ns, CTL_IO_BUSY, 0, 0);
    if (!s->busy || began_ns > was_free_ns) tell(s, began_ns, CTL_IO_BUSY, 0, 1);
    s->busy = true;
}

static void pump(struct store *s, int64_t now)
{
    int64_t was_free = s->serve.free_ns, ripe, longer;
    struct req *r;
    while ((r = (struct req *)serve_next(&s->serve, now, &ripe, &s->look_ns))) {
        if (s->serve.free_ns > s->serve.began_ns) tell_server(s, was_free, s->serve.began_ns);
        was_free = s->serve.free_ns;
        r->status = (uint32_t)faults_draw(&s->ctl->faults, r->volume, s->vols[r->volume].numbers++,
                                          r->q.write, &longer);
        r->ripe_ns = ripe > INT64_MAX - longer ? INT64_MAX : ripe + longer;
        ripen(s, r);
        if (r->status == ABI_DONE) medium_ask(s, r);
    }
    if (s->busy && s->serve.free_ns <= now) {
        tell(s, s->serve.free_ns, CTL_IO_BUSY, 0, 0);
        s->busy = false;
    }
}

static void tell_taken(struct store *s, int64_t now)
{
    struct stat st;
    if (now - s->told_ns < TELL_NS) return;
    s->told_ns = now;
    for (uint32_t i = 0; i < s->ctl->n_volumes; i++) {
        struct volume *v = &s->vols[i];
        if (!v->wrote || fstat(v->buffered, &st) != 0) continue;
        v->wrote = false;
        if ((uint64_t)st.st_blocks * 512 == v->taken) continue;
        v->taken = (uint64_t)st.st_blocks * 512;
        tell(s, now, CTL_IO_TAKEN, i, (int64_t)v->taken);
    }
}

/* All that can be done at this time. Returns until when nothing need be. */
static int64_t turn(struct store *s)
{
    int64_t now = store_now(), zero = __atomic_load_n(&s->ctl->zero_ns, __ATOMIC_ACQUIRE);
    int64_t stalled = zero <= now ? faults_stalled_until(&s->ctl->faults, now - zero) : -1;
    if (stalled >= 0) return stalled > INT64_MAX - zero ? INT64_MAX : zero + stalled;
    medium_take(s);
    pump(s, now);
    medium_pump(s);
    while (s->ripen.head && s->ripen.head->ripe_ns <= now) {
        struct req *r = list_pop(&s->ripen);
        r->ripens = false;
        store_look(s, r);
    }
    for (uint32_t i = 0; i < s->ctl->n_volumes; i++)
        peer_send(s, i);
    tell_taken(s, now);
    int64_t next = s->ripen.head ? s->ripen.head->ripe_ns : INT64_MAX;
    return s->look_ns < next ? s->look_ns : next;
}

/* --- beginning --- */

static struct store_ctl *map_ctl(void)
{
    struct stat st;
    if (fstat(STORE_FD_CTL, &st) != 0 || (uint64_t)st.st_size < sizeof(struct store_ctl)) return NULL;
    struct store_ctl *c = mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_SHARED, STORE_FD_CTL, 0);
    if (c == MAP_FAILED || c->magic != STORE_MAGIC || c->n_volumes > STORE_MAX_VOLUMES) return NULL;
    return c;
}

static void open_volume(struct store *s, uint32_t i)
{
    struct volume *v = &s->vols[i];
    int fd = STORE_FD_VOLUME + (int)(STORE_FDS * i);
    struct stat st;
    *v = (struct volume){.cfg = &s->ctl->volume[i], .sock = fd, .direct = fd + 1, .buffered = fd + 2};
    if (v->cfg->bytes == 0 || fstat(v->buffered, &st) != 0 || (uint64_t)st.st_size < v->cfg->bytes)
        fail(s->ctl, "volume %u has no file of %ju bytes", i, v->cfg->bytes);
    v->window = mmap(NULL, v->cfg->window_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd + 3, 0);
    v->reqs = calloc(STORE_OPEN_MOST, sizeof *v->reqs);
    if (v->window == MAP_FAILED || !v->reqs) fail(s->ctl, "no memory for volume %u", i);
    v->wrote = true; /* what it has from the beginning is told */
}

static void open_server(struct store *s)
{
    struct store_ctl *c = s->ctl;
    struct ioqueue_flow_cfg *flows = calloc(c->n_volumes + 1, sizeof *flows);
    if (!flows) fail(c, "out of memory");
    for (uint32_t i = 0; i < c->n_volumes; i++) {
        const struct store_volume *v = &c->volume[i];
        flows[i] = (struct ioqueue_flow_cfg){.weight = v->weight,
                                             .reservation_u = v->reservation_u,
                                             .limit_u = v->limit_u,
                                             .limit_bps = v->limit_bps,
                                             .limit_burst_bytes = v->limit_burst_bytes};
    }
    c->queue[STORE_QUEUE_NAME - 1] = 0;
    struct serve_cfg cfg = {.queue = c->queue,
                            .iops_u = c->iops_u,
                            .bandwidth_bps = c->bandwidth_bps,
                            .burst_bytes = c->burst_bytes,
                            .peak_bps = c->peak_bps,
                            .latency_ns = c->latency_ns,
                            .flows = flows,
                            .n_flows = c->n_volumes};
    if (serve_init(&s->serve, &cfg, store_now()) != 0) fail(c, "the disk's queue cannot be set up so");
    free(flows);
}

static void open_engine(struct store *s)
{
    int e = filter_make(&s->filter, &rules_store);
    s->kind = &engine_uring;
    s->engine = s->ctl->threads || e != 0 ? NULL : s->kind->make(&s->filter);
    if (s->engine) return;
    if (e == 0) filter_done(&s->filter);
    e = filter_make(&s->filter, &rules_store_threads);
    if (e != 0) fail(s->ctl, "seccomp: %s", strerror(-e));
    s->kind = &engine_threads;
    s->engine = s->kind->make(&s->filter);
    if (!s->engine) fail(s->ctl, "neither io_uring nor threads: %m");
}

static void watch(struct store *s, int epoll, int fd, uint32_t events, uint32_t data)
{
    struct epoll_event e = {.events = events, .data.u32 = data};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0) fail(s->ctl, "epoll: %m");
}

static void set_timer(struct store *s, int fd, int64_t at_ns)
{
    if (at_ns == s->timer_ns) return;
    s->timer_ns = at_ns;
    struct itimerspec t = {.it_value = {at_ns / 1000000000, at_ns % 1000000000}};
    if (at_ns == INT64_MAX) t.it_value = (struct timespec){0};
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
}

_Noreturn static void serve_for_ever(struct store *s)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (epoll < 0 || timer < 0) fail(s->ctl, "epoll: %m");
    s->timer_ns = INT64_MAX;
    watch(s, epoll, timer, EPOLLIN | EPOLLET, TIMER);
    watch(s, epoll, s->kind->fd(s->engine), EPOLLIN | EPOLLET, ENGINE);
    for (uint32_t i = 0; i < s->ctl->n_volumes; i++)
        watch(s, epoll, s->vols[i].sock, EPOLLIN | EPOLLOUT | EPOLLET, i);
    int e = filter_install(&s->filter);
    if (e != 0) fail(s->ctl, "seccomp: %s", strerror(-e));
    __atomic_store_n(&s->ctl->ready, 1, __ATOMIC_RELEASE);
    for (;;) {
        struct epoll_event got[EVENTS];
        set_timer(s, timer, turn(s));
        int n = epoll_wait(epoll, got, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            /* The timer and the engine need not be read: edges tell, and each turn looks at all. */
            if (got[i].data.u32 == TIMER) s->timer_ns = INT64_MAX;
            if (got[i].data.u32 < s->ctl->n_volumes) peer_ready(s, got[i].data.u32);
        }
    }
}

int main(void)
{
    struct store_ctl *c = map_ctl();
    if (!c) {
        fprintf(stderr, "vlab-store serves a disk for vlab, which starts it. See `vlab run --help`.\n");
        return 2;
    }
    unsigned fds = STORE_FD_VOLUME + c->n_volumes * STORE_FDS;
    const char *what = drop_keep_files(fds, c->runner, MAX_FDS, MAX_FILE);
    if (what) fail(c, "%s: %m", what);
    prctl(PR_SET_TIMERSLACK, 1);
    struct store *s = calloc(1, sizeof *s);
    if (!s) fail(c, "out of memory");
    s->ctl = c;
    s->vols = calloc(c->n_volumes + 1, sizeof *s->vols);
    if (!s->vols) fail(c, "out of memory");
    for (uint32_t i = 0; i < c->n_volumes; i++)
        open_volume(s, i);
    open_server(s);
    open_engine(s);
    serve_for_ever(s);
}
