// SPDX-License-Identifier: GPL-3.0-or-later
/* boot.h - the boot region of a VM (kvm/abi.h), made from its part of the scenario. */
#ifndef VLAB_KVM_RUNNER_BOOT_H
#define VLAB_KVM_RUNNER_BOOT_H

#include "kvm/runner/host.h"

/* What a VM has of the memory that steps refer to (ABI_MEMORY), and for secrets; all 0 where none does. */
struct boot_memory {
    uint64_t bytes, mapped, page, secret;
};
struct boot_memory boot_memory(const struct sc_vm *vm, const struct sc_host *host);

/* Its NIC, which is the device after its disks; n_ends 0: it has none. */
struct boot_net {
    const struct abi_end *ends; /* by endpoint */
    uint32_t n_ends, self;
    uint32_t frame_max;
    uint64_t window_bytes;
};

/* A file in memory with the region, or -1 with *why. */
int boot_make(const struct host *h, const struct sc_vm *vm, const struct boot_memory *memory,
              const struct boot_net *net, const struct sc_run *run, uint64_t seed, double iters_per_ns,
              char **why);
/* What a guest is to measure, see enum abi_mode. */
struct boot_measure {
    enum abi_mode mode;
    uint32_t count, op; /* enum prog_op */
    int64_t target_ns;
    uint64_t walk_bytes;
    struct boot_memory memory;
};
/* The memory that a walk takes: in pages as large as there are. */
struct boot_memory boot_walk_memory(uint64_t walk_bytes);
int boot_make_measure(const struct host *h, const struct boot_measure *what, char **why);

#endif
