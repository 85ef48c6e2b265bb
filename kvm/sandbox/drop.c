// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/sandbox/drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static bool limit(int what, rlim_t most)
{
    struct rlimit r = {most, most};
    return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

static bool drop_root(void)
{
    if (geteuid() != 0) return true;
    /* The bounding set too: what no descendant could have either. It ends where the kernel knows no more. */
    for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++) {
    }
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/* What the change of user left: inheritable ones, and all of a user who was given some. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    return syscall(SYS_capset, &h, none) == 0;
}

const char *drop_privileges(unsigned first_closed, pid_t parent, unsigned max_fds)
{
    return drop_keep_files(first_closed, parent, max_fds, 0);
}

const char *drop_keep_files(unsigned first_closed, pid_t parent, unsigned max_fds, uint64_t max_file)
{
    if (close_range(first_closed, ~0u, 0) != 0) return "close_range";
    if (!drop_root()) return "giving up root";
    if (!drop_capabilities()) return "giving up capabilities";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
    /* After the change of user, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return "parent death signal";
    if (getppid() != parent) {
        errno = ESRCH;
        return "the process that started this one";
    }
    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, max_file) || !limit(RLIMIT_NOFILE, max_fds))
        return "setrlimit";
    return NULL;
}
