// SPDX-License-Identifier: GPL-3.0-or-later
/* The steps touch, disk, net, ops and lock: compiled as the program has them, and refused where they cannot
 * be or would let a loop take no time. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "program/prog_touch.h"
#include "tests/unit/reading.h"

Suite *steps_suite(void);

/* One VM `a` of 1 GiB with two disks and a NIC, its steps on line 9 from column 21; behind it VM `b`. */
#define HOST                                                                                                 \
    "hosts: [{name: h, cpu: {cores: 2}, memory: 4GiB, disks: [{name: d0}, {name: d1}], nics: [{name: "       \
    "n}]}]\n"                                                                                                \
    "networks: [{name: lan, kind: bridge, nics: [h/n]}]\n"                                                   \
    "peers: [{name: pc, on: lan}]\n"                                                                         \
    "vms:\n- {name: b, nic: lan}\n"
#define A    HOST "- name: a\n  memory: 1GiB\n  disk: [{on: d0, size: 1GiB}, d1]\n"
#define S    A "  workload: {steps: [" /* the first step is at 9:22 */
#define T    S "{touch: {"             /* its first key is at 9:31 */
#define E    ", {cpu: 1ms}]}\n  nic: lan\n"
#define BARE HOST "- name: a\n  workload: {steps: [" /* the first step is at 7:22 */

struct world {
    struct diag d;
    struct scenario_file *f;
    struct scenario *sc;
    const struct sc_vm *a;
    const struct prog *p;
    const struct step *s;
};

static struct world open_world(const char *text)
{
    struct world w;
    w.f = parse(text, &w.d);
    w.sc = at(w.f, 0, &w.d);
    w.a = vm_of(w.sc, "a");
    w.p = w.a->work.prog;
    w.s = prog_steps(w.p);
    ck_assert(prog_valid(w.p, w.p->bytes));
    return w;
}

static void close_world(struct world *w)
{
    scenario_free(w->sc);
    scenario_close(w->f);
    diag_done(&w->d);
}

START_TEST(touch_arrives)
{
    struct world w =
        open_world(T "pages: 1000, of: 4097B, write: 25%}}, {touch: {pages: 7, of: 1GiB, pattern: "
                     "cyclic, write: 100%}}, {touch: {pages: 1, pattern: {zipf: 0.8}}}" E);
    const struct step *s = w.s;
    ck_assert_uint_eq(w.p->n_steps, 4);
    ck_assert(s[0].kind == STEP_TOUCH && s[0].how == PROG_UNIFORM && s[0].amount.a == 1000);
    ck_assert(s[0].amount.kind == DIST_CONST && s[0].probability == UINT32_MAX && s[0].flags == 0);
    ck_assert_int_eq(s[0].span, 2); /* rounded up */
    ck_assert_uint_eq(s[0].write, 1u << 30);
    ck_assert(s[1].how == PROG_CYCLIC && s[1].span == 1 << 18 && s[1].write == UINT32_MAX);
    ck_assert(s[2].how == PROG_ZIPF && s[2].skew == 0.8 && s[2].span == 1 << 18 && s[2].write == 0);
    for (int i = 0; i < 3; i++)
        ck_assert(prog_touch_valid(&s[i]));
    close_world(&w);
}
END_TEST

START_TEST(touch_counts_pages_of_its_host)
{
    struct world w = open_world("hosts: [{name: h, memory: {page: 2MiB}}]\nvms: [{name: a, workload: {steps: "
                                "[{touch: {pages: 1, of: 3MiB}}, {cpu: 1ms}]}}]\n");
    ck_assert_int_eq(w.s[0].span, 2); /* and no memory.size is needed */
    close_world(&w);
}
END_TEST

START_TEST(disk_arrives)
{
    struct world w =
        open_world(S "{disk: {read: 16KiB}}, {disk: {write: {exponential: 64KiB}, pattern: sequential, "
                     "flush: true, on: d1}, probability: 0.25}, {disk: {trim: {uniform: [1MB, 2MB]}, on: "
                     "d0}}" E);
    const struct step *s = w.s;
    ck_assert(s[0].kind == STEP_DISK && s[0].how == PROG_READ && s[0].amount.a == 16384);
    ck_assert(s[0].flags == 0 && s[0].target == 0);
    ck_assert(s[1].how == PROG_WRITE && s[1].amount.kind == DIST_EXPONENTIAL && s[1].amount.a == 65536);
    ck_assert(s[1].flags == (PROG_SEQUENTIAL | PROG_FLUSH) && s[1].target == 1 &&
              s[1].probability == 1u << 30);
    ck_assert(s[2].how == PROG_TRIM && s[2].target == 0 && s[2].amount.kind == DIST_UNIFORM);
    ck_assert(s[2].amount.a == 1000000 && s[2].amount.b == 2000000);
    close_world(&w);
}
END_TEST

/* Names are resolved when all VMs stand in their order, whatever the file's. */
START_TEST(net_arrives)
{
    static const char text[] = HOST "- {name: a, nic: lan, workload: {steps: [{net: {send: 1kB, to: zz}}, "
                                    "{net: {send: {exponential: 1MB}, "
                                    "to: pc}}, {net: {receive: 3}}, {net: {send: 1B, to: b}}, {net: {send: "
                                    "2B, to: m-1}}, {net: {send: 3B, "
                                    "to: one}}]}}\n"
                                    "- {name: zz, nic: lan}\n- {name: m, count: 2, nic: lan, workload: "
                                    "{steps: [{net: {send: 1kB, to: a}}, "
                                    "{cpu: 1ms}]}}\n"
                                    "- {name: one, count: 1}\n";
    struct world w = open_world(text);
    const struct sc_vm *v = w.sc->vms;
    const struct step *s = w.s;
    ck_assert(s[0].kind == STEP_NET && s[0].how == PROG_SEND && s[0].amount.a == 1000);
    ck_assert_str_eq(v[s[0].target].name, "zz");
    ck_assert(s[1].amount.kind == DIST_EXPONENTIAL && s[1].target == w.sc->n_vms); /* the first peer */
    ck_assert(s[2].how == PROG_RECEIVE && s[2].amount.a == 3 && s[2].target == 0);
    ck_assert_str_eq(v[s[3].target].name, "b");
    ck_assert_str_eq(v[s[4].target].name, "m-1");
    ck_assert_str_eq(v[s[5].target].name, "one-0"); /* a count of one may go by its group's name */
    const struct sc_vm *m0 = vm_of(w.sc, "m-0"), *m1 = vm_of(w.sc, "m-1");
    ck_assert_ptr_eq(m0->work.prog, m1->work.prog);
    ck_assert_str_eq(v[prog_steps(m0->work.prog)->target].name, "a");
    close_world(&w);
}
END_TEST

START_TEST(ops_become_one_step_a_kind)
{
    struct world w =
        open_world(S "{ops: {exec: 3, fork: 2, syscall: 1000}, probability: 0.5}, {ops: {hlt: 1}}" E);
    static const uint32_t how[] = {OP_SYSCALL, OP_FORK, OP_EXEC, OP_HLT}; /* in their own order */
    static const int64_t n[] = {1000, 2, 3, 1};
    ck_assert_uint_eq(w.p->n_steps, 5);
    for (int i = 0; i < 4; i++) {
        ck_assert(w.s[i].kind == STEP_OPS && w.s[i].how == how[i] && w.s[i].amount.a == n[i]);
        ck_assert_uint_eq(w.s[i].probability, i < 3 ? 1u << 31 : UINT32_MAX);
        ck_assert_uint_eq(w.s[i].flags, i == 1 || i == 2 ? PROG_GLUED : 0);
    }
    close_world(&w);
}
END_TEST

/* All of them or none: the glued ones are never drawn. */
START_TEST(ops_happen_together)
{
    struct world w = open_world(S "{ops: {fork: 2, exec: 1, hlt: 4}, probability: 0.5}" E);
    int seen[PROG_NOPS] = {0};
    for (uint64_t iter = 0; iter < 1000; iter++) {
        struct prog_task t;
        prog_begin(&t, 1, 0, iter);
        int ops = 0;
        for (struct prog_act a; (a = prog_next(&t, w.p)).kind != STEP_END;)
            if (a.kind == STEP_OPS) ops++, seen[a.step->how]++;
        ck_assert(ops == 0 || ops == 3);
    }
    ck_assert(seen[OP_FORK] > 400 && seen[OP_FORK] < 600);
    ck_assert(seen[OP_EXEC] == seen[OP_FORK] && seen[OP_HLT] == seen[OP_FORK]);
    close_world(&w);
}
END_TEST

START_TEST(every_op_has_its_name)
{
    static const char *const names[PROG_NOPS] = {
        "syscall", "page_fault", "io_port",        "cr8",  "call_ret", "divide", "pte_modify", "doorbell",
        "mmio",    "hlt",        "context_switch", "fork", "exec"};
    char text[2000];
    snprintf(text, sizeof text, S "{ops: {%s: 5}}" E, names[_i]);
    struct world w = open_world(text);
    ck_assert(w.s[0].kind == STEP_OPS && w.s[0].how == (uint32_t)_i && w.s[0].amount.a == 5);
    close_world(&w);
}
END_TEST

START_TEST(lock_arrives)
{
    struct world w =
        open_world(S "{lock: 1ms}, {lock: {hold: {exponential: 2ms}, wait: yield}}, {lock: {hold: 0ms, "
                     "wait: spin}}" E);
    ck_assert(w.s[0].kind == STEP_LOCK && w.s[0].how == PROG_SPIN && w.s[0].amount.a == 1000000);
    ck_assert(w.s[1].how == PROG_YIELD && w.s[1].amount.kind == DIST_EXPONENTIAL &&
              w.s[1].amount.a == 2000000);
    ck_assert(w.s[2].how == PROG_SPIN && w.s[2].amount.a == 0);
    close_world(&w);
}
END_TEST

/* A file of sizes: bytes, or with a unit. */
START_TEST(sizes_come_from_files)
{
    char path[] = "/var/tmp/vlab-sizes-XXXXXX", text[2000];
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    static const char lines[] = "# sizes\n512\n4KiB\n\n1e3\n";
    ck_assert_int_eq(write(fd, lines, sizeof lines - 1), (ssize_t)(sizeof lines - 1));
    close(fd);
    snprintf(text, sizeof text, S "{disk: {read: {sequence: %s}}}" E, path);
    struct world w = open_world(text);
    ck_assert(w.s[0].amount.kind == DIST_SEQUENCE && w.s[0].amount.n == 3);
    const int64_t *pool = prog_pool(w.p);
    ck_assert(pool[0] == 512 && pool[1] == 4096 && pool[2] == 1000);
    close_world(&w);
    unlink(path);
}
END_TEST

/* The order of keys in a map, and of VMs in the file, changes no byte of a program. */
START_TEST(order_in_the_file_means_nothing)
{
    struct world w =
        open_world(S "{ops: {fork: 2, exec: 1}}, {touch: {pages: 5, of: 1MiB}}, {net: {send: 1B, to: b}}" E);
    struct world x = open_world(
        "vms:\n- name: a\n  nic: lan\n  memory: 1GiB\n  workload: {steps: [{ops: {exec: 1, fork: 2}}, "
        "{touch: {of: "
        "1MiB, pages: 5}}, {net: {to: b, send: 1B}}, {cpu: 1ms}]}\n- {nic: lan, name: b}\n"
        "networks: [{name: lan, kind: bridge, nics: [h/n]}]\nhosts: [{name: h, nics: [{name: n}]}]\n");
    ck_assert_uint_eq(w.p->bytes, x.p->bytes);
    ck_assert_mem_eq(w.p, x.p, w.p->bytes);
    close_world(&w);
    close_world(&x);
}
END_TEST

START_TEST(as_many_steps_as_a_program_holds)
{
    char text[20000] = S;
    /* 19 x 13 + 8 + 1 = 256 */
    static const char all[] =
        "{ops: {syscall: 1, page_fault: 1, io_port: 1, cr8: 1, call_ret: 1, divide: 1, "
        "pte_modify: 1, doorbell: 1, mmio: 1, hlt: 1, context_switch: 1, fork: 1, exec: 1}}, ";
    for (int i = 0; i < 19; i++)
        strcat(text, all);
    size_t len = strlen(text);
    strcat(
        text,
        "{ops: {syscall: 1, page_fault: 1, io_port: 1, cr8: 1, call_ret: 1, divide: 1, mmio: 1, hlt: 1}}" E);
    struct world w = open_world(text);
    ck_assert_uint_eq(w.p->n_steps, PROG_MAX_STEPS);
    close_world(&w);
    strcpy(text + len, all);
    strcpy(text + len + sizeof all - 3, E);
    ck_text_refused(
        &(struct refusal){text, 9, (unsigned)(len - sizeof A + 2 + 6), "more than 256 steps", NULL});
    /* 256, and then one of each kind that looks further before it is one too many */
    for (int i = 0; i < 2; i++) {
        strcpy(text + len,
               "{ops: {syscall: 1, page_fault: 1, io_port: 1, cr8: 1, call_ret: 1, divide: 1, mmio: 1, "
               "hlt: 1}}, {cpu: 1ms}, ");
        unsigned column = (unsigned)(strlen(text) - sizeof A + 2);
        strcat(text, i ? "{net: {send: 1B, to: b}}" E : "{lock: 1ms}" E);
        ck_text_refused(&(struct refusal){text, 9, column, "more than 256 steps", NULL});
    }
}
END_TEST

static const struct refusal refusals[] = {
    {S "{cpu: 1ms, touch: {pages: 1}}" E, 9, 22, "a step is of one kind; this one is of 2", NULL},
    {S "{touhc: {pages: 1}}" E, 9, 23, "unknown key `touhc`", "did you mean `touch`?"},
    /* touch */
    {S "{touch: {of: 1MiB}}" E, 9, 30, "`pages` is missing", NULL},
    {S "{touch: 5}" E, 9, 30, "wants a map of keys", NULL},
    {BARE "{touch: {pages: 5}}, {cpu: 1ms}]}\n", 7, 30, "`of` is missing, and so is the VM's memory.size",
     NULL},
    {T "pages: 0}}" E, 9, 38, "a step of no references does nothing", NULL},
    {T "pages: 4611686018427387905}}" E, 9, 38, "more than 2^62 references", NULL},
    {T "pages: 5, of: 2GiB}}" E, 9, 45, "the VM has only 1GiB of memory", NULL},
    {BARE "{touch: {pages: 5}}, {cpu: 1ms}]}\n  memory: 4095B\n", 7, 30,
     "the VM's memory is less than one page of its host: 4KiB", NULL},
    {BARE "{touch: {pages: 5, of: 8193GiB}}, {cpu: 1ms}]}\n", 7, 45, "more than 2^31 pages", NULL},
    {T "pages: 5, pattern: randm}}" E, 9, 50, "`randm` is not known; `pattern` is `uniform` or `cyclic`",
     NULL},
    {T "pages: 5, pattern: {zipff: 1}}}" E, 9, 51, "unknown key `zipff`", "did you mean `zipf`?"},
    {T "pages: 5, pattern: {zipf: 0}}}" E, 9, 57, "out of range", NULL},
    {T "pages: 5, pattern: {}}}" E, 9, 50, "`pattern` is uniform, cyclic or {zipf: s}", NULL},
    {T "pages: 5, pattern: [cyclic]}}" E, 9, 50, "`pattern` is a list", NULL},
    {T "pages: 5, write: 101%}}" E, 9, 48, "out of range: 0% to 100%", NULL},
    /* disk */
    {S "{disk: {}}" E, 9, 29, "exactly one of `read`, `write` and `trim`", NULL},
    {S "{disk: {read: 1KiB, write: 1KiB}}" E, 9, 29, "exactly one of", NULL},
    {S "{disk: {read: 0B}}" E, 9, 36, "a step of no bytes does nothing", NULL},
    {S "{disk: {read: 16}}" E, 9, 36, "`16` has no unit", NULL},
    {S "{disk: {read: 1ms}}" E, 9, 36, "is a duration; a size is wanted", NULL},
    {S "{disk: {read: {exponential: 1ms}}}" E, 9, 50, "is a duration; a size is wanted", NULL},
    {S "{disk: {read: {exponential: 0B}}}" E, 9, 50, "`exponential` of no bytes is always zero", NULL},
    {S "{disk: {read: [1KiB]}}" E, 9, 36, "a size or a distribution is wanted, not a list", NULL},
    {S "{disk: {read: 2GiB}}" E, 9, 36, "more than the disk holds: it has 1GiB", NULL},
    {S "{disk: {read: 1KiB, pattern: cyclic}}" E, 9, 51, "`cyclic` is not known", NULL},
    {S "{disk: {read: 1KiB, flush: true}}" E, 9, 49, "`flush` is for writes", NULL},
    {S "{disk: {trim: 1KiB, flush: true}}" E, 9, 49, "`flush` is for writes", NULL},
    {S "{disk: {read: 1KiB, on: d2}}" E, 9, 46, "the VM has no disk on `d2`", "did you mean `d0`?"},
    {BARE "{disk: {read: 1KiB}}, {cpu: 1ms}]}\n", 7, 29, "the VM has no `disk`", NULL},
    /* net */
    {S "{net: {to: b}}" E, 9, 28, "either `send` or `receive` is wanted", NULL},
    {S "{net: {send: 1B, to: b, receive: 1}}" E, 9, 28, "either `send` or `receive`", NULL},
    {S "{net: {send: 1B}}" E, 9, 28, "`to` is missing", NULL},
    {S "{net: {send: 0B, to: b}}" E, 9, 35, "a step of no bytes", NULL},
    {S "{net: {receive: 0}}" E, 9, 38, "a step of no frames", NULL},
    {S "{net: {receive: 1, to: b}}" E, 9, 45, "`to` is for `send`", NULL},
    {S "{net: {send: 1B, to: cc}}" E, 9, 43, "there is no VM or peer `cc`", "did you mean `pc`?"},
    {S "{net: {send: 1B, to: a}}" E, 9, 43, "it would send to itself", NULL},
    {S "{net: {send: 1B, to: a-2}}, {cpu: 1ms}]}\n  nic: lan\n  count: 3\n", 9, 43,
     "`a-2` would send to itself: all VMs of the `count` run this program", "an entry of its own"},
    {S "{net: {send: 1B, to: a}}, {cpu: 1ms}]}\n  nic: lan\n  count: 3\n", 9, 43,
     "there is no VM or peer `a`", "its `count` makes `a-0` and so on"},
    {BARE "{net: {send: 1B, to: b}}, {cpu: 1ms}]}\n", 7, 28, "the VM has no `nic`", NULL},
    {BARE "{net: {receive: 1}}, {cpu: 1ms}]}\n", 7, 28, "the VM has no `nic`", NULL},
    /* ops */
    {S "{ops: {}}" E, 9, 28, "`ops` of nothing", NULL},
    {S "{ops: {syscal: 5}}" E, 9, 29, "unknown key `syscal`", "did you mean `syscall`?"},
    {S "{ops: {syscall: 0}}" E, 9, 38, "a step of no events does nothing", NULL},
    {S "{ops: {syscall: 9000000000000000000}}" E, 9, 38, "more than 2^62 events", NULL},
    {S "{ops: {fork: 1, syscall: -1}}" E, 9, 47, "is negative", NULL},
    {S "{ops: 5}" E, 9, 28, "wants a map of keys", NULL},
    /* lock */
    {S "{lock: {wait: spin}}" E, 9, 29, "`hold` is missing", NULL},
    {S "{lock: {hold: 5B}}" E, 9, 36, "is a size; a duration is wanted", NULL},
    {S "{lock: {hold: 1ms, wait: sleep}}" E, 9, 47, "`sleep` is not known; `wait` is `spin` or `yield`",
     NULL},
    {S "{lock: 1ms, probability: 2}" E, 9, 47, "out of range: 0 to 1", NULL},
};

START_TEST(is_refused_at_its_place)
{
    ck_text_refused(&refusals[_i]);
}
END_TEST

/* One loop of `step` on a host of these keys, the VM of those: whether it is sure to take time. */
#define LOOP(host, vm, step)                                                                                 \
    "hosts:\n- {name: g, nics: [{name: n}]}\n- {name: h, " host                                              \
    "}\nnetworks: [{name: lan, kind: bridge, nics: [g/n, h/n]}, {name: slow, kind: bridge, nics: [h/n], "    \
    "latency: 1us}, {name: in, kind: host-only}, {name: wide, kind: bridge, nics: [h/n], bandwidth: "        \
    "1Gb/s}]\npeers: [{name: pc, on: lan}]\nvms:\n- {name: twin, host: h, nic: wide}\n"                      \
    "- {name: mate, host: h, nic: slow}\n- {name: near, host: h, nic: lan}\n- {name: far, host: g, nic: "    \
    "lan}\n- {name: shut, host: h, nic: "                                                                    \
    "in}\n"                                                                                                  \
    "- {name: a, host: h, " vm ", workload: {steps: [" step "]}}\n"
#define NIC ", nics: [{name: n}]"

static const struct loop {
    bool sure;
    const char *text;
} loops[] = {
    {false, LOOP("memory: 1GiB" NIC, "vcpus: 1", "{touch: {pages: 9, of: 1MiB}}")},
    {true, LOOP("memory: {ref_cost: 1ns}" NIC, "vcpus: 1", "{touch: {pages: 9, of: 1MiB}}")},
    {true, LOOP("tlb: {entries: 255, walk: 30ns}" NIC, "vcpus: 1", "{touch: {pages: 9, of: 1MiB}}")},
    {false, LOOP("tlb: {entries: 256, walk: 30ns}" NIC, "vcpus: 1", "{touch: {pages: 9, of: 1MiB}}")},
    {false,
     LOOP("memory: {ref_cost: 1ns}" NIC, "vcpus: 1", "{touch: {pages: 9, of: 1MiB}, probability: 0.5}")},
    {false, LOOP("disks: [{name: d}]" NIC, "disk: d", "{disk: {read: 1KiB}}")},
    {true, LOOP("disks: [{name: d, latency: 1us}]" NIC, "disk: d", "{disk: {read: 1KiB}}")},
    {true, LOOP("disks: [{name: d, iops: 9/s}]" NIC, "disk: d", "{disk: {write: 1KiB}}")},
    {true, LOOP("disks: [{name: d, bandwidth: 1GB/s}]" NIC, "disk: d", "{disk: {write: 1KiB}}")},
    {true, LOOP("disks: [{name: d, model: ssd}]" NIC, "disk: d", "{disk: {read: 1KiB}}")},
    {true, LOOP("disks: [{name: d, model: hdd}]" NIC, "disk: d", "{disk: {read: 1KiB}}")},
    {true, LOOP("disks: [{name: d}]" NIC, "disk: {on: d, limit: 5/s}", "{disk: {read: 1KiB}}")},
    {false, LOOP("disks: [{name: d, iops: 9/s}]" NIC, "disk: d", "{disk: {trim: 1KiB}}")},
    {false, LOOP("disks: [{name: d, iops: 9/s}]" NIC, "disk: {on: d, cache: 1MiB}", "{disk: {read: 1KiB}}")},
    {false, LOOP("disks: [{name: d, iops: 9/s}]" NIC, "disk: {on: d, cache: 1MiB}", "{disk: {write: 1KiB}}")},
    {true, LOOP("disks: [{name: d, iops: 9/s}]" NIC, "disk: {on: d, cache: 1MiB}",
                "{disk: {write: 1KiB, flush: true}}")},
    {false, LOOP("disks: [{name: d, iops: 9/s, cache: 1MiB}]" NIC, "disk: d", "{disk: {read: 1KiB}}")},
    {true, LOOP("disks: [{name: d, iops: 9/s, cache: 1MiB}]" NIC, "disk: d", "{disk: {write: 1KiB}}")},
    {true, LOOP("mode_costs: {doorbell: 1us}, disks: [{name: d}]" NIC, "disk: d", "{disk: {trim: 1KiB}}")},
    {false, LOOP("mode_costs: {syscall: 1us}, disks: [{name: d}]" NIC, "mode: bare, disk: d",
                 "{disk: {trim: 1KiB}}")},
    {true, LOOP("mode_costs: {syscall: 1us}, disks: [{name: d}]" NIC, "mode: container, disk: d",
                "{disk: {trim: 1KiB}}")},
    {true, LOOP("mode_costs: {io_port: 1us}, disks: [{name: d}]" NIC, "mode: emulation, disk: d",
                "{disk: {trim: 1KiB}}")},
    {false, LOOP("nics: [{name: n}]", "nic: lan", "{net: {send: 1kB, to: far}}")},
    {true, LOOP("nics: [{name: n, bandwidth: 1Gb/s}]", "nic: lan", "{net: {send: 1kB, to: far}}")},
    {false,
     LOOP("nics: [{name: n, latency: 1us}]", "nic: lan", "{net: {send: 1kB, to: pc}}")}, /* it has left */
    {true, LOOP("nics: [{name: n, packet_cost: 1us}]", "nic: lan", "{net: {send: 1kB, to: pc}}")},
    {false, LOOP("nics: [{name: n, bandwidth: 1Gb/s}]", "nic: lan", "{net: {send: 1kB, to: near}}")},
    {true, LOOP("nics: [{name: n}]", "nic: slow", "{net: {send: 1kB, to: mate}}")},
    {false, LOOP("nics: [{name: n}]", "nic: wide", "{net: {send: 1kB, to: twin}}")}, /* it does not go up */
    {false, LOOP("hypervisor: {type: 2, host_io: 1us}, nics: [{name: n}]", "mode: container, nic: lan",
                 "{net: {send: 1kB, to: pc}}")},
    {true, LOOP("nics: [{name: n}]", "nic: slow", "{net: {send: 1kB, to: near}}")},
    {true, LOOP("hypervisor: {type: 2, host_io: 1us}, nics: [{name: n}]", "nic: lan",
                "{net: {send: 1kB, to: pc}}")},
    {true, LOOP("nics: [{name: n}]", "nic: lan", "{net: {send: 1kB, to: shut}}")}, /* no way: a time-out */
    {true, LOOP("nics: [{name: n}]", "nic: in", "{net: {send: 1kB, to: far}}")},
    {false, LOOP("nics: [{name: n}]", "nic: in", "{net: {send: 1kB, to: shut}}")},
    {true, LOOP("nics: [{name: n}]", "nic: lan", "{net: {receive: 1}}")},
    {false, LOOP("cpu: 1" NIC, "vcpus: 1", "{ops: {syscall: 5}}")},
    {true, LOOP("mode_costs: {syscall: 1us}" NIC, "vcpus: 1", "{ops: {fork: 1, syscall: 5}}")},
    {false,
     LOOP("mode_costs: {syscall: 1us}" NIC, "vcpus: 1", "{ops: {fork: 1, syscall: 5}, probability: 0.9}")},
    {false, LOOP("mode_costs: {syscall: 1us}" NIC, "vcpus: 1", "{ops: {fork: 5}}")},
    {true, LOOP("cpu: 1" NIC, "vcpus: 1", "{lock: 1ns}")},
    {false, LOOP("cpu: 1" NIC, "vcpus: 1", "{lock: 0ns}")},
    {true, LOOP("cpu: 1" NIC, "vcpus: 1", "{lock: 0ns}, {sleep: 1ms}")},
};

START_TEST(a_loop_that_may_take_no_time_is_refused)
{
    const struct loop *x = &loops[_i];
    if (x->sure) {
        ck_text_accepted(x->text);
        return;
    }
    unsigned column = (unsigned)(strstr(x->text, "steps: [") - strstr(x->text, "- {name: a,")) + 8;
    ck_text_refused(
        &(struct refusal){x->text, 12, column, "a loop that can take no time", "add a step that takes time"});
}
END_TEST

Suite *steps_suite(void)
{
    Suite *s = suite_create("steps");
    TCase *t = tcase_create("steps");
    tcase_add_test(t, touch_arrives);
    tcase_add_test(t, touch_counts_pages_of_its_host);
    tcase_add_test(t, disk_arrives);
    tcase_add_test(t, net_arrives);
    tcase_add_test(t, ops_become_one_step_a_kind);
    tcase_add_test(t, ops_happen_together);
    tcase_add_loop_test(t, every_op_has_its_name, 0, PROG_NOPS);
    tcase_add_test(t, lock_arrives);
    tcase_add_test(t, sizes_come_from_files);
    tcase_add_test(t, order_in_the_file_means_nothing);
    tcase_add_test(t, as_many_steps_as_a_program_holds);
    tcase_add_loop_test(t, is_refused_at_its_place, 0, (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_loop_test(t, a_loop_that_may_take_no_time_is_refused, 0, (int)(sizeof loops / sizeof loops[0]));
    suite_add_tcase(s, t);
    return s;
}
