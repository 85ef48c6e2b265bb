// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab-vmm: runs one guest. Started by `vlab`, not by hand. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/sandbox/rules.h"
#include "kvm/vmm/dev.h"
#include "kvm/vmm/pio.h"

#define STACK_BYTES (256u << 10) /* small: that of a thread that ends is kept, not unmapped */

_Noreturn void vmm_fail(struct ctl *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->text, sizeof c->text, fmt, ap);
    va_end(ap);
    __atomic_store_n(&c->failed, 1, __ATOMIC_RELEASE);
    _exit(EXIT_FAILURE);
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
    if (v->devs && pthread_create(&v->io, &small, io_main, v) != 0)
        vmm_fail(v->ctl, "cannot start the I/O thread: %m");
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
        if (pthread_create(&v->vcpus[i].thread, &small, vcpu_main, &v->vcpus[i]) != 0)
            vmm_fail(v->ctl, "cannot start a thread: %m");
}

static struct vmm *new_vmm(struct ctl *c)
{
    struct vmm *v = calloc(1, sizeof *v);
    if (!v) vmm_fail(c, "out of memory");
    return v;
}

int main(void)
{
    struct ctl *c = map_ctl();
    if (!c) {
        fprintf(stderr, "vlab-vmm runs one guest for vlab, which starts it. See `vlab run --help`.\n");
        return 2;
    }
    sandbox_enter(c);
    struct vmm *v = new_vmm(c);
    v->ctl = c;
    v->kvm = CTL_FD_KVM;
    v->bells = map_shared(CTL_FD_BELLS, sizeof *v->bells);
    if (!v->bells) vmm_fail(c, "cannot map the bells: %m");
    machine_make(v);
    for (uint32_t i = 0; i < c->n_vcpus; i++) {
        v->vcpus[i] = (struct vcpu){.vmm = v, .ctl = &c->v[i], .index = i};
        machine_make_vcpu(&v->vcpus[i]);
    }
    pio_make_all(v);
    sandbox_prepare(v, &rules_vcpu);
    start_threads(v);
    sandbox_confine(v, &v->filter_control);
    for (uint32_t i = 0; i < c->n_vcpus; i++)
        pthread_join(v->vcpus[i].thread, NULL);
    _exit(0); /* nothing is left to be written, and nothing may be */
}
