// SPDX-License-Identifier: GPL-3.0-or-later
/* A host with less memory than its guests use: the simulator's policies on real pages. */
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "pagelab.h"

Suite *pager_suite(void);

#define MS INT64_C(1000000)

/* One VM, one vCPU: frames, pages, references an iteration, iterations. */
static const struct same {
    const char *policy;
    enum prog_pattern how;
    int64_t frames, pages, refs, until;
    double write;
    int64_t page, target; /* target: of free frames */
    bool no_move;
} same[] = {
    {"fifo", PROG_UNIFORM, 64, 100, 100, 10, .3, PAGELAB_PAGE, 0, false},
    {"fifo", PROG_CYCLIC, 20, 21, 100, 6, 0, PAGELAB_PAGE, 0, false},
    {"fifo", PROG_CYCLIC, 20, 21, 100, 6, 1, PAGELAB_PAGE, 0, true},
    {"fifo", PROG_ZIPF, 100, 900, 500, 3, .5, PAGELAB_PAGE, 0, true},
    {"fifo", PROG_UNIFORM, 1, 30, 50, 8, .5, PAGELAB_PAGE, 0, false},
    {"fifo", PROG_UNIFORM, 6, 16, 40, 4, .3, PAGELAB_BIG, 0, false},
    {"fifo", PROG_UNIFORM, 6, 16, 40, 3, .3, PAGELAB_BIG, 0, true},
    {"fifo", PROG_UNIFORM, 80, 100, 100, 10, .3, PAGELAB_PAGE, 400, false},
    {"random", PROG_UNIFORM, 64, 100, 100, 10, .3, PAGELAB_PAGE, 0, false},
    {"random", PROG_CYCLIC, 50, 60, 120, 6, .1, PAGELAB_PAGE, 0, true},
    {"random", PROG_ZIPF, 100, 900, 500, 3, 0, PAGELAB_PAGE, 0, false},
    {"random", PROG_ZIPF, 5, 17, 40, 4, .5, PAGELAB_BIG, 0, false},
    {"second-chance", PROG_UNIFORM, 64, 100, 100, 8, .3, PAGELAB_PAGE, 0, false},
    {"second-chance", PROG_UNIFORM, 64, 100, 100, 8, .3, PAGELAB_PAGE, 0, true},
    {"second-chance", PROG_CYCLIC, 50, 60, 120, 5, 0, PAGELAB_PAGE, 0, false},
    {"second-chance", PROG_ZIPF, 100, 900, 500, 3, .5, PAGELAB_PAGE, 0, false},
    {"second-chance", PROG_ZIPF, 1, 9, 60, 4, 1, PAGELAB_PAGE, 0, false},
    {"second-chance", PROG_ZIPF, 6, 16, 60, 4, .3, PAGELAB_BIG, 0, false},
    {"second-chance", PROG_ZIPF, 6, 16, 60, 3, .3, PAGELAB_BIG, 0, true},
    {"second-chance", PROG_ZIPF, 80, 100, 100, 8, .3, PAGELAB_PAGE, 400, false},
};
#define N_SAME (int)(sizeof same / sizeof *same)

static struct pagelab *same_lab(const struct same *c, int i, int64_t duration_ns)
{
    struct pagelab *p =
        pagelab_new(i % 2 ? "eevdf" : "rr", 1, 1, duration_ns, c->policy, c->frames, c->page, c->pages);
    struct step s[] = {pagelab_time(STEP_CPU, 10000), pagelab_touch(c->how, c->refs, c->pages, c->write)};
    lab_set_prog(p->lab, 0, s, 2);
    p->lab->host.memory.free_target_bytes = c->target * c->page;
    p->lab->host.memory.per_vm = i % 3 == 0; /* of one VM it is the same */
    p->lab->vms[0].work.until = (uint64_t)c->until;
    p->lab->own.no_move = c->no_move;
    return p;
}

START_TEST(faults_and_evictions_are_the_simulators)
{
    const struct same *c = &same[_i];
    struct pagelab *p;
    for (int64_t ms = 150;; ms *= 3) {
        p = same_lab(c, _i, ms * MS);
        pagelab_kvm(p);
        if (pagelab_all_done(p) || ms > 2000) break;
        pagelab_free(p); /* too busy a machine */
    }
    pagelab_sim(p);
    ck_assert_uint_eq(p->lab->seen[0].n[REC_UNTIL], 1);
    ck_assert_uint_eq(p->lab->rep.checksum[0], lab_expected(p->lab, 0, 0, (uint64_t)c->until));
    pagelab_same(p, 0);
    ck_assert_int_gt(p->kvm.count[0][REC_N_MEM_FAULTS], c->until);
    ck_assert_int_eq(p->kvm.count[0][REC_N_MEM_REFS], c->until * c->refs);
    ck_assert_int_eq(p->sim.disk_ops, p->kvm.disk_ops); /* clean pages are not written again */
    ck_assert_int_eq(p->sim.disk_bytes, p->kvm.disk_bytes);
    ck_assert_int_eq(p->kvm.ios, p->kvm.disk_ops);
    int64_t most = p->kvm.most[LAB_VMS][REC_L_MEM_RESIDENT];
    ck_assert_int_eq(most, p->sim.most[LAB_VMS][REC_L_MEM_RESIDENT]);
    ck_assert_int_le(most, c->frames * c->page);
    pagelab_free(p);
}
END_TEST

/* Two VMs that fill the host, each with a part that hangs on nobody, and then take from their own. */
static struct pagelab *own_lab(int i, int64_t duration_ns)
{
    static const char *const policies[] = {"fifo", "second-chance"};
    struct pagelab *p =
        pagelab_new(i % 2 ? "eevdf" : "rr", 2, 2, duration_ns, policies[i / 2], 64, PAGELAB_PAGE, 80);
    int64_t sleep = duration_ns / 4;
    struct step a[] = {pagelab_touch(PROG_CYCLIC, 30, 30, .5), pagelab_time(STEP_SLEEP, sleep),
                       pagelab_touch(PROG_UNIFORM, 400, 60, .3)};
    struct step b[] = {pagelab_touch(PROG_CYCLIC, 34, 34, 0), pagelab_time(STEP_SLEEP, sleep),
                       pagelab_touch(PROG_ZIPF, 500, 80, .3)};
    p->lab->host.memory.per_vm = true;
    lab_set_prog(p->lab, 0, a, 3);
    lab_set_prog(p->lab, 1, b, 3);
    p->lab->vms[0].work.until = p->lab->vms[1].work.until = 1;
    return p;
}

START_TEST(each_with_frames_of_its_own)
{
    struct pagelab *p;
    for (int64_t ms = 300;; ms *= 3) {
        p = own_lab(_i, ms * MS);
        pagelab_kvm(p);
        if (pagelab_all_done(p) || ms > 2000) break;
        pagelab_free(p);
    }
    pagelab_sim(p);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(p->lab->seen[i].n[REC_UNTIL], 1);
        ck_assert_int_gt(p->kvm.count[i][REC_N_MEM_FAULTS], 100);
        pagelab_same(p, i);
    }
    ck_assert_int_eq(p->kvm.level[0][REC_L_MEM_RESIDENT], 30 * PAGELAB_PAGE);
    ck_assert_int_eq(p->kvm.level[1][REC_L_MEM_RESIDENT], 34 * PAGELAB_PAGE);
    pagelab_free(p);
}
END_TEST

static struct pagelab *shared_lab(const char *policy, int64_t duration_ns)
{
    struct pagelab *p = pagelab_new("rr", 2, 3, duration_ns, policy, 100, PAGELAB_PAGE, 60);
    struct step s[] = {pagelab_time(STEP_CPU, MS), pagelab_touch(PROG_UNIFORM, 10, 60, .3)};
    p->lab->host.slice_ns = 2 * MS;
    p->disk.latency_ns = 100000; /* whoever waits lets others run */
    for (uint32_t i = 0; i < 3; i++) {
        lab_set_prog(p->lab, i, s, 2);
        p->lab->vms[i].work.until = 200;
    }
    return p;
}

/* Whether they came along side by side, as the simulated ones do: alone a VM has other faults. */
static bool side_by_side(const struct pagelab *p)
{
    int64_t least = INT64_MAX, most = 0;
    for (uint32_t i = 0; i < 3; i++) {
        int64_t ns = p->kvm.until_ns[i];
        if (ns < least) least = ns;
        if (ns > most) most = ns;
    }
    return least * 10 >= most * 9;
}

/* One pool for all: who faults when is real time's, the sum is not. */
START_TEST(a_shared_pool_agrees_in_total)
{
    static const char *const policies[] = {"fifo", "random", "second-chance"};
    for (int tries = 0; tries < 6; tries++) {
        struct pagelab *p = shared_lab(policies[_i], (tries ? 2500 : 1000) * MS);
        int64_t sim = 0, kvm = 0;
        pagelab_sim(p);
        pagelab_kvm(p);
        for (uint32_t i = 0; i < 3; i++) {
            sim += p->sim.count[i][REC_N_MEM_FAULTS];
            kvm += p->kvm.count[i][REC_N_MEM_FAULTS];
        }
        ck_assert_int_gt(sim, 1500);
        ck_assert_int_eq(p->kvm.level[LAB_VMS][REC_L_MEM_RESIDENT], 100 * PAGELAB_PAGE);
        bool fair = pagelab_all_done(p) && side_by_side(p);
        if (fair)
            ck_assert_msg(llabs(sim - kvm) * 20 <= sim, "%s: %jd simulated, %jd on guests", policies[_i],
                          (intmax_t)sim, (intmax_t)kvm);
        pagelab_free(p);
        if (fair) return;
    }
    fprintf(stderr, "undecided: %s in a shared pool: the machine lets no three guests come along together\n",
            policies[_i]);
}
END_TEST

/* Where memory is enough nothing is paged, but what is touched is counted. */
START_TEST(enough_memory_is_only_counted)
{
    int64_t page = _i < 2 ? PAGELAB_PAGE : PAGELAB_BIG, pages = _i < 2 ? 3000 : 20;
    struct step s[] = {pagelab_time(STEP_CPU, 10000), pagelab_touch(PROG_UNIFORM, pages / 10, pages, .3)};
    struct pagelab *p;
    for (int64_t ms = 200;; ms *= 3) {
        p = pagelab_new(_i % 2 ? "eevdf" : "rr", 1, 1, ms * MS, "clock", pages, page, pages);
        lab_set_prog(p->lab, 0, s, 2);
        p->lab->vms[0].work.until = 12;
        pagelab_kvm(p);
        if (pagelab_all_done(p) || ms > 2000) break;
        pagelab_free(p);
    }
    pagelab_sim(p);
    ck_assert_uint_eq(p->lab->seen[0].n[REC_UNTIL], 1);
    ck_assert_int_gt(p->sim.count[0][REC_N_MEM_SOFTFAULTS], pages / 2);
    pagelab_same(p, 0);
    ck_assert_int_eq(p->kvm.count[0][REC_N_MEM_FAULTS], 0);
    pagelab_free(p);
}
END_TEST

/* While a page comes from a slow disk its vCPU is in swapwait, and the other has the pCPU. */
START_TEST(a_vm_that_waits_lets_the_other_run)
{
    struct pagelab *p = pagelab_new(_i ? "eevdf" : "rr", 1, 2, 600 * MS, "fifo", 20, PAGELAB_PAGE, 40);
    struct step s[] = {pagelab_time(STEP_CPU, 100000), pagelab_touch(PROG_CYCLIC, 10, 40, .5)};
    lab_set_prog(p->lab, 0, s, 2);
    p->lab->host.slice_ns = _i ? 0 : 5 * MS;
    p->disk.latency_ns = 3 * MS;
    p->disk.iops_u = INT64_C(2000) * 1000000;
    pagelab_sim(p);
    pagelab_kvm(p);
    int64_t sim = p->sim.state_ns[0][VCPU_SWAPWAIT], kvm = p->kvm.state_ns[0][VCPU_SWAPWAIT];
    ck_assert_int_gt(sim, 200 * MS);
    ck_assert_int_gt(p->kvm.state_ns[1][VCPU_RUN], 2 * p->kvm.state_ns[0][VCPU_RUN]);
    /* Each waits for its latency at least. */
    int64_t faults = p->kvm.count[0][REC_N_MEM_FAULTS];
    ck_assert_int_gt(faults, 10);
    ck_assert_int_ge(kvm * 10, (faults - 1) * p->disk.latency_ns * 9);
    ck_assert_int_ge(p->kvm.io_ns, p->kvm.ios * p->disk.latency_ns);
    ck_assert_int_le(faults, p->sim.count[0][REC_N_MEM_FAULTS] + 1);
    /* And what it has lost before its end is what the simulated one lost. */
    for (size_t i = 0; i < p->kvm.n_evicted[0] && i < p->sim.n_evicted[0]; i++)
        ck_assert_uint_eq(p->kvm.evicted[0][i], p->sim.evicted[0][i]);
    pagelab_free(p);
}
END_TEST

/* A disk's rate is kept: 1000 requests a second take their time. */
START_TEST(the_disks_rate_is_kept)
{
    struct pagelab *p = pagelab_new("rr", 1, 1, 500 * MS, "fifo", 20, PAGELAB_PAGE, 40);
    struct step s[] = {pagelab_time(STEP_CPU, 1000), pagelab_touch(PROG_CYCLIC, 10, 40, 1)};
    lab_set_prog(p->lab, 0, s, 2);
    p->disk.iops_u = INT64_C(1000) * 1000000;
    pagelab_sim(p);
    pagelab_kvm(p);
    ck_assert_int_gt(p->sim.disk_ops, 480);
    ck_assert_int_le(p->kvm.disk_ops, 502);
    ck_assert_int_gt(p->kvm.disk_ops, 100);
    pagelab_free(p);
}
END_TEST

/* --- a store that fails --- */

static int full(void)
{
    return open("/dev/full", O_RDWR | O_CLOEXEC);
}

/* This process's own memory, of which none is where the store's pages would be. */
static int broken(void)
{
    return open("/proc/self/mem", O_RDWR | O_CLOEXEC);
}

/* It takes pages and gives none. */
static int one_way(void)
{
    FILE *f = tmpfile();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(f));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    fclose(f);
    return fd;
}

static const struct failing {
    int (*open)(void);
    const char *line;
} failing[] = {
    {full, "ended, its pages could not be kept: writing a page to the store: No space left on device"},
    {broken, "ended, its pages could not be kept: writing a page to the store: Input/output error"},
    {one_way, "ended, its pages could not be kept: reading a page from the store: Bad file descriptor"},
};

START_TEST(a_store_that_fails_ends_its_vm_alone)
{
    const struct failing *c = &failing[_i / 2];
    struct pagelab *p = pagelab_new(_i % 2 ? "eevdf" : "rr", 1, 2, 300 * MS, "fifo", 20, PAGELAB_PAGE, 40);
    struct step s[] = {pagelab_time(STEP_CPU, 1000), pagelab_touch(PROG_CYCLIC, 30, 40, 1)};
    lab_set_prog(p->lab, 0, s, 2);
    p->lab->own.store_fd = c->open();
    ck_assert_int_ge(p->lab->own.store_fd, 0);
    pagelab_kvm(p);
    const char *line = p->lab->rep.ends[0];
    ck_assert_msg(line && strstr(line, c->line), "%s", line ? line : "it did not end");
    ck_assert_uint_eq(p->lab->seen[0].n_events[REC_EV_KILLED], 1);
    ck_assert_int_eq(p->lab->seen[0].fault.value, CTL_STORE);
    ck_assert_uint_eq(p->lab->seen[0].last_to, VCPU_DOWN);
    if (p->lab->seen[0].fault.t_ns < 200 * MS) { /* what it had is free soon */
        ck_assert_int_eq(p->kvm.level[0][REC_L_MEM_RESIDENT], 0);
        ck_assert_int_eq(p->kvm.level[0][REC_L_MEM_SWAPPED], 0);
    }
    ck_assert_ptr_null(p->lab->rep.ends[1]);
    ck_assert_uint_eq(p->lab->rep.checksum[1], lab_expected(p->lab, 1, 0, p->lab->seen[1].n[REC_WORK]));
    close(p->lab->own.store_fd);
    pagelab_free(p);
}
END_TEST

/* Nothing may be taken: the VM with most is ended, as in the simulator, and the other goes on. */
START_TEST(the_biggest_goes_when_nothing_is_left)
{
    struct pagelab *p = pagelab_new(_i ? "eevdf" : "rr", 1, 2, 300 * MS, "fifo", 64, PAGELAB_PAGE, 50);
    struct step a[] = {pagelab_touch(PROG_CYCLIC, 40, 40, 1), pagelab_time(STEP_SLEEP, 1000 * MS)};
    struct step b[] = {pagelab_time(STEP_SLEEP, 50 * MS), pagelab_touch(PROG_CYCLIC, 50, 50, 1),
                       pagelab_time(STEP_SLEEP, 1000 * MS)};
    p->lab->host.memory.n_reclaim = 0;
    p->lab->host.memory.swap = SC_NONE;
    p->lab->sc.n_disks = 0;
    lab_set_prog(p->lab, 0, a, 2);
    lab_set_prog(p->lab, 1, b, 3);
    pagelab_sim(p);
    pagelab_kvm(p);
    ck_assert_uint_eq(p->kvm.oom.kind, REC_EVENT);
    ck_assert_uint_eq(p->kvm.oom.vm, p->sim.oom.vm);
    ck_assert_uint_eq(p->kvm.oom.to, REC_WHY_NO_SWAP);
    ck_assert_uint_eq(p->sim.oom.to, REC_WHY_NO_SWAP);
    ck_assert_int_eq(p->kvm.oom.value, 40 * PAGELAB_PAGE);
    ck_assert_int_eq(p->kvm.oom.value, p->sim.oom.value);
    ck_assert_ptr_nonnull(strstr(p->lab->rep.ends[0], "the host's memory was used up and it had most"));
    ck_assert_ptr_null(p->lab->rep.ends[1]);
    ck_assert_int_eq(p->kvm.count[1][REC_N_MEM_SOFTFAULTS], 50);
    ck_assert_int_eq(p->kvm.level[1][REC_L_MEM_RESIDENT], 50 * PAGELAB_PAGE);
    ck_assert_int_eq(p->kvm.level[0][REC_L_MEM_RESIDENT], 0);
    pagelab_free(p);
}
END_TEST

/* Without the privilege it is said what would help, and nothing runs; but where memory is enough it is not
 * needed. */
START_TEST(without_the_privilege)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2];
    char word[8];
    if (*host_read_line("/proc/sys/vm/unprivileged_userfaultfd", word, sizeof word) == '1') return;
    /* Nor by the device. */
    if (access("/dev/userfaultfd", R_OK | W_OK) == 0) {
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount("/dev/null", "/dev/userfaultfd", NULL, MS_BIND, NULL), 0);
    }
    ck_assert_int_eq(syscall(SYS_capget, &head, caps), 0);
    caps[0].effective &= ~(UINT32_C(1) << CAP_SYS_PTRACE);
    ck_assert_int_eq(syscall(SYS_capset, &head, caps), 0);
    struct pagelab *p = pagelab_new("rr", 1, 1, 50 * MS, "fifo", _i ? 40 : 20, PAGELAB_PAGE, 40);
    struct step s = pagelab_touch(PROG_CYCLIC, 30, 40, 1);
    lab_set_prog(p->lab, 0, &s, 1);
    ck_assert_int_eq(lab_run(p->lab), _i ? KVM_OK : KVM_NO_KVM);
    if (!_i)
        ck_assert_ptr_nonnull(strstr(p->lab->why, "run as root, or sysctl vm.unprivileged_userfaultfd=1"));
    pagelab_free(p);
}
END_TEST

/* --- guests of their own --- */

/* 20 frames; a guest of that name in the first VM, whose steps refer to 40 of 64 pages. */
static struct pagelab *guest_lab(const char *name, const char *scheduler, const char *policy, int64_t page)
{
    char path[4096], file[64];
    struct pagelab *p =
        pagelab_new(scheduler, 2, 2, (page == PAGELAB_BIG ? 700 : 300) * MS, policy, 20, page, 64);
    struct step s = pagelab_touch(PROG_CYCLIC, 1, 40, 1), other = pagelab_touch(PROG_UNIFORM, 5, 8, .5);
    struct step mine[] = {pagelab_time(STEP_CPU, MS), other};
    lab_set_prog(p->lab, 0, &s, 1);
    lab_set_prog(p->lab, 1, mine, 2);
    snprintf(file, sizeof file, "guests/%s.elf", name);
    p->lab->payloads[0] = open(lab_beside(path, sizeof path, file), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(p->lab->payloads[0], 0);
    return p;
}

static void neighbour_is_untouched(const struct pagelab *p)
{
    const struct lab_vm *v = &p->lab->seen[1];
    ck_assert_ptr_null(p->lab->rep.ends[1]);
    ck_assert_uint_gt(v->n[REC_WORK], 0);
    ck_assert_uint_eq(p->lab->rep.checksum[1], lab_expected(p->lab, 1, 0, v->n[REC_WORK]));
    ck_assert_uint_eq(v->n_events[REC_EV_FAULT] + v->n_events[REC_EV_KILLED], 0);
    ck_assert_int_le(p->kvm.count[1][REC_N_MEM_SOFTFAULTS], 8);
}

/* What is written is what is read, however often it was out meanwhile. */
START_TEST(what_was_written_is_read)
{
    static const char *const policies[] = {"fifo", "random", "second-chance"};
    int64_t page = _i / 3 % 2 ? PAGELAB_BIG : PAGELAB_PAGE;
    struct pagelab *p = guest_lab("memory_keeps", _i % 2 ? "eevdf" : "rr", policies[_i % 3], page);
    _Static_assert(offsetof(struct abi_boot, page_bytes) == 144, "as the guest has it");
    p->lab->own.no_move = _i / 6;
    pagelab_kvm(p);
    const char *line = p->lab->rep.ends[0];
    bool done = line && strstr(line, "left before the end");
    /* On a busy machine it comes to its end late, or not. */
    ck_assert_msg(done || !line || strstr(line, "still ran after the end"), "%s", line);
    if (done) ck_assert_int_gt(p->kvm.count[0][REC_N_MEM_FAULTS], 100);
    if (done) ck_assert_int_eq(p->kvm.count[0][REC_N_MEM_SOFTFAULTS], 40);
    neighbour_is_untouched(p);
    pagelab_free(p);
}
END_TEST

static const struct astray {
    const char *name, *line;
    int64_t address;
} astray[] = {
    {"memory_beyond", "page fault", ABI_MEMORY + 40 * PAGELAB_PAGE + 8},
    {"memory_after", "outside its memory", ABI_MEMORY + 64 * PAGELAB_PAGE + 8},
    {"memory_exec", "page fault", ABI_MEMORY},
};

START_TEST(who_goes_astray_ends_alone)
{
    const struct astray *c = &astray[_i / 2];
    struct pagelab *p = guest_lab(c->name, _i % 2 ? "eevdf" : "rr", "fifo", PAGELAB_PAGE);
    pagelab_kvm(p);
    const char *line = p->lab->rep.ends[0];
    ck_assert_msg(line && strstr(line, c->line), "%s: %s", c->name, line ? line : "it did not end");
    ck_assert_uint_eq(p->lab->seen[0].n_events[REC_EV_FAULT], 1);
    ck_assert_int_eq(p->lab->seen[0].fault.value, c->address);
    if (p->lab->seen[0].fault.t_ns < 200 * MS) /* what it had is free soon */
        ck_assert_int_eq(p->kvm.level[0][REC_L_MEM_RESIDENT], 0);
    neighbour_is_untouched(p);
    pagelab_free(p);
}
END_TEST

/* vCPUs of one VM fault at once, also on the same page: nothing is lost or hangs. */
START_TEST(several_vcpus_fault)
{
    static const char *const policies[] = {"fifo", "random", "second-chance"};
    struct pagelab *p =
        pagelab_new(_i % 2 ? "eevdf" : "rr", 2, 1, 400 * MS, policies[_i / 2 % 3], 10, PAGELAB_PAGE, 20);
    struct step s[] = {pagelab_time(STEP_CPU, 20000), pagelab_touch(PROG_UNIFORM, 50, 20, .3)};
    lab_set_prog(p->lab, 0, s, 2);
    p->lab->vms[0].vcpus = p->lab->vms[0].work.threads = 3;
    p->lab->vms[0].work.until = 30;
    p->lab->own.no_move = _i / 6;
    p->disk.latency_ns = _i % 2 * 100000;
    pagelab_kvm(p);
    uint64_t sum = 0, done = p->lab->seen[0].n[REC_WORK];
    for (uint64_t t = 0; t < 3; t++)
        sum += lab_expected(p->lab, 0, t, 10);
    ck_assert_uint_gt(done, 0);
    if (done == 30) ck_assert_uint_eq(p->lab->rep.checksum[0], sum & PROG_CHECKSUM_MASK);
    ck_assert_ptr_null(p->lab->rep.ends[0]);
    ck_assert_int_eq(p->kvm.count[0][REC_N_MEM_SOFTFAULTS], 20);
    ck_assert_int_gt(p->kvm.count[0][REC_N_MEM_FAULTS], 20);
    ck_assert_int_eq(p->kvm.level[0][REC_L_MEM_RESIDENT], 10 * PAGELAB_PAGE);
    ck_assert_int_eq(p->kvm.level[0][REC_L_MEM_SWAPPED], 10 * PAGELAB_PAGE);
    pagelab_free(p);
}
END_TEST

Suite *pager_suite(void)
{
    Suite *s = suite_create("pager");
    TCase *t = tcase_create("pager");
    tcase_set_timeout(t, 60);
    if (lab_usable("pager")) {
        tcase_add_loop_test(t, faults_and_evictions_are_the_simulators, 0, N_SAME);
        tcase_add_loop_test(t, each_with_frames_of_its_own, 0, 4);
        tcase_add_loop_test(t, a_shared_pool_agrees_in_total, 0, 3);
        tcase_add_loop_test(t, enough_memory_is_only_counted, 0, 4);
        tcase_add_loop_test(t, a_vm_that_waits_lets_the_other_run, 0, 2);
        tcase_add_test(t, the_disks_rate_is_kept);
        tcase_add_loop_test(t, a_store_that_fails_ends_its_vm_alone, 0, 6);
        tcase_add_loop_test(t, the_biggest_goes_when_nothing_is_left, 0, 2);
        tcase_add_loop_test(t, without_the_privilege, 0, 2);
        tcase_add_loop_test(t, what_was_written_is_read, 0, 12);
        tcase_add_loop_test(t, who_goes_astray_ends_alone, 0, 6);
        tcase_add_loop_test(t, several_vcpus_fault, 0, 12);
    }
    suite_add_tcase(s, t);
    return s;
}
