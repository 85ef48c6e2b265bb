// SPDX-License-Identifier: GPL-3.0-or-later
/* The pool against VMMs that say what they should not: the test is their pagers. Whoever does so is given up,
 * with the reason; the pool goes on, and comes to its end. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/rng.h"
#include "kvm/pages.h"
#include "kvm/runner/pagepool.h"
#include "lab.h"

Suite *pagepool_suite(void);

#define PAGES 40

struct made {
    struct lab *lab;
    struct run run;
    struct run_vm vms[2];
    struct pagepool *pool;
    struct ctl *ctl[2];
    int fd[2];
    uint32_t seq[2];
};

static bool say(const struct made *m, int vm, const struct pages_msg *msg)
{
    return send(m->fd[vm], msg, sizeof *msg, MSG_NOSIGNAL) == (ssize_t)sizeof *msg;
}

/* Two VMs of 40 pages each on a host of 20 frames, their pagers ready. */
static struct made *make(void)
{
    struct made *m = calloc(1, sizeof *m);
    struct lab *l = m->lab = lab_new("rr", 1, 2, INT64_C(60000000000));
    struct step s = {
        .kind = STEP_TOUCH, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1}, .span = PAGES};
    char *why = NULL;
    l->host.memory = (struct sc_memory){
        .bytes = 20 * 4096, .page_bytes = 4096, .reclaim = {SC_SWAP}, .n_reclaim = 1, .replacement = "fifo"};
    static struct sc_disk disk = {.name = "d", .queue = "fifo"};
    l->sc.disks = &disk;
    l->sc.n_disks = 1;
    m->run = (struct run){.sc = &l->sc, .pc = &l->host, .vms = m->vms, .n_vms = 2};
    m->run.end_ns = l->sc.run.duration_ns;
    for (uint32_t i = 0; i < 2; i++) {
        l->vms[i].memory_weight = 1000;
        lab_set_prog(l, i, &s, 1);
        m->ctl[i] = calloc(1, ctl_bytes(1));
        m->vms[i] = (struct run_vm){.sc = &l->vms[i], .proc = {.pid = getpid(), .ctl = m->ctl[i]}};
    }
    ck_assert_int_eq(pagepool_new(&m->run, -1, &m->pool, &why), KVM_OK);
    for (uint32_t i = 0; i < 2; i++) {
        m->fd[i] = dup(pagepool_pages_fd(m->pool, i));
        pagepool_started(m->pool, i);
        ck_assert(say(m, (int)i, &(struct pages_msg){.what = PAGES_READY, .value = getpid()}));
    }
    ck_assert_int_eq(pagepool_begin(m->pool, &why), 0);
    pagepool_go(m->pool, host_now() - 1);
    return m;
}

static void unmake(struct made *m)
{
    for (int i = 0; i < 2; i++) {
        if (m->fd[i] >= 0) close(m->fd[i]);
        free(m->ctl[i]);
    }
    pagepool_free(m->pool);
    lab_free(m->lab);
    free(m);
}

static bool fault(const struct made *m, int vm, uint32_t page, uint32_t flags)
{
    return say(m, vm, &(struct pages_msg){.what = PAGES_FAULT, .page = page, .flags = flags});
}

/* The next command, within so many ms; false: there is none. */
static bool hear(struct made *m, int vm, struct pages_msg *msg, int ms)
{
    struct pollfd pf = {.fd = m->fd[vm], .events = POLLIN};
    return poll(&pf, 1, ms) == 1 && recv(m->fd[vm], msg, sizeof *msg, 0) == (ssize_t)sizeof *msg;
}

/* Does as it is told until the pool has nothing more to say to it. */
static void obey(struct made *m, int vm, int64_t value)
{
    struct pages_msg msg;
    while (hear(m, vm, &msg, 200)) {
        msg.value = value;
        if (!say(m, vm, &msg)) return;
    }
}

static void expect_given_up(const struct made *m, uint32_t vm, enum ctl_cause cause, const char *says)
{
    struct ctl_end end;
    for (int ms = 0; !pagepool_gave_up(m->pool, vm, &end); ms++) {
        ck_assert_msg(ms < 5000, "it was not given up: %s", says);
        usleep(1000);
    }
    ck_assert_uint_eq(end.cause, cause);
    ck_assert_msg(strstr(end.text, says), "\"%s\", wanted \"%s\"", end.text, says);
}

/* The other VM is served as before: from its first touches to pages that were out. */
static void expect_served(struct made *m, int vm)
{
    struct pages_msg msg;
    struct ctl_end end;
    for (uint32_t i = 0; i < 2 * PAGES; i++) {
        bool there = false;
        ck_assert(fault(m, vm, i % PAGES, 0));
        while (!there) {
            ck_assert_msg(hear(m, vm, &msg, 5000), "page %u was not served", i);
            there = msg.page == i % PAGES && msg.what != PAGES_SAVE && msg.what != PAGES_DROP;
            msg.value = 0;
            ck_assert(say(m, vm, &msg));
        }
    }
    ck_assert(!pagepool_gave_up(m->pool, (uint32_t)vm, &end));
}

static void too_short(struct made *m)
{
    ck_assert_int_eq(send(m->fd[0], "nonsense", 8, MSG_NOSIGNAL), 8);
}
static void too_long(struct made *m)
{
    static const char all[sizeof(struct pages_data)];
    ck_assert_int_eq(send(m->fd[0], all, sizeof all, MSG_NOSIGNAL), sizeof all);
}
static void empty_data(struct made *m)
{
    struct pages_data d = {.m = {.what = PAGES_READ, .value = 1000}};
    ck_assert_int_eq(send(m->fd[0], &d, sizeof d.m + 10, MSG_NOSIGNAL), sizeof d.m + 10);
}
static void far_page(struct made *m)
{
    ck_assert(fault(m, 0, PAGES, 0));
}
static void farthest_page(struct made *m)
{
    ck_assert(fault(m, 0, UINT32_MAX, PAGES_WRITE));
}
static void odd_flags(struct made *m)
{
    ck_assert(fault(m, 0, 0, PAGES_PARKED));
}
static void unasked(struct made *m)
{
    ck_assert(say(m, 0, &(struct pages_msg){.what = PAGES_LOAD, .seq = 1}));
}
static void unknown(struct made *m)
{
    ck_assert(say(m, 0, &(struct pages_msg){.what = 12345}));
}
static void ready_again(struct made *m)
{
    ck_assert(say(m, 0, &(struct pages_msg){.what = PAGES_READY, .value = 1}));
}
static void other_answer(struct made *m)
{
    struct pages_msg msg;
    ck_assert(fault(m, 0, 3, 0));
    ck_assert(hear(m, 0, &msg, 5000));
    msg.what = PAGES_SAVE;
    ck_assert(say(m, 0, &msg));
}
static void other_seq(struct made *m)
{
    struct pages_msg msg;
    ck_assert(fault(m, 0, 3, 0));
    ck_assert(hear(m, 0, &msg, 5000));
    msg.seq++;
    ck_assert(say(m, 0, &msg));
}
static void flood(struct made *m)
{
    for (int i = 0; i < 400; i++)
        if (!fault(m, 0, (uint32_t)i % PAGES, PAGES_WRITE)) break;
}
static void fails(struct made *m)
{
    ck_assert(fault(m, 0, 3, 0));
    obey(m, 0, -EIO);
}
static void fails_oddly(struct made *m)
{
    ck_assert(fault(m, 0, 3, 0));
    obey(m, 0, INT64_MIN);
}
static void cannot_save(struct made *m)
{
    struct pages_msg msg;
    for (uint32_t i = 0; i <= 20; i++)
        for (bool there = !fault(m, 0, i, 0); !there;) {
            ck_assert(hear(m, 0, &msg, 5000));
            there = msg.what != PAGES_SAVE || msg.page != 0 ? msg.page == i : true;
            msg.value = msg.what == PAGES_SAVE ? -ENOSPC : 0;
            ck_assert(say(m, 0, &msg));
        }
}

static const struct wrong {
    void (*does)(struct made *m);
    enum ctl_cause cause;
    const char *says;
} wrongs[] = {
    {too_short, CTL_REFUSED, "its pager said something of another length"},
    {too_long, CTL_REFUSED, "its pager said something of another length"},
    {empty_data, CTL_REFUSED, "its pager said something of another length"},
    {far_page, CTL_REFUSED, "its pager told of a fault that cannot be"},
    {farthest_page, CTL_REFUSED, "its pager told of a fault that cannot be"},
    {odd_flags, CTL_REFUSED, "its pager told of a fault that cannot be"},
    {unasked, CTL_REFUSED, "its pager answered what it was not asked"},
    {unknown, CTL_REFUSED, "its pager answered what it was not asked"},
    {ready_again, CTL_REFUSED, "its pager answered what it was not asked"},
    {other_answer, CTL_REFUSED, "its pager answered what it was not asked"},
    {other_seq, CTL_REFUSED, "its pager answered what it was not asked"},
    {flood, CTL_REFUSED, "its pager told of more faults than it has vCPUs"},
    {fails, CTL_REFUSED, "a page of zeros: Input/output error"},
    {fails_oddly, CTL_REFUSED, "a page of zeros: Protocol error"},
    {cannot_save, CTL_STORE, "writing a page to the store: No space left on device"},
};
#define N_WRONG (int)(sizeof wrongs / sizeof *wrongs)

START_TEST(who_says_what_cannot_be_is_given_up_alone)
{
    struct made *m = make();
    wrongs[_i].does(m);
    expect_given_up(m, 0, wrongs[_i].cause, wrongs[_i].says);
    close(m->fd[0]); /* as when its process is killed for it */
    m->fd[0] = -1;
    expect_served(m, 1);
    unmake(m);
}
END_TEST

/* One that is killed in the middle of a command, its memory full: the other has it. */
START_TEST(who_dies_leaves_its_frames)
{
    struct made *m = make();
    struct pages_msg msg;
    for (uint32_t i = 0; i < 20; i++) {
        ck_assert(fault(m, 0, i, PAGES_WRITE));
        ck_assert(hear(m, 0, &msg, 5000));
        ck_assert_uint_eq(msg.what, PAGES_ZERO);
        msg.value = 0;
        ck_assert(say(m, 0, &msg));
    }
    ck_assert(fault(m, 1, 0, 0)); /* a page of the first has to go */
    ck_assert(hear(m, 0, &msg, 5000));
    ck_assert_uint_eq(msg.what, PAGES_SAVE);
    ck_assert_uint_eq(msg.page, 0);
    close(m->fd[0]);
    m->fd[0] = -1;
    ck_assert(hear(m, 1, &msg, 5000));
    ck_assert_uint_eq(msg.what, PAGES_ZERO);
    msg.value = 0;
    ck_assert(say(m, 1, &msg));
    expect_served(m, 1);
    unmake(m);
}
END_TEST

/* Words by chance, answers right and wrong: whatever comes of it, the pool stops when it is told to. */
START_TEST(the_pool_outlives_any_talk)
{
    struct rng r = rng_at(rng_key(7, (uint64_t)_i, RNG_TIE), 0, 0);
    struct made *m = make();
    for (int k = 0; k < 600; k++) {
        int vm = (int)(rng_u32(&r) & 1);
        struct pages_msg msg = {.what = rng_u32(&r) % 8 ? PAGES_FAULT : rng_u32(&r) % (PAGES_NWHATS + 1),
                                .seq = rng_u32(&r) % 4,
                                .page = rng_u32(&r) % (rng_u32(&r) % 64 ? PAGES : PAGES + 1),
                                .flags = rng_u32(&r) % 32 ? rng_u32(&r) & 1 : rng_u32(&r),
                                .vcpu = rng_u32(&r) % 2,
                                .value = rng_u32(&r) % 16 ? 0 : -(int64_t)rng_u32(&r),
                                .at_ns =
                                    (int64_t)((rng_u32(&r) - (uint64_t)rng_u32(&r)) << rng_u32(&r) % 31)};
        send(m->fd[vm], &msg, rng_u32(&r) % 128 ? sizeof msg : rng_u32(&r) % sizeof msg,
             MSG_NOSIGNAL | MSG_DONTWAIT);
        for (vm = 0; vm < 2; vm++)
            while (hear(m, vm, &msg, 0)) {
                msg.value = rng_u32(&r) % 200 ? 0 : -(int64_t)(rng_u32(&r) % 200);
                send(m->fd[vm], &msg, sizeof msg, MSG_NOSIGNAL | MSG_DONTWAIT);
            }
    }
    pagepool_stop(m->pool);
    for (uint32_t vm = 0; vm < 2; vm++) {
        size_t n;
        const uint32_t *pages = pagepool_evicted(m->pool, vm, &n);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_lt(pages[i], PAGES);
    }
    unmake(m);
}
END_TEST

Suite *pagepool_suite(void)
{
    Suite *s = suite_create("pagepool");
    TCase *t = tcase_create("pagepool");
    tcase_set_timeout(t, 60);
    if (lab_usable("pagepool")) {
        tcase_add_loop_test(t, who_says_what_cannot_be_is_given_up_alone, 0, N_WRONG);
        tcase_add_test(t, who_dies_leaves_its_frames);
        tcase_add_loop_test(t, the_pool_outlives_any_talk, 0, 20);
    }
    suite_add_tcase(s, t);
    return s;
}
