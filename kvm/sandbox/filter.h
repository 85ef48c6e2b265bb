// SPDX-License-Identifier: GPL-3.0-or-later
/* filter.h - which system calls a thread may make from now on; any other ends its process (SIGSYS).
 *
 * What a thread is for is its role: one table of rules (rules.h). A role that needs more gets a line there,
 * a new role a table. Arguments are checked where a number decides what a call does: the request of an
 * ioctl, the operation of a futex, the target of a signal. Pointers and descriptors cannot be judged here:
 * a process keeps only the descriptors it may use.
 *
 *     filter_make(&f, &rules_vcpu)    before threads start: it allocates
 *     filter_install(&f)              in the thread, when all that allocates is over: one system call
 *
 * A process of one thread, or one whose threads have one role and are made afterwards, calls filter_enter.
 * no_new_privs must be set before (drop.h). */
#ifndef VLAB_KVM_SANDBOX_FILTER_H
#define VLAB_KVM_SANDBOX_FILTER_H

#include <stddef.h>
#include <stdint.h>

/* Argument `arg` (from 0), as far as `mask` goes, is `value`; where `own_pid` is set: is this process's id.
 */
struct filter_arg {
    uint32_t arg, mask, value, own_pid;
};

struct filter_rule {
    int call;   /* SYS_... */
    uint32_t n; /* conditions; all must hold. Several rules of one call: any of them */
    struct filter_arg args[2];
};

struct filter_role {
    const char *name;
    const struct filter_rule *rules;
    size_t n_rules;
};

struct filter {
    void *program; /* of the kernel's filter machine, malloc'ed */
    uint16_t n;    /* instructions */
};

/* Translates a role's rules and those that every thread has. 0, or -errno. */
int filter_make(struct filter *f, const struct filter_role *role);
/* In force for the calling thread, and those it makes, for good. 0, or -errno. In a program built with a
 * sanitizer it does nothing: the sanitizer makes calls of its own. */
int filter_install(const struct filter *f);
/* Not in a thread that is confined: free may need a call that is forbidden. */
void filter_done(struct filter *f);
/* Both: the calling thread takes the role. 0, or -errno. */
int filter_enter(const struct filter_role *role);

#endif
