// SPDX-License-Identifier: GPL-3.0-or-later
/* store.h - the datastore of one disk: a process that serves the volumes of all VMs on it.
 *
 * The runner starts it with descriptors and a page that says what the disk is (struct store_ctl); it dies
 * with its runner. A request goes the way that it goes in the simulator, on the real clock: the disk's queue
 * (the simulator's own policies and limits), the server (a token bucket), the latency stage. When the server
 * takes it, the medium is asked too: a sparse file, past the page cache where that can be. It is answered
 * when both are done. So a disk whose rates the medium can keep is the one that the scenario describes, and
 * the medium alone decides where the scenario states nothing. A trim and a flush go to the medium at once. */
#ifndef VLAB_KVM_STORE_STORE_H
#define VLAB_KVM_STORE_STORE_H

#include "kvm/ctl.h"
#include "kvm/store/proto.h"

#define STORE_MAGIC       0x31525453u
#define STORE_MAX_VOLUMES 128u
#define STORE_QUEUE_NAME  16u

enum store_fd {
    STORE_FD_CTL = 3,
    STORE_FD_VOLUME, /* of volume i: 4 i further these four: */
    STORE_FDS = 4    /* its VMM's socket, its file, the same without O_DIRECT, its window */
};

/* A VM's disk. */
struct store_volume {
    uint64_t bytes, window_bytes;
    uint32_t weight, pad;
    int64_t reservation_u, limit_u, limit_bps, limit_burst_bytes; /* as policy/ioqueue.h has them */
};

/* What goes wrong, by plan: drawn for each request from (seed, volume, number of its request); and when. */
struct store_faults {
    uint64_t seed;
    uint32_t eio, enospc; /* of 2^32: reads and writes that end with ABI_EIO; writes with ABI_ENOSPC */
    uint32_t slow, pad;   /* of 2^32: requests that take slow_ns longer */
    int64_t slow_ns;
    int64_t stall_from_ns, stall_for_ns; /* since t = 0: nothing is answered; 0: never */
};

struct store_ctl {
    uint32_t magic, n_volumes;
    int32_t runner;
    uint32_t threads; /* no io_uring, even where there is one */
    char queue[STORE_QUEUE_NAME];
    int64_t iops_u, bandwidth_bps, burst_bytes, peak_bps, latency_ns;
    struct store_faults faults;
    struct store_volume volume[STORE_MAX_VOLUMES];
    int64_t zero_ns; /* t = 0, CLOCK_MONOTONIC; INT64_MAX: not known yet */
    /* The datastore's. */
    uint32_t ready, failed; /* failed: text says why */
    char text[CTL_TEXT];
    struct ctl_ios ios;
};

#endif
