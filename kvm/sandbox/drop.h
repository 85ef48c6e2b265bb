// SPDX-License-Identifier: GPL-3.0-or-later
/* drop.h - what a process that serves guests gives up before it touches anything of theirs: root and all
 * capabilities, new privileges, core dumps, writing files, descriptors it was not meant to have. */
#ifndef VLAB_KVM_SANDBOX_DROP_H
#define VLAB_KVM_SANDBOX_DROP_H

#include <stdint.h>
#include <sys/types.h>

/* Descriptors from first_closed on are closed; the process dies with `parent`, the one that started it, and
 * may have at most max_fds descriptors from now on. Started as root it becomes nobody. NULL, or what could
 * not be done (errno says why), then nothing may be trusted: end. */
const char *drop_privileges(unsigned first_closed, pid_t parent, unsigned max_fds);
/* The same, but files that are open may be written up to that size. */
const char *drop_keep_files(unsigned first_closed, pid_t parent, unsigned max_fds, uint64_t max_file);

#endif
