// SPDX-License-Identifier: GPL-3.0-or-later
/* The I/O thread of a VMM: doorbells and peers of its devices, by one epoll. It is there before the guest
 * runs, and takes no memory after. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "kvm/vmm/dev.h"

#define IDLE_BELLS 16u     /* so many rings for nothing are forgiven: a request may be seen before its ring */
#define DEAF_NS    1000000 /* then the doorbell is not listened to for so long */
#define PEER       0x100u  /* in the data of an event: of the peer's descriptor, not the doorbell's */

/* Its doorbell is listened to, or not. */
static void listen_to(struct dev *d, int epoll, bool listen)
{
    struct epoll_event e = {.events = listen ? EPOLLIN : 0, .data.u32 = d->index};
    epoll_ctl(epoll, EPOLL_CTL_MOD, d->kick_fd, &e);
    d->deaf_until_ns = listen ? 0 : gate_now() + DEAF_NS;
}

/* A doorbell's count is what is counted; a storm of rings is one wake-up. A guest that goes on ringing for
 * nothing is not heard for a while: it would keep a CPU busy with being woken. */
static void answer_bell(struct dev *d, int epoll)
{
    uint64_t rings;
    if (read(d->kick_fd, &rings, sizeof rings) != sizeof rings) return;
    d->ctl->kicks += rings;
    d->busy = true;
    if (++d->idle_bells > IDLE_BELLS) listen_to(d, epoll, false);
}

static void watch(struct vmm *v, int epoll, int fd, uint32_t events, uint32_t data)
{
    struct epoll_event e = {.events = events, .data.u32 = data};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0) vmm_fail(v->ctl, "epoll: %m");
}

/* The guest of that vCPU broke the rules: the vCPU ends with a record of it, its siblings with it. A kick
 * that comes before its thread sleeps is lost, so it is repeated. */
_Noreturn static void accuse(struct vmm *v, uint32_t who, const char *why)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    v->accusation = why;
    v->accused = who + 1;
    __atomic_store_n(&v->dying, 1, __ATOMIC_RELEASE);
    for (;;) {
        for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
            gate_stop(&v->vcpus[i]);
        nanosleep(&pause, NULL);
    }
}

/* How long nothing need be done; ms, rounded up. */
static int idle_ms(const struct vmm *v)
{
    int64_t due = INT64_MAX;
    for (uint32_t i = 0; i < ABI_MAX_DEVS; i++) {
        const struct dev *d = &v->devs[i];
        if (!d->cls) continue;
        if (d->busy && !d->stuck) return 0;
        int64_t t = d->cls->due_ns(d);
        if (d->deaf_until_ns != 0 && d->deaf_until_ns < t) t = d->deaf_until_ns;
        if (t < due) due = t;
    }
    if (due == INT64_MAX) return -1;
    int64_t ms = (due - gate_now() + 999999) / 1000000;
    return ms < 0 ? 0 : ms > 1000 ? 1000 : (int)ms;
}

void *io_main(void *arg)
{
    struct vmm *v = arg;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) vmm_fail(v->ctl, "epoll: %m");
    for (uint32_t i = 0; i < ABI_MAX_DEVS; i++) {
        if (!v->devs[i].cls) continue;
        watch(v, epoll, v->devs[i].kick_fd, EPOLLIN, i);
        /* By edges: when the peer takes more again is told once, when it sends is too. */
        watch(v, epoll, v->devs[i].peer_fd, EPOLLIN | EPOLLOUT | EPOLLET, i | PEER);
    }
    sandbox_confine(v, &v->filter_io);
    for (;;) {
        struct epoll_event got[2 * ABI_MAX_DEVS];
        int n = epoll_wait(epoll, got, 2 * ABI_MAX_DEVS, idle_ms(v));
        for (int k = 0; k < n; k++) {
            struct dev *d = &v->devs[got[k].data.u32 % ABI_MAX_DEVS];
            if (got[k].data.u32 & PEER)
                d->cls->ready(d, got[k].events);
            else
                answer_bell(d, epoll);
        }
        for (uint32_t i = 0; i < ABI_MAX_DEVS; i++) {
            struct dev *d = &v->devs[i];
            uint32_t who = 0;
            const char *why;
            if (!d->cls) continue;
            if (d->cls->due_ns(d) <= gate_now()) d->cls->ready(d, 0);
            if (d->deaf_until_ns != 0 && d->deaf_until_ns <= gate_now()) listen_to(d, epoll, true);
            if (!d->busy || d->stuck) continue;
            uint64_t taken = d->ctl->taken;
            if (!dev_turn(d, &who, &why)) accuse(v, who, why);
            if (d->ctl->taken != taken) d->idle_bells = 0;
            d->cls->flush(d);
        }
    }
}
