// SPDX-License-Identifier: GPL-3.0-or-later
/* The frame of a process that serves one guest, whatever runs it: attach to the runner, start the threads. */
#include "kvm/vmm/vmm.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/sandbox/rules.h"

#define STACK_BYTES (256u << 10) /* small: that of a thread that ends is kept, not unmapped */

_Noreturn void vmm_fail(struct ctl *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->text, sizeof c->text, fmt, ap);
    va_end(ap);
    __atomic_store_n(&c->failed, 1, __ATOMIC_RELEASE);
    _Exit(EXIT_FAILURE);
}

static void *map_shared(int fd, uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static struct ctl *map_ctl(void)
{
    struct stat st;
    if (fstat(CTL_FD_CTL, &st) != 0 || (uint64_t)st.st_size < ctl_bytes(1)) return NULL;
    struct ctl *c = map_shared(CTL_FD_CTL, (uint64_t)st.st_size);
    if (!c || c->magic != CTL_MAGIC || c->n_vcpus < 1 || c->n_vcpus > ABI_MAX_VCPUS) return NULL;
    return ctl_bytes(c->n_vcpus) <= (uint64_t)st.st_size ? c : NULL;
}

struct vmm *vmm_attach(void (*before)(struct ctl *c))
{
    struct ctl *c = map_ctl();
    if (!c) return NULL;
    if (before) before(c);
    sandbox_enter(c);
    struct vmm *v = calloc(1, sizeof *v);
    if (!v) vmm_fail(c, "out of memory");
    v->ctl = c;
    v->kvm = CTL_FD_KVM;
    v->bells = map_shared(CTL_FD_BELLS, sizeof *v->bells);
    if (!v->bells) vmm_fail(c, "cannot map the bells: %m");
    for (uint32_t i = 0; i < c->n_vcpus; i++)
        v->vcpus[i] = (struct vcpu){.vmm = v, .ctl = &c->v[i], .index = i};
    return v;
}

static void start_threads(struct vmm *v)
{
    struct sigaction sa = {.sa_handler = vcpu_on_kick};
    sigset_t all;
    pthread_attr_t small;
    sigfillset(&all);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    /* The threads inherit this: a vCPU thread lets CTL_KICK alone through, see vcpu_main. */
    if (sigaction(CTL_KICK, &sa, NULL) != 0 || pthread_sigmask(SIG_BLOCK, &all, NULL) != 0)
        vmm_fail(v->ctl, "signals: %m");
    if (v->serve && pthread_create(&v->io, &small, v->serve, v) != 0)
        vmm_fail(v->ctl, "cannot start the I/O thread: %m");
    if (v->page && pthread_create(&v->pager, &small, v->page, v->page_arg) != 0)
        vmm_fail(v->ctl, "cannot start the pager: %m");
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
        if (pthread_create(&v->vcpus[i].thread, &small, vcpu_main, &v->vcpus[i]) != 0)
            vmm_fail(v->ctl, "cannot start a thread: %m");
}

static bool ended_well(const struct ctl *c)
{
    for (uint32_t i = 0; i < c->n_vcpus; i++)
        if (c->v[i].end.cause != CTL_EXIT) return false;
    return true;
}

_Noreturn void vmm_run(struct vmm *v, const struct filter_role *vcpu)
{
    sandbox_prepare(v, vcpu);
    start_threads(v);
    sandbox_confine(v, &v->filter_control);
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
        pthread_join(v->vcpus[i].thread, NULL);
    if (v->page && ended_well(v->ctl)) pthread_join(v->pager, NULL); /* its memory may still be asked for */
    _exit(0); /* nothing is left to be written, and nothing may be */
}

void vmm_stop_siblings(struct vmm *v)
{
    __atomic_store_n(&v->dying, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
        gate_stop(&v->vcpus[i]);
}
