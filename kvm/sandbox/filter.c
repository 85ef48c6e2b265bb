// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/sandbox/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/sandbox/rules.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#endif

static int add(scmp_filter_ctx ctx, const struct filter_rule *r)
{
    struct scmp_arg_cmp when[2];
    for (uint32_t i = 0; i < r->n; i++) {
        const struct filter_arg *a = &r->args[i];
        uint32_t value = a->own_pid ? (uint32_t)getpid() : a->value;
        when[i] = (struct scmp_arg_cmp){a->arg, SCMP_CMP_MASKED_EQ, a->mask, value};
    }
    return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, r->call, r->n, when);
}

static int add_all(scmp_filter_ctx ctx, const struct filter_role *role)
{
    int e = 0;
    for (size_t i = 0; e == 0 && i < role->n_rules; i++)
        e = add(ctx, &role->rules[i]);
    return e;
}

/* libseccomp writes its program to a descriptor: a pipe holds the largest there is, and takes no file. */
static int take_program(scmp_filter_ctx ctx, struct filter *f)
{
    const size_t most = BPF_MAXINSNS * sizeof(struct sock_filter);
    int p[2];
    if (pipe2(p, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    int e = seccomp_export_bpf(ctx, p[1]);
    if (e == 0 && !(f->program = malloc(most))) e = -ENOMEM;
    ssize_t n = e == 0 ? read(p[0], f->program, most) : 0;
    if (e == 0 && (n <= 0 || (size_t)n % sizeof(struct sock_filter) != 0)) e = -EIO;
    if (e == 0) f->n = (uint16_t)((size_t)n / sizeof(struct sock_filter));
    close(p[0]);
    close(p[1]);
    return e;
}

int filter_make(struct filter *f, const struct filter_role *role)
{
    *f = (struct filter){0};
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!ctx) return -ENOMEM;
    int e = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (e == 0) e = add_all(ctx, role); /* first: what it does most often is looked at first */
    if (e == 0) e = add_all(ctx, &rules_every);
    if (e == 0) e = take_program(ctx, f);
    seccomp_release(ctx);
    if (e != 0) filter_done(f);
    return e;
}

int filter_install(const struct filter *f)
{
#ifdef SANITIZED
    (void)f;
    return 0;
#else
    struct sock_fprog p = {.len = f->n, .filter = f->program};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) == 0 ? 0 : -errno;
#endif
}

void filter_done(struct filter *f)
{
    free(f->program);
    *f = (struct filter){0};
}

int filter_enter(const struct filter_role *role)
{
    struct filter f; /* not freed: to give memory back may take a call that is forbidden now */
    int e = filter_make(&f, role);
    return e == 0 ? filter_install(&f) : e;
}
