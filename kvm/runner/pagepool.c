// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/pagepool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "kvm/runner/pagepool_int.h"

#define LOOK_NS                                                                                              \
    20000000 /* between two counts of a VM that is not paged, at least; and LOOK_SHARE of a look */
#define LOOK_SHARE 50
#define TELL_NS    10000000
#define LET_GO_NS  50000        /* coming out of the guest and in again takes about as long */
#define UFFD_NEW   _IO(0xaa, 0) /* of /dev/userfaultfd; newer than Debian 12's headers */
#define READY_NS   INT64_C(10000000000)
#define OVER_S     2

/* --- the thread --- */

/* What all VMs have told so far. */
static bool do_heard(struct pagepool *p)
{
    bool any = false;
    for (uint32_t i = 0; i < p->n_vms; i++) {
        struct pagepool_vm *v = &p->vms[i];
        if (v->n_heard == 0) continue;
        struct pagepool_fault f = v->heard[v->heard_head];
        v->heard_head = (v->heard_head + 1) % PAGEPOOL_FAULTS;
        v->n_heard--;
        if (pagepool_lives(v)) pagepool_fault(v, &f);
        any = true;
    }
    return any;
}

static void do_due(struct pagepool *p, int64_t now)
{
    for (uint32_t i = 0; i < p->n_vms; i++)
        for (uint32_t k = 0; k < p->vms[i].n_fetches;)
            if (p->vms[i].fetches[k].due_ns <= now && pagepool_lives(&p->vms[i]))
                pagepool_fetched(&p->vms[i], k);
            else
                k++;
}

static void count_pages(struct pagepool_vm *v)
{
    int64_t n = pagepool_command(v, PAGES_COUNT, 0, 0), rest = v->look_took_ns * LOOK_SHARE;
    v->look_ns = host_now() + (rest > LOOK_NS ? rest : LOOK_NS);
    if (n < v->resident || n > v->n_pages) return;
    v->count[REC_N_MEM_SOFTFAULTS] += n - v->resident;
    v->resident = n;
}

static void do_looks(struct pagepool *p, int64_t now, bool all)
{
    for (uint32_t i = 0; !p->paged && i < p->n_touch; i++)
        if (pagepool_lives(&p->vms[i]) && (all || p->vms[i].look_ns <= now)) count_pages(&p->vms[i]);
}

static void tell(struct pagepool *p, int64_t now)
{
    pagepool_tell_levels(p, false);
    pagepool_tell_active(p);
    if (now < p->tell_ns) return;
    p->tell_ns = now + TELL_NS;
    pagepool_tell_counts(p);
}

/* Sleeps until somebody says something, or something is due. */
static void rest(struct pagepool *p, struct pollfd *pf)
{
    int64_t until = p->tell_ns, event = pagepool_inspect_next(p), now = host_now();
    if (event < until) until = event;
    for (uint32_t i = 0; i < p->n_vms; i++) {
        const struct pagepool_vm *v = &p->vms[i];
        pf[i] = (struct pollfd){.fd = v->gone ? -1 : v->fd, .events = POLLIN};
        for (uint32_t k = 0; k < v->n_fetches; k++)
            if (v->fetches[k].due_ns < until) until = v->fetches[k].due_ns;
    }
    pf[p->n_vms] = (struct pollfd){.fd = p->wake_fd, .events = POLLIN};
    int64_t left = until > now ? until - now : 0;
    struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    ppoll(pf, p->n_vms + 1, &t, NULL);
}

static void hear_all(struct pagepool *p, const struct pollfd *pf)
{
    for (uint32_t i = 0; i < p->n_vms; i++) {
        struct pagepool_vm *v = &p->vms[i];
        if (!pf[i].revents || v->gone) continue;
        if (v->n_heard < PAGEPOOL_FAULTS / 2) pagepool_hear(v);
    }
}

/* What VMs had that are gone is free; whoever waits for a frame tries again when there may be one. */
static void do_gone(struct pagepool *p)
{
    for (uint32_t i = 0; i < p->n_vms; i++) {
        if (!p->vms[i].gone || p->vms[i].released || !pagepool_counts(p)) continue;
        p->vms[i].released = true;
        pagepool_release(&p->vms[i]);
        p->came = true;
    }
    if (p->came && p->n_starved > 0) pagepool_feed(p);
    p->came = false;
}

/* The end of the run has come: all is counted up to here, once. */
static void do_over(struct pagepool *p)
{
    uint64_t ignored;
    while (read(p->wake_fd, &ignored, sizeof ignored) > 0) {
    }
    if (p->told_over || !__atomic_load_n(&p->over, __ATOMIC_ACQUIRE)) return;
    p->told_over = true;
    do_looks(p, 0, true);
    while (p->n_looks > 0 && !pagepool_stops(p)) /* those that were begun */
        pagepool_inspect(p);
    pagepool_tell_levels(p, true);
    pagepool_tell_counts(p);
    sem_post(&p->counted);
}

static void *pagepool_main(void *arg)
{
    struct pagepool *p = arg;
    struct pollfd *pf = calloc(p->n_vms + 1, sizeof *pf);
    host_weigh_more();
    ASSERT(pf);
    while (!pagepool_stops(p)) {
        rest(p, pf);
        hear_all(p, pf);
        while (do_heard(p)) {
        }
        int64_t now = host_now();
        do_due(p, now);
        do_gone(p);
        if (pagepool_counts(p)) do_looks(p, now, false);
        pagepool_inspect(p);
        if (!p->told_over) tell(p, now);
        if (pf[p->n_vms].revents) do_over(p);
    }
    free(pf);
    return NULL;
}

/* --- life --- */

static uint32_t pages_of(const struct sc_vm *vm)
{
    const struct step *s = prog_steps(vm->work.prog);
    int64_t pages = 0;
    for (uint32_t i = 0; i < vm->work.prog->n_steps; i++)
        if (s[i].kind == STEP_TOUCH && s[i].span > pages) pages = s[i].span;
    return (uint32_t)pages;
}

bool pagepool_is_short(const struct scenario *sc)
{
    const struct sc_memory *m = &sc->hosts[0].memory;
    int64_t pages = 0;
    for (uint32_t i = 0; i < sc->n_vms; i++)
        pages += pages_of(&sc->vms[i]);
    return m->bytes > 0 && m->bytes / m->page_bytes < pages;
}

/* A file that has no name any more. */
static int make_store(uint64_t bytes, char **why)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir) dir = "/var/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        char path[4096];
        snprintf(path, sizeof path, "%s/vlab-store-XXXXXX", dir);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) unlink(path);
    }
    if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0) return fd;
    *why = host_text("cannot make a store for pages in %s: %s; set TMPDIR to a directory with room", dir,
                     strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

static int open_vm(struct pagepool *p, struct pagepool_vm *v, int store_fd, char **why)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        *why = host_text("vm.%s: cannot speak with its pager: %s", v->sc->name, strerror(errno));
        return -1;
    }
    v->fd = pair[0];
    v->their_fd = pair[1];
    if (!p->paged || v->n_pages == 0) return 0;
    uint64_t bytes = (uint64_t)v->n_pages * (uint64_t)p->page_bytes;
    v->store_fd = store_fd >= 0 ? fcntl(store_fd, F_DUPFD_CLOEXEC, 3) : make_store(bytes, why);
    v->state = calloc(v->n_pages, sizeof *v->state);
    v->frame = calloc(v->n_pages, sizeof *v->frame);
    ASSERT(v->state && v->frame);
    return v->store_fd < 0 ? -1 : 0;
}

static enum kvm_status has_uffd(char **why)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), e = errno;
    if (fd < 0) { /* Linux 6.1: a device, for whom its mode says */
        int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
        fd = dev < 0 ? -1 : ioctl(dev, UFFD_NEW, O_CLOEXEC | O_NONBLOCK);
        if (dev >= 0) close(dev);
    }
    if (fd >= 0) {
        close(fd);
        return KVM_OK;
    }
    *why = host_text("hosts.memory is less than its VMs use, and their faults cannot be served: userfaultfd: "
                     "%s; to make it usable: run as root, or sysctl vm.unprivileged_userfaultfd=1",
                     strerror(e));
    return KVM_NO_KVM;
}

static void add_vm(struct pagepool *p, uint32_t i)
{
    const struct sc_vm *sc = p->run->vms[i].sc;
    struct pagepool_vm *v = &p->vms[p->n_vms++];
    *v = (struct pagepool_vm){.pool = p, .index = i, .sc = sc, .fd = -1, .their_fd = -1, .store_fd = -1};
    v->n_pages = pages_of(sc);
    v->reserved = (sc->memory_reservation_bytes + p->page_bytes - 1) / p->page_bytes;
    p->of[i] = v;
}

static void add_vms(struct pagepool *p)
{
    const struct scenario *sc = p->run->sc;
    for (uint32_t i = 0; i < sc->n_vms; i++)
        if (pages_of(&sc->vms[i]) > 0) add_vm(p, i);
    p->n_touch = p->n_vms;
    for (uint32_t i = 0; i < sc->n_vms; i++)
        if (!p->of[i] && pagepool_inspect_wants(sc, i)) add_vm(p, i);
    pagepool_inspect_make(p);
}

enum kvm_status pagepool_new(struct run *r, int store_fd, struct pagepool **out, char **why)
{
    enum kvm_status st = KVM_OK;
    struct pagepool *p = calloc(1, sizeof *p);
    ASSERT(p);
    *out = p;
    p->run = r;
    p->sc = &r->pc->memory;
    p->page_bytes = p->sc->page_bytes ? p->sc->page_bytes : ABI_PAGE;
    p->paged = !r->own.native && pagepool_is_short(r->sc);
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->vms = calloc(r->n_vms + 1, sizeof *p->vms);
    p->of = calloc(r->n_vms + 1, sizeof(struct pagepool_vm *));
    ASSERT(p->wake_fd >= 0 && p->vms && p->of && sem_init(&p->counted, 0, 0) == 0);
    if (!r->own.native) add_vms(p); /* of a process's pages nobody is asked */
    if (p->paged) st = has_uffd(why);
    for (uint32_t i = 0; st == KVM_OK && i < p->n_vms; i++)
        if (open_vm(p, &p->vms[i], store_fd, why) != 0) st = KVM_FAILED;
    if (st == KVM_OK && p->paged) pagepool_frames_make(p), pagepool_disk_make(p);
    return st;
}

enum ctl_pool pagepool_of(const struct pagepool *p, uint32_t vm)
{
    const struct pagepool_vm *v = p->of[vm];
    return !v ? CTL_NO_POOL : p->paged && v->n_pages > 0 ? CTL_PAGED : CTL_COUNTED;
}

int pagepool_pages_fd(const struct pagepool *p, uint32_t vm)
{
    return p->of[vm] ? p->of[vm]->their_fd : -1;
}

int pagepool_store_fd(const struct pagepool *p, uint32_t vm)
{
    return p->of[vm] ? p->of[vm]->store_fd : -1;
}

void pagepool_started(struct pagepool *p, uint32_t vm)
{
    struct pagepool_vm *v = p->of[vm];
    if (!v) return;
    if (v->their_fd >= 0) close(v->their_fd);
    if (v->store_fd >= 0) close(v->store_fd);
    v->their_fd = v->store_fd = -1;
}

/* A VMM's threads begin where its first vCPU will be; its pager may run wherever there is room. */
static void let_move(const struct pagepool_vm *v, int64_t tid)
{
    const struct host *h = &v->pool->run->host;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (uint32_t i = 0; i < h->n_cpus; i++)
        CPU_SET((size_t)h->cpus[i], &set);
    if (host_thread_ns((int)v->pool->run->vms[v->index].proc.pid, (int)tid) >= 0)
        sched_setaffinity((pid_t)tid, sizeof set, &set);
}

/* Its pager's first word. A VM that ended before its guest was ready has said it, or never will. */
static int hear_ready(struct pagepool_vm *v, char **why)
{
    struct pages_msg m;
    struct pollfd pf = {.fd = v->fd, .events = POLLIN};
    poll(&pf, 1, (int)(READY_NS / 1000000));
    ssize_t n = recv(v->fd, &m, sizeof m, MSG_DONTWAIT);
    v->gone = n == 0;
    if (n == 0) return 0;
    if (n == (ssize_t)sizeof m && m.what == PAGES_READY && m.value > 0 && m.value <= INT32_MAX) {
        let_move(v, m.value);
        return 0;
    }
    *why = host_text("vm.%s: its pager did not say that it is ready", v->sc->name);
    return -1;
}

int pagepool_begin(struct pagepool *p, char **why)
{
    for (uint32_t i = 0; i < p->n_vms; i++)
        if (hear_ready(&p->vms[i], why) != 0) return -1;
    if (p->n_vms == 0) return 0;
    p->tell_ns = host_now();
    if (pthread_create(&p->thread, NULL, pagepool_main, p) != 0) {
        *why = host_text("cannot start a thread for guests' memory: %s", strerror(errno));
        return -1;
    }
    p->started = true;
    return 0;
}

void pagepool_go(struct pagepool *p, int64_t zero_abs_ns)
{
    __atomic_store_n(&p->zero_abs_ns, zero_abs_ns, __ATOMIC_RELEASE);
}

static void wake(struct pagepool *p, uint32_t *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
    (void)eventfd_write(p->wake_fd, 1);
}

void pagepool_over(struct pagepool *p)
{
    struct timespec until;
    if (!p->started) return;
    wake(p, &p->over);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += OVER_S;
    while (sem_timedwait(&p->counted, &until) != 0 && errno == EINTR) {
    }
}

void pagepool_stop(struct pagepool *p)
{
    if (!p->started) return;
    wake(p, &p->stop);
    pthread_join(p->thread, NULL);
    p->started = false;
    pagepool_disk_tell(p);
}

void pagepool_free(struct pagepool *p)
{
    if (!p) return;
    pagepool_stop(p);
    for (uint32_t i = 0; i < p->n_vms; i++) {
        struct pagepool_vm *v = &p->vms[i];
        pagepool_started(p, v->index);
        if (v->fd >= 0) close(v->fd);
        free(v->state);
        free(v->frame);
        free(v->evicted);
        free(v->waits);
    }
    if (p->policy) pagepool_frames_done(p);
    free(p->ios);
    recs_done(&p->recs);
    sem_destroy(&p->counted);
    close(p->wake_fd);
    free(p->starved);
    free(p->looks);
    free(p->next_event_ns);
    free(p->vms);
    free(p->of);
    free(p);
}
