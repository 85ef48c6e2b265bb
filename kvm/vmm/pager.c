// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kvm/pages.h"
#include "kvm/vmm/uffd.h"

#define LOOK_PAGES 65536u /* of the host, a call of mincore */

struct pager {
    struct vmm *vmm;
    uint64_t page; /* bytes */
    uint32_t n_pages;
    bool paged, move;
    struct gmem cache;    /* page p parks at its p-th */
    unsigned char *stage; /* a page on its way in */
    unsigned char *blank; /* of zeros, never written to */
    unsigned char *seen;  /* [LOOK_PAGES] */
    struct pages_data *out;
};

void pager_open(struct ctl *c)
{
    if (c->pool != CTL_PAGED) return;
    int fd = uffd_open();
    if (fd < 0) vmm_fail(c, "userfaultfd: %s; to make it usable: " UFFD_HELP, strerror(-fd));
    if (dup3(fd, CTL_FD_UFFD, O_CLOEXEC) < 0) vmm_fail(c, "userfaultfd: %m");
    close(fd);
}

static unsigned char *guest_at(const struct pager *p, uint32_t page)
{
    return p->vmm->memory.host + page * p->page;
}

static unsigned char *cache_at(const struct pager *p, uint32_t page)
{
    return p->cache.host + page * p->page;
}

static int forget(const struct pager *p, void *at)
{
    return madvise(at, p->page, MADV_DONTNEED) == 0 ? 0 : -errno;
}

/* --- in --- */

/* A huge page is made by writing to it; whatever the host makes of it, all of it is there then. */
static void fill_stage(const struct pager *p)
{
    for (uint64_t at = 0; at < p->page; at += ABI_PAGE)
        ((volatile unsigned char *)p->stage)[at] = 0;
}

static int zero(const struct pager *p, uint32_t page)
{
    if (!p->move || p->page == ABI_PAGE)
        return uffd_copy(CTL_FD_UFFD, guest_at(p, page), p->blank, p->page, false);
    int e = forget(p, p->stage);
    if (e != 0) return e;
    fill_stage(p);
    return uffd_move(CTL_FD_UFFD, guest_at(p, page), p->stage, p->page);
}

/* Nobody but us has the file; a hole reads as zeros, its end does not. */
static int from_store(const struct pager *p, uint32_t page)
{
    for (uint64_t done = 0; done < p->page;) {
        ssize_t n = pread(CTL_FD_STORE, p->stage + done, p->page - done, (off_t)(page * p->page + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? -errno : -EIO;
        done += (uint64_t)n;
    }
    return 0;
}

static int load(const struct pager *p, uint32_t page, bool guard)
{
    int e = from_store(p, page);
    if (e != 0) return e;
    if (guard || !p->move) return uffd_copy(CTL_FD_UFFD, guest_at(p, page), p->stage, p->page, guard);
    return uffd_move(CTL_FD_UFFD, guest_at(p, page), p->stage, p->page);
}

static int unpark(const struct pager *p, uint32_t page, bool guard)
{
    unsigned char *to = guest_at(p, page), *from = cache_at(p, page);
    if (!guard && p->move) return uffd_move(CTL_FD_UFFD, to, from, p->page);
    int e = uffd_copy(CTL_FD_UFFD, to, from, p->page, guard);
    return e != 0 ? e : forget(p, from);
}

/* --- out --- */

static int park(const struct pager *p, uint32_t page)
{
    unsigned char *from = guest_at(p, page), *to = cache_at(p, page);
    if (p->move) return uffd_move(CTL_FD_UFFD, to, from, p->page);
    int e = uffd_protect(CTL_FD_UFFD, from, p->page);
    if (e != 0) return e;
    memcpy(to, from, p->page);
    return forget(p, from);
}

static int to_store(const struct pager *p, uint32_t page, const unsigned char *from)
{
    for (uint64_t done = 0; done < p->page;) {
        ssize_t n = pwrite(CTL_FD_STORE, from + done, p->page - done, (off_t)(page * p->page + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? -errno : -ENOSPC;
        done += (uint64_t)n;
    }
    return 0;
}

/* What could not be written stays where it is: the runner ends the VM. */
static int save(const struct pager *p, uint32_t page, bool parked)
{
    int e = parked ? 0 : park(p, page);
    if (e == 0) e = to_store(p, page, cache_at(p, page));
    return e == 0 ? forget(p, cache_at(p, page)) : e;
}

/* --- without paging: what is there --- */

static int64_t count(const struct pager *p)
{
    int64_t n = 0;
    uint64_t each = p->page / ABI_PAGE, all = p->n_pages * each;
    bool there = false;
    for (uint64_t at = 0; at < all; at += LOOK_PAGES) {
        uint64_t more = all - at < LOOK_PAGES ? all - at : LOOK_PAGES;
        if (mincore(p->vmm->memory.host + at * ABI_PAGE, more * ABI_PAGE, p->seen) != 0) return -errno;
        for (uint64_t i = 0; i < more; i++) {
            if ((at + i) % each == 0) there = false;
            if (!there && p->seen[i] & 1) {
                there = true;
                n++;
            }
        }
    }
    return n;
}

/* --- the thread --- */

static int64_t do_command(const struct pager *p, const struct pages_msg *m)
{
    bool guard = m->flags & PAGES_GUARD, parked = m->flags & PAGES_PARKED;
    if (m->what == PAGES_COUNT) return count(p);
    if (!p->paged || m->page >= p->n_pages) return -EINVAL;
    switch (m->what) {
    case PAGES_ZERO: return zero(p, m->page);
    case PAGES_LOAD: return load(p, m->page, guard);
    case PAGES_PARK: return park(p, m->page);
    case PAGES_UNPARK: return unpark(p, m->page, guard);
    case PAGES_SAVE: return save(p, m->page, parked);
    case PAGES_DROP: return forget(p, parked ? cache_at(p, m->page) : guest_at(p, m->page));
    case PAGES_OPEN: return uffd_unprotect(CTL_FD_UFFD, guest_at(p, m->page), p->page);
    case PAGES_WAKE: return uffd_wake(CTL_FD_UFFD, guest_at(p, m->page), p->page);
    default: return -EINVAL;
    }
}

static int64_t cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool say(const struct pages_msg *m)
{
    return send(CTL_FD_PAGES, m, sizeof *m, MSG_NOSIGNAL) == (ssize_t)sizeof *m;
}

static uint32_t vcpu_of(const struct vmm *v, int tid)
{
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
        if ((int)__atomic_load_n(&v->ctl->v[i].tid, __ATOMIC_ACQUIRE) == tid) return i;
    return UINT32_MAX;
}

/* False: the runner is gone, or the kernel says what it should not. */
static bool tell_fault(const struct pager *p)
{
    struct uffd_fault f;
    int e = uffd_next(CTL_FD_UFFD, &f);
    uint64_t at = f.at - (uintptr_t)p->vmm->memory.host;
    if (e <= 0) return e == 0;
    if (at / p->page >= p->n_pages) return false; /* also where `at` lies before the memory */
    struct pages_msg m = {.what = PAGES_FAULT,
                          .page = (uint32_t)(at / p->page),
                          .flags = f.write ? PAGES_WRITE : 0,
                          .vcpu = vcpu_of(p->vmm, f.tid),
                          .at_ns = gate_now()};
    return say(&m);
}

/* What the guest keeps secret is here like all else of it. */
static bool tell_secret(const struct pager *p, const struct pages_msg *m)
{
    uint64_t at = (uint64_t)m->page * PAGES_PIECE, all = p->vmm->ctl->secret_bytes;
    uint64_t n = at >= all ? 0 : all - at < PAGES_PIECE ? all - at : PAGES_PIECE;
    const void *from = gmem_at(&p->vmm->secret, (struct gpa){ABI_SECRET + at}, n);
    if (!from) n = 0;
    p->out->m = *m;
    p->out->m.value = (int64_t)n;
    if (n > 0) memcpy(p->out->bytes, from, n);
    size_t whole = offsetof(struct pages_data, bytes) + n;
    return send(CTL_FD_PAGES, p->out, whole, MSG_NOSIGNAL) == (ssize_t)whole;
}

static bool obey(const struct pager *p)
{
    struct pages_msg m;
    if (recv(CTL_FD_PAGES, &m, sizeof m, 0) != (ssize_t)sizeof m) return false;
    if (m.what == PAGES_READ) return tell_secret(p, &m);
    int64_t from = cpu_now();
    m.value = do_command(p, &m);
    m.at_ns = cpu_now() - from;
    return say(&m);
}

static void *pager_main(void *arg)
{
    struct pager *p = arg;
    struct pollfd pf[] = {{.fd = CTL_FD_PAGES, .events = POLLIN},
                          {.fd = p->paged ? CTL_FD_UFFD : -1, .events = POLLIN}};
    struct pages_msg ready = {.what = PAGES_READY, .value = gettid()};
    sandbox_confine(p->vmm, &p->vmm->filter_pager);
    for (bool ok = say(&ready); ok;) {
        if (poll(pf, 2, -1) < 0 && errno != EINTR) break;
        if (pf[0].revents && !obey(p)) break;
        if (pf[1].revents && !tell_fault(p)) break;
    }
    _exit(EXIT_FAILURE); /* without it a guest would wait for ever */
}

static unsigned char *buffer(struct vmm *v, uint64_t bytes)
{
    struct gmem m; /* with guard pages around it, aligned as what it will be moved to */
    if (gmem_init(&m, v->memory.base, bytes) != 0) vmm_fail(v->ctl, "no memory for the pager");
    return m.host;
}

static void watch(struct pager *p)
{
    struct vmm *v = p->vmm;
    uint64_t bytes = p->n_pages * p->page;
    int e = uffd_agree(CTL_FD_UFFD, &p->move);
    if (v->ctl->no_move) p->move = false;
    p->stage = buffer(v, p->page);
    p->blank = buffer(v, p->page);
    if (gmem_init(&p->cache, v->memory.base, bytes) != 0) vmm_fail(v->ctl, "no memory for the pager");
    (void)madvise(p->stage, p->page, p->page == ABI_PAGE ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    (void)madvise(p->cache.host, bytes, p->page == ABI_PAGE ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    if (e == 0) e = uffd_watch(CTL_FD_UFFD, v->memory.host, bytes);
    /* Pages are moved only to where faults are told, and there they may not be written to by hand. */
    if (e == 0 && p->move) e = uffd_watch(CTL_FD_UFFD, p->cache.host, bytes);
    if (e != 0) vmm_fail(v->ctl, "userfaultfd: %s", strerror(-e));
}

static void *need(struct vmm *v, size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p) vmm_fail(v->ctl, "no memory for the pager");
    return p;
}

void pager_make(struct vmm *v)
{
    if (v->ctl->pool == CTL_NO_POOL) return;
    struct pager *p = need(v, sizeof *p);
    p->seen = need(v, LOOK_PAGES);
    p->out = need(v, sizeof *p->out);
    p->vmm = v;
    p->page = v->ctl->page_bytes;
    p->n_pages = p->page ? (uint32_t)(v->ctl->mapped_bytes / p->page) : 0;
    p->paged = v->ctl->pool == CTL_PAGED;
    if (p->paged) watch(p);
    v->page = pager_main;
    v->page_arg = p;
}
