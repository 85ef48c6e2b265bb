// SPDX-License-Identifier: GPL-3.0-or-later
/* What a switch gives up before it reads the first frame: root, capabilities, files, other descriptors, and
 * every system call but those that carry frames. It dies with its runner. */
#include "kvm/sandbox/drop.h"

#include <errno.h>
#include <sys/prctl.h>

#include "kvm/sandbox/rules.h"
#include "kvm/switch/switch.h"

void sandbox_enter(struct net_ctl *ctl, bool slirp)
{
    /* Its descriptors are what it has by now: it closed the others before it opened its own. */
    const char *what = drop_privileges(~0u, ctl->runner, NET_PORTS + HUB_UPLINK_FDS + 64);
    if (what) switch_fail(ctl, "%s: %s", what, strerror(errno));
    prctl(PR_SET_TIMERSLACK, 1);
    int e = filter_enter(slirp ? &rules_slirp : &rules_switch);
    if (e != 0) switch_fail(ctl, "seccomp: %s", strerror(-e));
}
