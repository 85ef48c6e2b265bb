// SPDX-License-Identifier: GPL-3.0-or-later
/* pager.h - the thread that does with the guest's memory what the runner's pool says (kvm/pages.h).
 *
 * Faults come through a userfaultfd, also those that KVM takes in the kernel on the guest's behalf, for which
 * the kernel wants a privilege: so it is opened before root is given up. Taking a page from the guest must
 * not lose what another vCPU writes meanwhile: UFFDIO_MOVE takes it out whole, into a second area of the same
 * size, the cache; where the kernel has none (before Linux 6.8) the page is write-protected first, then
 * copied, then given back by MADV_DONTNEED. Guarded pages come by UFFDIO_COPY, which maps them
 * write-protected from their first instant; so of pages of 2 MiB only those that are in are huge.
 *
 * The store is an ordinary file behind the host's page cache: what is written out is not flushed, and reading
 * it back is often no disk's work. How long a device would have taken is the pool's to add.
 *
 * The thread uses read, poll, sendto, recvfrom, pread64, pwrite64, madvise, futex, clock_gettime, mincore,
 * and ioctl on its userfaultfd. */
#ifndef VLAB_KVM_VMM_PAGER_H
#define VLAB_KVM_VMM_PAGER_H

#include "kvm/vmm/vmm.h"

/* Opens the userfaultfd, if this VM's memory is paged. Before sandbox_enter. */
void pager_open(struct ctl *c);
/* The memory is there, nobody has referred to it: watches it, and has the thread started with the others,
 * which says PAGES_READY and ends with the process. Nothing where there is no memory. */
void pager_make(struct vmm *v);

#endif
