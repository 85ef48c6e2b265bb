// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/uffd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's headers. */
#define FEATURE_MOVE (UINT64_C(1) << 16)
#define DEVICE_NEW   _IO(UFFDIO, 0x00)

#define TRIES 1000 /* of a page that the kernel is at itself, with the processor given up in between */

int uffd_open(void)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), why = errno;
    if (fd >= 0) return fd;
    int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC); /* Linux 6.1: for whom its mode says */
    if (dev < 0) return -why;
    fd = ioctl(dev, DEVICE_NEW, O_CLOEXEC | O_NONBLOCK);
    close(dev);
    return fd >= 0 ? fd : -why;
}

int uffd_agree(int fd, bool *move)
{
    const uint64_t need = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_THREAD_ID;
    struct uffdio_api api = {.api = UFFD_API, .features = need | FEATURE_MOVE};
    *move = true;
    if (ioctl(fd, UFFDIO_API, &api) == 0) return 0;
    *move = false;
    api = (struct uffdio_api){.api = UFFD_API, .features = need};
    return ioctl(fd, UFFDIO_API, &api) == 0 ? 0 : -errno;
}

int uffd_watch(int fd, void *at, size_t bytes)
{
    struct uffdio_register r = {.range = {(uintptr_t)at, bytes},
                                .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP};
    return ioctl(fd, UFFDIO_REGISTER, &r) == 0 ? 0 : -errno;
}

int uffd_next(int fd, struct uffd_fault *f)
{
    struct uffd_msg m;
    ssize_t n = read(fd, &m, sizeof m);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n != sizeof m || m.event != UFFD_EVENT_PAGEFAULT) return -EPROTO;
    *f = (struct uffd_fault){.at = (uintptr_t)m.arg.pagefault.address,
                             .tid = (int)m.arg.pagefault.feat.ptid,
                             .write = m.arg.pagefault.flags &
                                      (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP)};
    return 1;
}

/* The kernel stopped half-way: whether to go on. */
static bool again(int why, int *tries)
{
    if (why != EAGAIN && why != EBUSY) return false;
    sched_yield();
    return ++*tries < TRIES;
}

int uffd_copy(int fd, void *to, const void *from, size_t bytes, bool guard)
{
    int tries = 0;
    for (size_t done = 0; done < bytes;) {
        struct uffdio_copy c = {.dst = (uintptr_t)to + done,
                                .src = (uintptr_t)from + done,
                                .len = bytes - done,
                                .mode = guard ? UFFDIO_COPY_MODE_WP : 0};
        if (ioctl(fd, UFFDIO_COPY, &c) == 0) return 0;
        int why = errno;
        if (c.copy > 0) done += (size_t)c.copy;
        if (!again(why, &tries)) return -why;
    }
    return 0;
}

int uffd_move(int fd, void *to, void *from, size_t bytes)
{
    int tries = 0;
    for (size_t done = 0; done < bytes;) {
        struct uffd_move_arg m = {
            .dst = (uintptr_t)to + done, .src = (uintptr_t)from + done, .len = bytes - done};
        if (ioctl(fd, UFFD_MOVE, &m) == 0) return 0;
        int why = errno;
        if (m.move > 0) done += (size_t)m.move;
        if (!again(why, &tries)) return -why;
    }
    return 0;
}

static int protect(int fd, void *at, size_t bytes, uint64_t mode)
{
    struct uffdio_writeprotect w = {.range = {(uintptr_t)at, bytes}, .mode = mode};
    int tries = 0;
    while (ioctl(fd, UFFDIO_WRITEPROTECT, &w) != 0)
        if (!again(errno, &tries)) return -errno;
    return 0;
}

int uffd_protect(int fd, void *at, size_t bytes)
{
    return protect(fd, at, bytes, UFFDIO_WRITEPROTECT_MODE_WP);
}

int uffd_unprotect(int fd, void *at, size_t bytes)
{
    return protect(fd, at, bytes, 0);
}

int uffd_wake(int fd, void *at, size_t bytes)
{
    struct uffdio_range r = {(uintptr_t)at, bytes};
    return ioctl(fd, UFFDIO_WAKE, &r) == 0 ? 0 : -errno;
}
