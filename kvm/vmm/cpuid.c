// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/cpuid.h"

#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define MAX_ENTRIES 128u

/* What long mode and code compiled for SSE2 need, and no more: a leaf that is not here reads as zeros. */
static const struct {
    uint32_t leaf, eax, ebx, ecx, edx;
} allowed[] = {
    {0x0, 0, ~0u, ~0u, ~0u},           /* vendor; the highest leaf is set below */
    {0x1, ~0u, 0xff00, 0, 0x0788a179}, /* fpu pse tsc msr pae cx8 pge cmov clflush mmx fxsr sse sse2 */
    {0x80000000, 0, ~0u, ~0u, ~0u},    {0x80000001, ~0u, 0, 0x1, 0x20100800}, /* lahf; syscall nx lm */
    {0x80000008, 0xffff, 0, 0, 0},                                            /* address sizes */
};

static int keep(struct kvm_cpuid_entry2 *e)
{
    for (unsigned i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (allowed[i].leaf != e->function) continue;
        e->eax &= allowed[i].eax;
        e->ebx &= allowed[i].ebx;
        e->ecx &= allowed[i].ecx;
        e->edx &= allowed[i].edx;
        if (e->function == 0) e->eax = 1;
        if (e->function == 0x80000000) e->eax = 0x80000008;
        return 1;
    }
    return 0;
}

int cpuid_set(int kvm_fd, int vcpu_fd)
{
    struct kvm_cpuid2 *c = calloc(1, sizeof *c + MAX_ENTRIES * sizeof c->entries[0]);
    if (!c) return -1;
    c->nent = MAX_ENTRIES;
    int r = ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c);
    uint32_t n = 0;
    for (uint32_t i = 0; r == 0 && i < c->nent; i++) {
        struct kvm_cpuid_entry2 e = c->entries[i];
        if (keep(&e)) c->entries[n++] = e;
    }
    c->nent = n;
    if (r == 0) r = ioctl(vcpu_fd, KVM_SET_CPUID2, c);
    free(c);
    return r;
}
