// SPDX-License-Identifier: GPL-3.0-or-later
/* Misbehaving guests, one a rule: each ends alone, with its exact record, and its neighbour does not notice.
 */
#include <math.h>

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
    if (h->cause != CTL_STRAY) ck_assert_uint_eq(l->seen[0].last_to, VCPU_DOWN);
}

/* The neighbour's work does not depend on who lives beside it. */
static void expect_untouched(const struct lab *l)
{
    uint64_t n = l->seen[1].n[REC_WORK];
    ck_assert_ptr_null(l->rep.ends[1]);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(l->rep.checksum[1], lab_expected(l, 1, 0, n));
    ck_assert_uint_eq(l->seen[1].n_events[REC_EV_FAULT] + l->seen[1].n_events[REC_EV_KILLED], 0);
}

static void run_hostile(const struct hostile *h, const char *scheduler)
{
    struct lab *l = lab_new(scheduler, 1, 2, 120000000);
    l->payloads[0] = open_guest(h->name);
    if (strcmp(h->name, "sibling") == 0) l->vms[0].vcpus = 2;
    lab_run_well(l);
    expect_end(l, h);
    expect_untouched(l);
    lab_free(l);
}

START_TEST(a_hostile_guest_ends_alone)
{
    run_hostile(&hostiles[_i], "eevdf");
}
END_TEST

START_TEST(a_hostile_guest_ends_alone_under_the_dispatcher)
{
    run_hostile(&hostiles[_i], "rr");
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
    suite_add_tcase(s, t);
    return s;
}
