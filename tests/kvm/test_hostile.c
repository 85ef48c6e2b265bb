// SPDX-License-Identifier: GPL-3.0-or-later
/* Misbehaving guests, one a rule: each ends alone, with its exact record, and its neighbour does not notice.
 */
#include <math.h>
#include <sched.h>

#include "kvm/ctl.h"
#include "lab.h"

Suite *hostile_suite(void);

#define GUEST 0x1000000u /* where a guest's code begins */

/* What a guest must end with. rip RIP_AT_BAD: at the instruction it noted in its log. */
static const struct hostile {
    const char *name;
    uint32_t cause, vector;
    uint64_t address;
    const char *line; /* what its line must contain */
} hostiles[] = {
    {"null_store", CTL_FAULT, 14, 0x0, "page fault"},
    {"boot_write", CTL_FAULT, 14, 0x100010, "page fault"},
    {"nx_jump", CTL_FAULT, 14, 0x40001000, "page fault"},
    {"text_write", CTL_FAULT, 14, GUEST, "page fault"},
    {"supervisor_read", CTL_FAULT, 14, 0x80000, "page fault"},
    {"stack_guard", CTL_FAULT, 14, 0xd00ff8, "page fault"},
    {"cli", CTL_FAULT, 13, 0, "general protection fault"},
    {"hlt", CTL_FAULT, 13, 0, "general protection fault"},
    {"denied_port", CTL_FAULT, 13, 0, "general protection fault"},
    {"far_port", CTL_FAULT, 13, 0, "general protection fault"},
    {"divide", CTL_FAULT, 0, 0, "divide error"},
    {"outside", CTL_OUTSIDE, 0, 0x60000010, "outside its memory by the instruction before"},
    {"outside_read", CTL_OUTSIDE, 0, 0x60000010, "outside its memory at rip"},
    {"device_read", CTL_OUTSIDE, 0, 0x50000000, "outside its memory at rip"},
    {"device_beside", CTL_OUTSIDE, 0, 0x50000004, "outside its memory by the instruction before"},
    {"port_width", CTL_ABI, 0, 0, "broke the rules: 1 x 1 bytes to port 0x210"},
    {"port_between", CTL_ABI, 0, 0, "broke the rules: 1 x 4 bytes to port 0x20e"},
    {"sync_twice", CTL_ABI, 0, 0, "said ready twice"},
    {"log_nonsense", CTL_ABI, 0, 0, "its log overran or held what cannot be"},
    {"refs_back", CTL_ABI, 0, 0, "its log overran or held what cannot be"},
    {"log_overrun", CTL_ABI, 0, 0, "its log overran or held what cannot be"},
    {"sibling", CTL_FAULT, 14, 0x0, "page fault"},
    {"too_early", CTL_FAULT, 14, 0x0, "page fault"},
    {"early_exit", CTL_EXIT, 0, 0, "left before the end"},
    {"bad_opcode", CTL_FAULT, 6, 0, "invalid opcode"},
    {"wrmsr", CTL_FAULT, 13, 0, "general protection fault"},
    {"mov_cr3", CTL_FAULT, 13, 0, "general protection fault"},
    {"port_in", CTL_ABI, 0, 0, "broke the rules: 1 x 4 bytes from port 0x210"},
    {"log_pour", CTL_ABI, 0, 0, "its log overran or held what cannot be"},
    /* ... as soon as the run is over: */
    {"log_flood", CTL_ABI, 0, 0, "its log overran or held what cannot be"},
    {"bell_storm", CTL_STRAY, 0, 0, "still ran after the end"},
    {"exit_storm", CTL_STRAY, 0, 0, "still ran after the end"},
    {"wait_storm", CTL_STRAY, 0, 0, "still ran after the end"},
    {"endless", CTL_STRAY, 0, 0, "still ran after the end"},
};

#define N_HOSTILE (int)(sizeof hostiles / sizeof *hostiles)

static int open_guest(const char *name)
{
    char path[4096], file[64];
    snprintf(file, sizeof file, "guests/%s.elf", name);
    int fd = open(lab_beside(path, sizeof path, file), O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s is not there", path);
    return fd;
}

/* The rip that the line tells. */
static uint64_t rip_of(const char *line)
{
    const char *p = strstr(line, "rip 0x");
    return p ? strtoull(p + 4, NULL, 16) : 0;
}

/* The guest's own `bad`, as it is assembled: the address of the symbol, from the ELF file. */
static uint64_t bad_symbol(const char *name)
{
    char path[4096], file[64], cmd[8192], out[64] = "";
    snprintf(file, sizeof file, "guests/%s.elf", name);
    snprintf(cmd, sizeof cmd, "nm '%s' | sed -n 's/ . bad$//p'", lab_beside(path, sizeof path, file));
    FILE *f = popen(cmd, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(out, sizeof out, f));
    pclose(f);
    return strtoull(out, NULL, 16);
}

static void expect_end(const struct lab *l, const struct hostile *h)
{
    const char *line = l->rep.ends[0];
    ck_assert_msg(line && strstr(line, h->line), "%s: %s", h->name, line ? line : "it did not end");
    const struct rec *r = &l->seen[0].fault;
    bool refused = h->cause == CTL_FAULT || h->cause == CTL_OUTSIDE;
    ck_assert_uint_eq(l->seen[0].n_events[REC_EV_FAULT], refused);
    ck_assert_uint_eq(l->seen[0].n_events[REC_EV_KILLED], !refused);
    if (h->cause == CTL_FAULT && h->vector == 14) {
        uint64_t address = strcmp(h->name, "text_write") == 0 ? bad_symbol(h->name) : h->address;
        ck_assert_uint_eq((uint64_t)r->value, address);
    }
    if (h->cause == CTL_OUTSIDE) ck_assert_uint_eq((uint64_t)r->value, h->address);
    /* KVM tells of a write outside all slots when it is past it: a movl of 6 bytes. */
    uint64_t past = strcmp(h->name, "outside") == 0 || strcmp(h->name, "device_beside") == 0 ? 6 : 0;
    if (refused) ck_assert_uint_eq(rip_of(line), bad_symbol(h->name) + past);
}

/* The neighbour: so many iterations of work, references and exits, all of which can be counted. */
#define ROUNDS 30
#define REFS   200
#define EXITS  3
#define BELLS  5

static void set_neighbour(struct lab *l, uint32_t vm)
{
    const struct step steps[] = {
        {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_EXPONENTIAL, .a = 400000}},
        {.kind = STEP_TOUCH,
         .probability = UINT32_MAX,
         .amount = {.kind = DIST_CONST, .a = REFS},
         .how = PROG_UNIFORM,
         .span = 100,
         .write = UINT32_MAX / 2},
        {.kind = STEP_OPS,
         .probability = UINT32_MAX,
         .amount = {.kind = DIST_CONST, .a = EXITS},
         .how = OP_IO_PORT},
        {.kind = STEP_OPS,
         .probability = UINT32_MAX,
         .amount = {.kind = DIST_CONST, .a = BELLS},
         .how = OP_DOORBELL}};
    lab_set_prog(l, vm, steps, 4);
    l->vms[vm].work.until = ROUNDS;
}

/* Of the time in which it could run, how much it ran, in percent. */
static double served(const struct lab_vm *v)
{
    double run = (double)v->state_ns[VCPU_RUN], ready = (double)v->state_ns[VCPU_READY];
    return 100 * run / (run + ready);
}

/* What it has done does not depend on who lives beside it: the same numbers as of a VM alone, see below. */
static void expect_untouched(const struct lab *l, uint32_t vm)
{
    const struct lab_vm *v = &l->seen[vm];
    ck_assert_msg(!l->rep.ends[vm], "%s", l->rep.ends[vm]);
    ck_assert_uint_eq(v->n[REC_WORK], ROUNDS);
    ck_assert_uint_eq(v->n[REC_UNTIL], 1);
    ck_assert_uint_eq(l->rep.checksum[vm], lab_expected(l, vm, 0, ROUNDS));
    ck_assert_int_eq(v->refs, ROUNDS * REFS);
    for (uint32_t op = 0; op < PROG_NOPS; op++)
        ck_assert_int_eq(v->exits[op], op == OP_IO_PORT    ? ROUNDS * EXITS
                                       : op == OP_DOORBELL ? ROUNDS * BELLS
                                                           : 0);
    ck_assert_uint_eq(v->n_events[REC_EV_FAULT] + v->n_events[REC_EV_KILLED], 0);
    ck_assert_uint_eq(v->n_events[REC_EV_STARTED], 1); /* and not again */
}

static bool two_cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 2;
}

/* Whether the machine was so busy that the guest came to what it is here for only after the run, or the
 * neighbour not to its end: nothing can be said then. */
static bool starved(const struct lab *l, const struct hostile *h, uint32_t neighbour)
{
    bool late =
        h && h->cause != CTL_STRAY && strcmp(h->name, "log_flood") != 0 && l->seen[0].last_to != VCPU_DOWN;
    return late || l->seen[neighbour].n[REC_UNTIL] == 0;
}

/* The guest on its pCPU, the neighbour on another, or where there is one only beside it; or (h NULL) the
 * neighbour by itself there. The neighbour's share of its pCPU; -1: starved. */
static double run_hostile(const struct hostile *h, const char *scheduler)
{
    static uint64_t first[] = {1}, second[] = {2};
    struct lab *l = lab_new(scheduler, two_cpus() ? 2 : 1, h ? 2 : 1, 240000000);
    uint32_t neighbour = h ? 1 : 0;
    if (two_cpus()) {
        l->vms[0].pins = first;
        l->vms[neighbour].pins = second;
    }
    if (h) l->payloads[0] = open_guest(h->name);
    if (h && strcmp(h->name, "sibling") == 0) l->vms[0].vcpus = 2;
    set_neighbour(l, neighbour);
    lab_run_well(l);
    double share = -1;
    if (!starved(l, h, neighbour)) {
        if (h) expect_end(l, h);
        expect_untouched(l, neighbour);
        share = served(&l->seen[neighbour]);
    }
    lab_free(l);
    return share;
}

/* Beside anyone it is served as it is alone, within a point. That is all of its pCPU, or what this machine's
 * other work leaves of it: then the two are held against each other, in turn, and what it gets alone may vary
 * more. */
static void expect_alone(const struct hostile *h, const char *scheduler)
{
    double beside = run_hostile(h, scheduler), most = 100, least = 100, bound = 1;
    for (int tries = 0; beside < (two_cpus() ? most - bound : 0); tries++) {
        ck_assert_msg(tries < 5, "beside %s the neighbour had %.2f %% of its pCPU, alone %.2f to %.2f %%",
                      h->name, beside, least, most);
        double alone = run_hostile(NULL, scheduler), again = run_hostile(h, scheduler);
        most = tries == 0 || alone > most ? alone : most;
        least = alone < least ? alone : least;
        bound = fmax(1, most - least);
        beside = fmax(beside, again);
    }
}

START_TEST(the_neighbour_alone)
{
    struct lab *l = lab_new(_i == 0 ? "eevdf" : "rr", 1, 1, 300000000);
    set_neighbour(l, 0);
    l->sc.run.duration_ns *= 2;
    lab_run_well(l);
    expect_untouched(l, 0);
    lab_free(l);
}
END_TEST

/* On one pCPU with one that never stops: half of it, within a point. */
START_TEST(an_endless_loop_gets_its_half_and_no_more)
{
    static const char *const greedy[] = {"endless", "exit_storm"};
    double best = 100;
    for (int tries = 0; tries < 3 && fabs(best - 50) > 1; tries++) {
        struct lab *l = lab_new(_i % 2 == 0 ? "eevdf" : "rr", 1, 2, 700000000);
        l->host.slice_ns = _i % 2 == 0 ? 0 : 5000000;
        l->payloads[0] = open_guest(greedy[_i / 2]);
        lab_run_well(l);
        ck_assert_ptr_nonnull(strstr(l->rep.ends[0], "still ran after the end"));
        ck_assert_ptr_null(l->rep.ends[1]);
        ck_assert_uint_eq(l->rep.checksum[1], lab_expected(l, 1, 0, l->seen[1].n[REC_WORK]));
        double share = lab_share(l, 1);
        if (fabs(share - 50) < fabs(best - 50)) best = share;
        lab_free(l);
    }
    ck_assert_msg(fabs(best - 50) <= 1, "beside %s: %.2f %% of the pCPU", greedy[_i / 2], best);
}
END_TEST

START_TEST(a_hostile_guest_ends_alone)
{
    expect_alone(&hostiles[_i], "eevdf");
}
END_TEST

START_TEST(a_hostile_guest_ends_alone_under_the_dispatcher)
{
    expect_alone(&hostiles[_i], "rr");
}
END_TEST

Suite *hostile_suite(void)
{
    Suite *s = suite_create("hostile");
    if (!lab_usable("hostile")) return s;
    TCase *t = tcase_create("hostile");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_hostile_guest_ends_alone, 0, N_HOSTILE);
    tcase_add_loop_test(t, a_hostile_guest_ends_alone_under_the_dispatcher, 0, N_HOSTILE);
    tcase_add_loop_test(t, the_neighbour_alone, 0, 2);
    tcase_add_loop_test(t, an_endless_loop_gets_its_half_and_no_more, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
