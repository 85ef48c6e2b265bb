// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/sandbox/rules.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "kvm/ctl.h"
#include "kvm/vmm/uffd.h"

#define ALL UINT32_MAX
#define IS(i, v)                                                                                             \
    {                                                                                                        \
        .arg = (i), .mask = ALL, .value = (v)                                                                \
    }
#define OWN_PID(i)                                                                                           \
    {                                                                                                        \
        .arg = (i), .mask = ALL, .own_pid = 1                                                                \
    }
#define ROLE(name, what, rules) const struct filter_role name = {what, rules, sizeof(rules) / sizeof *(rules)}

/* A futex of this process or of shared memory, with any clock: only what it does is looked at. */
#define FUTEX(op)                                                                                            \
    {                                                                                                        \
        SYS_futex, 1,                                                                                        \
        {                                                                                                    \
            {                                                                                                \
                .arg = 1, .mask = (uint32_t)FUTEX_CMD_MASK, .value = (op)                                    \
            }                                                                                                \
        }                                                                                                    \
    }
#define IOCTL(request)                                                                                       \
    {                                                                                                        \
        SYS_ioctl, 1,                                                                                        \
        {                                                                                                    \
            IS(1, (uint32_t)(request))                                                                       \
        }                                                                                                    \
    }

static const struct filter_rule every[] = {
    FUTEX(FUTEX_WAIT),
    FUTEX(FUTEX_WAKE),
    FUTEX(FUTEX_WAIT_BITSET),    /* pthread_join */
    {.call = SYS_clock_gettime}, /* where the clock is not read without a call */
    {.call = SYS_rt_sigreturn},
    {.call = SYS_restart_syscall},            /* after it was stopped and continued */
    {.call = SYS_rt_sigprocmask},             /* of a thread that ends */
    {SYS_madvise, 1, {IS(2, MADV_DONTNEED)}}, /* the same: its stack */
    {.call = SYS_exit},
    {.call = SYS_exit_group},
};
ROLE(rules_every, "every", every);

/* Nothing of its own. */
const struct filter_role rules_control = {"control", NULL, 0};

/* Kicks siblings when it breaks off (tgkill, of which the kernel checks that the thread is of the process).
 */
#define KICK_SIBLINGS                                                                                        \
    {.call = SYS_getpid},                                                                                    \
    {                                                                                                        \
        SYS_tgkill, 2,                                                                                       \
        {                                                                                                    \
            OWN_PID(0), IS(2, CTL_KICK)                                                                      \
        }                                                                                                    \
    }

static const struct filter_rule vcpu[] = {
    IOCTL(KVM_RUN),       IOCTL(KVM_GET_REGS), /* how it ended */
    IOCTL(KVM_GET_SREGS), IOCTL(KVM_GET_VCPU_EVENTS), {.call = SYS_clock_nanosleep}, KICK_SIBLINGS,
};
ROLE(rules_vcpu, "vCPU", vcpu);

/* Its doorbells' eventfds and its peers' sockets; it kicks a guest that broke the rules until it is out. */
static const struct filter_rule io[] = {
    {.call = SYS_epoll_wait}, {.call = SYS_epoll_ctl},       {.call = SYS_read},
    {.call = SYS_sendto},     {.call = SYS_recvfrom},        {.call = SYS_nanosleep},
    {.call = SYS_close},      {.call = SYS_clock_nanosleep}, KICK_SIBLINGS,
};
ROLE(rules_io, "I/O", io);

/* Pages come and go by its userfaultfd and its store; mincore counts those that are there. */
static const struct filter_rule pager[] = {
    IOCTL(UFFDIO_COPY),    IOCTL(UFFDIO_WRITEPROTECT), IOCTL(UFFDIO_WAKE),    IOCTL(UFFD_MOVE),
    {.call = SYS_read},    {.call = SYS_poll},         {.call = SYS_sendto},  {.call = SYS_recvfrom},
    {.call = SYS_pread64}, {.call = SYS_pwrite64},     {.call = SYS_mincore}, {.call = SYS_sched_yield},
};
ROLE(rules_pager, "pager", pager);

#define CARRY_FRAMES                                                                                         \
    {.call = SYS_ppoll}, {.call = SYS_read}, {.call = SYS_write}, {.call = SYS_recvfrom},                    \
        {.call = SYS_sendmsg},                                                                               \
    {                                                                                                        \
        .call = SYS_close                                                                                    \
    }

#define SERVE_DISK                                                                                           \
    {.call = SYS_epoll_wait}, {.call = SYS_read}, {.call = SYS_sendto}, {.call = SYS_recvfrom},              \
        {.call = SYS_timerfd_settime}, {.call = SYS_newfstatat}, {.call = SYS_fstat},                        \
    {                                                                                                        \
        .call = SYS_close                                                                                    \
    }

static const struct filter_rule switch_rules[] = {CARRY_FRAMES};
ROLE(rules_switch, "switch", switch_rules);

/* What libslirp does for a connection, and glib for memory: never to be executed. */
static const struct filter_rule slirp[] = {
    CARRY_FRAMES,
    {SYS_socket, 1, {IS(0, AF_INET)}},
    {.call = SYS_bind},
    {.call = SYS_connect},
    {.call = SYS_sendto},
    {.call = SYS_recvmsg},
    {.call = SYS_shutdown},
    {.call = SYS_getsockname},
    {.call = SYS_getpeername},
    {.call = SYS_setsockopt},
    {.call = SYS_getsockopt},
    {SYS_fcntl, 1, {IS(1, F_GETFL)}},
    {SYS_fcntl, 1, {IS(1, F_SETFL)}},
    {SYS_fcntl, 1, {IS(1, F_SETFD)}},
    IOCTL(FIONREAD),
    IOCTL(FIONBIO),
    {SYS_mmap, 1, {{.arg = 2, .mask = PROT_EXEC, .value = 0}}},
    {.call = SYS_munmap},
    {.call = SYS_mremap},
    {.call = SYS_brk},
    {.call = SYS_getrandom},
};
ROLE(rules_slirp, "switch with libslirp", slirp);

static const struct filter_rule store[] = {{.call = SYS_io_uring_enter}, SERVE_DISK};
ROLE(rules_store, "datastore", store);

static const struct filter_rule store_threads[] = {{.call = SYS_pread64},   {.call = SYS_pwrite64},
                                                   {.call = SYS_fdatasync}, {.call = SYS_fallocate},
                                                   {.call = SYS_write},     SERVE_DISK};
ROLE(rules_store_threads, "datastore with threads", store_threads);

static const struct filter_rule native[] = {
    {.call = SYS_clock_nanosleep},
    KICK_SIBLINGS,
};
ROLE(rules_native, "native vCPU", native);
