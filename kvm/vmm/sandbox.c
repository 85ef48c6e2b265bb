// SPDX-License-Identifier: GPL-3.0-or-later
/* What a VMM gives up before it touches anything of its guest's: new privileges, root, core dumps, other
 * descriptors, files. It dies with its runner. */
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kvm/vmm/vmm.h"

#define NOBODY 65534

static void limit(struct ctl *c, int what, rlim_t most)
{
    struct rlimit r = {most, most};
    if (setrlimit((__rlimit_resource_t)what, &r) != 0) vmm_fail(c, "setrlimit: %m");
}

void sandbox_enter(struct ctl *c)
{
    if (close_range(CTL_FD_END, ~0u, 0) != 0) vmm_fail(c, "close_range: %m");
    if (geteuid() == 0) {
        if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) != 0)
            vmm_fail(c, "cannot give up root: %m");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) vmm_fail(c, "no_new_privs: %m");
    /* After the change of user, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) vmm_fail(c, "parent death signal: %m");
    if (getppid() != c->runner) vmm_fail(c, "the runner is gone");
    prctl(PR_SET_TIMERSLACK, 1);
    limit(c, RLIMIT_CORE, 0);
    limit(c, RLIMIT_FSIZE, c->pool == CTL_PAGED ? c->memory_bytes : 0); /* of the store */
    limit(c, RLIMIT_NOFILE, 64);
}
