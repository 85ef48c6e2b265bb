// SPDX-License-Identifier: GPL-3.0-or-later
/* uffd.h - the kernel's userfaultfd, one call a thing done, also where headers are older than the kernel. */
#ifndef VLAB_KVM_VMM_UFFD_H
#define VLAB_KVM_VMM_UFFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UFFD_HELP "run as root, or sysctl vm.unprivileged_userfaultfd=1"

/* Newer than Debian 12's headers: UFFDIO_MOVE of Linux 6.8. */
struct uffd_move_arg {
    uint64_t dst, src, len, mode;
    int64_t move;
};
#define UFFD_MOVE _IOWR(UFFDIO, 0x05, struct uffd_move_arg)

/* A userfaultfd of this process that also tells of faults in the kernel, close-on-exec, or -errno. */
int uffd_open(void);
/* Agrees with the kernel on what is used. 0, or -errno; *move: pages can be moved. */
int uffd_agree(int fd, bool *move);
/* Missing pages of the range, and writes to protected ones, are told. 0, or -errno. */
int uffd_watch(int fd, void *at, size_t bytes);

struct uffd_fault {
    uintptr_t at;
    int tid;
    bool write;
};
/* The next fault; 0: none, 1: one, -errno. */
int uffd_next(int fd, struct uffd_fault *f);

/* Each for whole pages; all but uffd_protect wake who waits for them. 0, or -errno. */
int uffd_copy(int fd, void *to, const void *from, size_t bytes, bool guard); /* guard: write-protected */
int uffd_move(int fd, void *to, void *from, size_t bytes);
int uffd_protect(int fd, void *at, size_t bytes); /* against writing */
int uffd_unprotect(int fd, void *at, size_t bytes);
int uffd_wake(int fd, void *at, size_t bytes);

#endif
