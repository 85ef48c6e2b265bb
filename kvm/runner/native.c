// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/runner/intervals.h"

#define THROTTLE_EVERY_NS 100000000

struct native {
    struct run *run;
    struct intervals *iv;
    uint32_t *pcpu; /* of each vCPU */
    int64_t next_throttle_ns;
};

static bool allowed(const struct sc_vm *v, uint32_t p)
{
    return !v->pins || (v->pins[p / 64] >> (p % 64) & 1) != 0;
}

static void assign(struct native *n)
{
    struct run *r = n->run;
    uint32_t taken[CTL_PCPUS] = {0};
    for (uint32_t i = 0; i < r->n_vcpus; i++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t p = 0; p < r->pc->cores; p++)
            if (allowed(run_vm_of(r, i)->sc, p) && (best == UINT32_MAX || taken[p] < taken[best])) best = p;
        ASSERT(best != UINT32_MAX);
        n->pcpu[i] = best;
        taken[best]++;
    }
}

struct native *native_new(struct run *r, enum kvm_status *st, char **why)
{
    if (!host_kernel_at_least(6, 6)) {
        *why = host_text("scheduler: eevdf is Linux's own from 6.6 on; this kernel is older: use `cfs`, or a "
                         "newer kernel");
        *st = KVM_NO_KVM;
        return NULL;
    }
    struct native *n = calloc(1, sizeof *n);
    ASSERT(n);
    n->run = r;
    n->pcpu = calloc(r->n_vcpus + 1, sizeof *n->pcpu);
    ASSERT(n->pcpu);
    assign(n);
    n->iv = intervals_new(r, n->pcpu);
    return n;
}

uint32_t native_pcpu(const struct native *n, uint32_t vcpu)
{
    return n->pcpu[vcpu];
}

enum kvm_status native_begin(struct native *n, char **why)
{
    struct run *r = n->run;
    for (uint32_t i = 0; i < r->n_vcpus; i++) {
        int tid = run_vm_of(r, i)->proc.tid[r->vcpus[i].index];
        if (run_vm_of(r, i)->proc.pid == 0 ||
            vmproc_state(&run_vm_of(r, i)->proc, r->vcpus[i].index) == CTL_ENDED)
            continue;
        int e = vmproc_pin(&run_vm_of(r, i)->proc, r->vcpus[i].index, r->host.cpus[n->pcpu[i]]);
        if (e == 0) e = intervals_watch(n->iv, i, tid);
        if (e == -ESRCH) continue; /* it has ended meanwhile */
        if (e == -EACCES || e == -EPERM) {
            *why = host_text("scheduler: eevdf needs to see the kernel's context switches: sysctl "
                             "kernel.perf_event_paranoid=2 "
                             "(or less), or run as root");
            return KVM_NO_KVM;
        }
        if (e != 0) {
            *why = host_text("cannot watch a vCPU thread: %s", strerror(-e));
            return KVM_FAILED;
        }
    }
    return KVM_OK;
}

void native_poll(struct native *n)
{
    struct run *r = n->run;
    intervals_poll(n->iv);
    int64_t now = host_now() - r->zero_abs_ns;
    if (r->groups.version == 0 || now < n->next_throttle_ns) return;
    n->next_throttle_ns = now + THROTTLE_EVERY_NS;
    for (uint32_t i = 0; i < r->n_vms; i++)
        if (r->vms[i].sc->limit_ppm != 0)
            intervals_throttled(n->iv, i, host_now() - r->zero_abs_ns, cgroup_throttled_ns(&r->groups, i));
}

bool native_sane(const struct native *n, uint32_t vm)
{
    const struct run_vm *v = &n->run->vms[vm];
    for (uint32_t i = v->first; i < v->first + v->proc.n_vcpus; i++)
        if (!intervals_sane(n->iv, i)) return false;
    return true;
}

int native_finish(struct native *n, char **why)
{
    n->next_throttle_ns = 0;
    native_poll(n);
    return intervals_finish(n->iv, why);
}

void native_free(struct native *n)
{
    if (!n) return;
    intervals_free(n->iv);
    free(n->pcpu);
    free(n);
}
