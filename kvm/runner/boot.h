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

/* A file in memory with the region, or -1 with *why. */
int boot_make(const struct host *h, const struct sc_vm *vm, const struct boot_memory *memory,
              const struct sc_run *run, uint64_t seed, double iters_per_ns, char **why);
/* The same for a guest that measures (ABI_MEASURE, ABI_MEASURE_EXIT). */
int boot_make_measure(const struct host *h, enum abi_mode mode, uint32_t count, int64_t target_ns,
                      char **why);

#endif
