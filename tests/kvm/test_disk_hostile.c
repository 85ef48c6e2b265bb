// SPDX-License-Identifier: GPL-3.0-or-later
/* Guests that break the rules of their disks, one a rule: each ends alone, and its neighbour's disk goes on.
 */
#include "disk_lab.h"

Suite *disk_hostile_suite(void);

static const struct hostile {
    const char *name, *line;
    const char *or_line; /* what else may come of it, where that is chance */
} hostiles[] = {
    {"ring_index", "it broke the rules: a ring's count of requests went back", NULL},
    {"ring_back", "it broke the rules: a ring's count of requests went back", NULL},
    {"ring_answers", "it broke the rules: a ring's count of answers went back", NULL},
    {"ring_full", "it broke the rules: more requests are under way than a ring holds", NULL},
    {"ring_window", "it broke the rules: a request names another device's window", NULL},
    {"ring_offset", "it broke the rules: a request's buffer lies outside its window", NULL},
    {"ring_length", "it broke the rules: a request's buffer lies outside its window", NULL},
    {"ring_bytes", "it broke the rules: a disk request is longer than its buffer", NULL},
    {"ring_changed", "it broke the rules: a request's buffer lies outside its window",
     "still ran after the end"},
    {"ring_storm", "still ran after the end", NULL},
    {"ring_absent", "it broke the rules: port 0x238: there is no such device", NULL},
    {"ring_refused", "left before the end", NULL},
    {"pio_absent", "it broke the rules: port 0x244: port I/O of a disk that is not there", NULL},
    {"pio_slot", "it broke the rules: port 0x244: port I/O of a disk that is not there", NULL},
    {"pio_width", "it broke the rules: port 0x25c: port I/O of another width or direction", NULL},
    {"pio_busy", "it broke the rules: port 0x25c: port I/O of a disk at work", NULL},
    {"pio_read", "it broke the rules: port 0x250: port I/O of another width or direction", NULL},
};
#define N_HOSTILE (int)(sizeof hostiles / sizeof *hostiles)

static void run_hostile(const struct hostile *h, const char *scheduler)
{
    char path[4096], file[64], vms[1024];
    snprintf(
        vms, sizeof vms,
        "  - {name: bad, host: h1, mode: %s, disk: {on: d0, size: 1GiB}, workload: {kind: loop, threads: 1, "
        "steps: [{cpu: 1ms}]}}\n"
        "  - {name: good, host: h1, disk: {on: d0}, workload: {kind: loop, threads: 2, steps: [{cpu: 100us}, "
        "{disk: {read: 4KiB}}]}}\n",
        strncmp(h->name, "pio", 3) == 0 ? "emulation" : "hardware");
    struct disk_lab *l = disk_lab_new("150ms", scheduler, "", vms);
    snprintf(file, sizeof file, "guests/%s.elf", h->name);
    l->payloads[0] = open(lab_beside(path, sizeof path, file), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(l->payloads[0], 0);
    if (strcmp(h->name, "pio_busy") == 0)
        l->faults = (struct store_faults){.slow = UINT32_MAX, .slow_ns = 20000000};
    disk_lab_kvm_well(l);
    const char *end = l->rep.ends[0] ? l->rep.ends[0] : "it did not end";
    ck_assert_msg(strstr(end, h->line) || (h->or_line && strstr(end, h->or_line)), "%s: %s", h->name, end);
    /* Its neighbour on the disk: none of its requests failed, and its work is that of the simulator. */
    ck_assert_ptr_null(l->rep.ends[1]);
    ck_assert_uint_eq(l->rep.io_failed[1], 0);
    /* Where it came to run at all: under load a run so short may be over before. */
    ck_assert_msg(l->vm[1].ops > 0 || l->vm[1].state_ns[VCPU_RUN] < 1000000,
                  "%s: its neighbour had nothing of its disk", h->name);
    disk_lab_free(l);
}

START_TEST(a_hostile_guest_ends_alone)
{
    run_hostile(&hostiles[_i], _i % 2 ? "eevdf" : "rr");
}
END_TEST

START_TEST(a_hostile_guest_ends_alone_under_the_other_scheduler)
{
    run_hostile(&hostiles[_i], _i % 2 ? "rr" : "eevdf");
}
END_TEST

Suite *disk_hostile_suite(void)
{
    Suite *s = suite_create("disk_hostile");
    if (!lab_usable("disk_hostile")) return s;
    TCase *t = tcase_create("disk_hostile");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_hostile_guest_ends_alone, 0, N_HOSTILE);
    tcase_add_loop_test(t, a_hostile_guest_ends_alone_under_the_other_scheduler, 0, N_HOSTILE);
    suite_add_tcase(s, t);
    return s;
}
