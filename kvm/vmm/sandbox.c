// SPDX-License-Identifier: GPL-3.0-or-later
/* What a VMM gives up: first its privileges, then, when all it needs is there and before its guest's first
 * instruction, every system call that it does not need to run it. It dies with its runner. */
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kvm/sandbox/drop.h"
#include "kvm/sandbox/rules.h"
#include "kvm/vmm/vmm.h"

#define MAX_FDS 64

void sandbox_enter(struct ctl *c)
{
    uint64_t store = c->pool == CTL_PAGED ? c->memory_bytes : 0; /* of pages that are out */
    const char *what = drop_keep_files(CTL_FD_END, c->runner, MAX_FDS, store);
    if (what) vmm_fail(c, "%s: %m", what);
    prctl(PR_SET_TIMERSLACK, 1);
}

void sandbox_prepare(struct vmm *v, const struct filter_role *vcpu)
{
    int e = filter_make(&v->filter_control, &rules_control);
    if (e == 0) e = filter_make(&v->filter_vcpu, vcpu);
    if (e == 0) e = filter_make(&v->filter_io, &rules_io);
    if (e == 0) e = filter_make(&v->filter_pager, &rules_pager);
    if (e != 0) vmm_fail(v->ctl, "seccomp: %s", strerror(-e));
    pthread_barrier_init(&v->confined, NULL, v->ctl->n_vcpus + 1 + (v->serve != NULL) + (v->page != NULL));
    /* What was needed to get here and is mapped, copied or held by KVM now. A VMM makes no other VM. */
    static const int done[] = {CTL_FD_CTL, CTL_FD_LOG,     CTL_FD_BOOT, CTL_FD_BELLS,
                               CTL_FD_KVM, CTL_FD_PAYLOAD, CTL_FD_BELL};
    for (size_t i = 0; i < sizeof done / sizeof *done; i++)
        close(done[i]);
    for (int i = 0; i < (int)ABI_MAX_DEVS; i++) {
        if (v->ctl->dev[i].kind == ABI_DEV_NONE) close(CTL_FD_DEV + 2 * i);
        close(CTL_FD_DEV + 2 * i + 1);
    }
    if (v->ctl->pool == CTL_NO_POOL) close(CTL_FD_PAGES);
    if (v->ctl->pool == CTL_PAGED) return;
    close(CTL_FD_STORE);
    close(CTL_FD_UFFD);
}

/* Twice: none is confined before all threads are there, none goes on before all are confined. */
void sandbox_confine(struct vmm *v, const struct filter *f)
{
    pthread_barrier_wait(&v->confined);
    int e = filter_install(f);
    if (e != 0) vmm_fail(v->ctl, "seccomp: %s", strerror(-e));
    pthread_barrier_wait(&v->confined);
}
