// SPDX-License-Identifier: GPL-3.0-or-later
/* What a VM says of its mode, memory, disks and network: where it arrives, and what is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/reading.h"

Suite *vmkeys_suite(void);

/* Two hosts of 4 GiB; h has four pCPUs, three disks, a NIC, and reaches the store; g has one disk. */
#define WORLD                                                                                                \
    "hosts:\n"                                                                                               \
    "- {name: g, memory: 4GiB, disks: [{name: own}]}\n"                                                      \
    "- name: h\n"                                                                                            \
    "  cpu: {cores: 4}\n"                                                                                    \
    "  memory: 4GiB\n"                                                                                       \
    "  disks: [{name: ssd, iops: 1000/s, queue: mclock, pool: 100GiB}, {name: plain, queue: fifo}]\n"        \
    "  nics: [{name: eth0, bandwidth: 1Gb/s}]\n"                                                             \
    "storage: [{name: san, hosts: [h], iops: 100/s, queue: mclock}]\n"                                       \
    "networks: [{name: lan, kind: bridge, nics: [h/eth0]}, {name: out, kind: nat, nics: [h/eth0]}, {name: "  \
    "priv, kind: host-only, hosts: [h]}]\n"                                                                  \
    "vms:\n"                                 /* line 10; what follows begins at line 11 */
#define A WORLD "- name: a\n  host: h\n"     /* a key of the VM is at line 13 */
#define D A "  disk: "                       /* the value at 13:9 */
#define N A "  nic: "                        /* the value at 13:8 */
#define O "\n- name: o\n  host: h\n  disk: " /* after D and one line: the value at 16:9 */

static void done(struct scenario_file *f, struct scenario *sc, struct diag *d)
{
    scenario_free(sc);
    scenario_close(f);
    diag_done(d);
}

START_TEST(modes_and_gangs_arrive)
{
    static const struct {
        const char *text;
        uint8_t mode, cosched;
        bool modified;
    } cases[] = {
        {A, SC_HARDWARE, SC_COSCHED_NONE, false},
        {A "  mode: bare\n  cpu: {cosched: none}\n", SC_BARE, SC_COSCHED_NONE, false},
        {A "  mode: container\n  cpu: {cosched: strict}\n  vcpus: 4\n", SC_CONTAINER, SC_COSCHED_STRICT,
         false},
        {A "  mode: emulation\n  cpu: {cosched: relaxed}\n  vcpus: 5\n", SC_EMULATION, SC_COSCHED_RELAXED,
         false},
        {A "  mode: binary-translation\n  cpu: {cosched: balance}\n", SC_TRANSLATION, SC_COSCHED_BALANCE,
         false},
        {A "  mode: hardware\n  guest: modified\n", SC_HARDWARE, SC_COSCHED_NONE, true},
        {A "  mode: paravirtual\n  guest: modified\n", SC_PARAVIRTUAL, SC_COSCHED_NONE, true},
    };
    struct diag d;
    struct scenario_file *f = parse(cases[_i].text, &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_vm *vm = vm_of(sc, "a");
    ck_assert_uint_eq(vm->mode, cases[_i].mode);
    ck_assert_uint_eq(vm->cosched, cases[_i].cosched);
    ck_assert(vm->modified == cases[_i].modified);
    ck_assert(vm->network == SC_NONE && vm->swap == SC_NONE && vm->n_disks == 0 && vm->n_forwards == 0);
    ck_assert(vm->memory_weight == 1000 && vm->net_weight == 1000);
    done(f, sc, &d);
}
END_TEST

START_TEST(memory_arrives)
{
    struct diag d;
    struct scenario_file *f = parse(A "  memory: {size: 1GiB, weight: 2000, reservation: 512MiB, content: "
                                      "{zero: 10%, linux: 60%, app: 30%}, "
                                      "swap: san}\n",
                                    &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_vm *vm = vm_of(sc, "a");
    ck_assert_int_eq(vm->memory_bytes, INT64_C(1) << 30);
    ck_assert_uint_eq(vm->memory_weight, 2000);
    ck_assert_int_eq(vm->memory_reservation_bytes, INT64_C(1) << 29);
    ck_assert_str_eq(sc->disks[vm->swap].entity, "storage.san");
    static const char *const names[] = {"app", "linux", "zero"}; /* whatever their order in the file */
    static const uint32_t ppm[] = {300000, 600000, 100000};
    ck_assert_uint_eq(vm->n_content, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(vm->content[i].name, names[i]);
        ck_assert_uint_eq(vm->content[i].ppm, ppm[i]);
    }
    done(f, sc, &d);
}
END_TEST

START_TEST(one_disk_may_be_a_map_a_list_or_a_name)
{
    static const char *const forms[] = {
        D "{on: plain}\n",
        D "[{on: plain}]\n",
        D "plain\n",
        D "[plain]\n",
        WORLD "- {name: a, host: g, disk: {}}\n", /* the only one of its host */
    };
    struct diag d;
    struct scenario_file *f = parse(forms[_i], &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_vm *vm = vm_of(sc, "a");
    ck_assert_uint_eq(vm->n_disks, 1);
    const struct sc_vdisk *v = vm->disks;
    ck_assert_str_eq(sc->disks[v->disk].name, _i == 4 ? "own" : "plain");
    ck_assert(v->size_bytes == 0 && v->used_bytes == 0 && !v->thin && v->weight == 1000);
    ck_assert(v->reservation_u == 0 && v->limit_u == 0 && v->limit_bps == 0 && v->limit_burst_bytes == 0);
    ck_assert(v->cache_bytes == 0 && v->from_vm == SC_NONE && !v->linked);
    done(f, sc, &d);
}
END_TEST

START_TEST(disks_arrive)
{
    struct diag d;
    struct scenario_file *f =
        parse(D "[{on: ssd, size: 40GiB, used: 10GiB, provision: thin, weight: 500, reservation: 100/s, "
                "limit: 2000/s},\n"
                "    {on: san, limit: {iops: 50/s, bandwidth: 10MB/s, burst: 1MB}, cache: 64MiB}]\n"
                "- {name: b, host: h, disk: [{on: ssd, from: a, clone: linked}]}\n"
                "- {name: c, host: h, disk: [{on: ssd, from: b, size: 50GiB}, {on: san, from: a}]}\n",
              &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_vm *a = vm_of(sc, "a"), *b = vm_of(sc, "b"), *c = vm_of(sc, "c");
    ck_assert(a->n_disks == 2 && b->n_disks == 1 && c->n_disks == 2);
    const struct sc_vdisk *v = a->disks;
    ck_assert_str_eq(sc->disks[v[0].disk].entity, "host.h.disk.ssd");
    ck_assert(v[0].size_bytes == INT64_C(40) << 30 && v[0].used_bytes == INT64_C(10) << 30 && v[0].thin);
    ck_assert(v[0].weight == 500 && v[0].reservation_u == 100000000 && v[0].limit_u == 2000000000);
    ck_assert_str_eq(sc->disks[v[1].disk].entity, "storage.san");
    ck_assert(v[1].limit_u == 50000000 && v[1].limit_bps == 80000000 && v[1].limit_burst_bytes == 1000000);
    ck_assert(v[1].cache_bytes == 64 << 20 && v[1].weight == 1000);
    /* A clone has its original's size and contents, a linked one takes blocks as it writes. */
    uint32_t ia = (uint32_t)(a - sc->vms), ib = (uint32_t)(b - sc->vms);
    ck_assert(b->disks[0].from_vm == ia && b->disks[0].linked && b->disks[0].thin);
    ck_assert(b->disks[0].size_bytes == v[0].size_bytes && b->disks[0].used_bytes == v[0].used_bytes);
    ck_assert(c->disks[0].from_vm == ib && !c->disks[0].linked && !c->disks[0].thin);
    ck_assert(c->disks[0].size_bytes == INT64_C(50) << 30 && c->disks[0].used_bytes == v[0].used_bytes);
    ck_assert(c->disks[1].from_vm == ia && c->disks[1].disk == v[1].disk);
    done(f, sc, &d);
}
END_TEST

START_TEST(nics_arrive)
{
    struct diag d;
    struct scenario_file *f =
        parse(N "{network: out, forward: [{port: 8080, to: 80}, 22], weight: 300}\n- {name: b, host: h, nic: "
                "priv}\n- {name: c, host: h, nic: out}\n",
              &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_vm *vm = vm_of(sc, "a");
    ck_assert_str_eq(sc->networks[vm->network].name, "out");
    ck_assert(vm->net_weight == 300 && vm->n_forwards == 2);
    ck_assert(vm->forwards[0].port == 8080 && vm->forwards[0].to == 80);
    ck_assert(vm->forwards[1].port == 22 && vm->forwards[1].to == 22);
    ck_assert_str_eq(sc->networks[vm_of(sc, "b")->network].name, "priv");
    ck_assert_uint_eq(vm_of(sc, "c")->n_forwards, 0);
    done(f, sc, &d);
}
END_TEST

/* The resolved copy reads back, and to the same. */
START_TEST(the_resolved_scenario_reads_back)
{
    static const char text[] = A "  memory: {size: 1GiB, content: {zero: 10%, os: 50%}}\n"
                                 "  disk: [san, {on: ssd, size: 4GiB, limit: 50/s}]\n"
                                 "  nic: {network: out, forward: [80]}\n"
                                 "  workload: {steps: [{touch: {pages: 5, pattern: {zipf: 0.8}}}, {disk: "
                                 "{read: {exponential: 4KiB}}}, "
                                 "{ops: {fork: 1, syscall: 2}}, {lock: 1ms}, {net: {send: 1kB, to: b}}]}\n"
                                 "- {name: b, host: h, disk: {on: ssd, size: 4GiB}, nic: lan}\n";
    struct diag d, e;
    struct scenario_file *f = parse(text, &d);
    struct scenario *sc = at(f, 0, &d);
    size_t len, again_len;
    char *dump = scenario_dump(f, &len);
    struct scenario_file *g = parse(dump, &e);
    struct scenario *twin = at(g, 0, &e);
    char *again = scenario_dump(g, &again_len);
    ck_assert_str_eq(again, dump);
    const struct sc_vm *x = vm_of(sc, "a"), *y = vm_of(twin, "a");
    ck_assert(x->n_disks == 2 && y->n_disks == 2 && x->n_forwards == 1 && y->n_forwards == 1);
    ck_assert_mem_eq(x->disks, y->disks, 2 * sizeof *x->disks);
    ck_assert_uint_eq(x->work.prog->bytes, y->work.prog->bytes);
    ck_assert_mem_eq(x->work.prog, y->work.prog, x->work.prog->bytes);
    free(dump);
    free(again);
    done(f, sc, &d);
    done(g, twin, &e);
}
END_TEST

START_TEST(a_sweep_reaches_into_disks_and_content)
{
    struct diag d;
    struct scenario_file *f =
        parse(D "{on: ssd, size: 1GiB}\n  memory: {size: 1GiB, content: {os: 10%}}\n"
                "- {name: b, host: h, disk: [san, {on: ssd, size: 1GiB}]}\n"
                "sweep: {vms.a.disk.size: [2GiB, 3GiB], vms.b.disk.1.size: [5GiB], vms.b.disk.0.weight: [7], "
                "vms.a.memory.content.os: [20%], vms.a.memory.content.new: [30%]}\n",
              &d);
    ck_assert_uint_eq(scenario_points(f), 2);
    struct scenario *sc = at(f, 1, &d);
    ck_assert_int_eq(vm_of(sc, "a")->disks[0].size_bytes, INT64_C(3) << 30);
    ck_assert_int_eq(vm_of(sc, "b")->disks[1].size_bytes, INT64_C(5) << 30);
    ck_assert_uint_eq(vm_of(sc, "b")->disks[0].weight, 7);
    ck_assert_uint_eq(vm_of(sc, "a")->n_content, 2);
    ck_assert_uint_eq(vm_of(sc, "a")->content[0].ppm, 300000);
    ck_assert_uint_eq(vm_of(sc, "a")->content[1].ppm, 200000);
    done(f, sc, &d);
}
END_TEST

static const struct refusal refusals[] = {
    /* mode, guest, gangs */
    {A "  mode: paravirtual\n", 13, 9, "was ported to the hypervisor; this one is stock", "guest: modified"},
    {A "  mode: paravirtual\n  guest: stock\n", 13, 9, "this one is stock", NULL},
    {A "  mode: paravirtal\n", 13, 9, "`paravirtal` is not known", "did you mean `paravirtual`?"},
    {A "  guest: odified\n", 13, 10, "`odified` is not known", "did you mean `modified`?"},
    {A "  kernel: k\n", 13, 11, "only containers share a kernel", "mode: container"},
    {A "  vcpus: 5\n  cpu: {cosched: strict}\n", 14, 18, "5 vCPUs never run all at once on 4 pCPUs", NULL},
    {A "  vcpus: 2\n  cpu: {cosched: strict, pin: [3]}\n", 14, 18, "2 vCPUs never run all at once on 1 pCPU",
     NULL},
    {A "  cpu: {cosched: strct}\n", 13, 18, "`strct` is not known", "did you mean `strict`?"},
    /* memory */
    {A "  memory: {size: 1GiB, reservation: 2GiB}\n", 13, 37, "reserves more than the VM has: 1GiB", NULL},
    {A "  memory: {reservation: 3GiB}\n- {name: b, host: h, memory: {reservation: 2GiB}}\n", 14, 44,
     "VMs on host `h` reserve more memory than the 4GiB that it has", NULL},
    {A "  memory: {size: 3GiB}\n- {name: b, host: h, memory: 2GiB}\n", 14, 30,
     "host `h` has 4GiB of memory; its VMs want more", "memory.reclaim"},
    {A "  memory: {weight: 0}\n", 13, 20, "out of range: 1 to 10000", NULL},
    {A "  memory: {weight: 10001}\n", 13, 20, "out of range: 1 to 10000", NULL},
    {A "  memory: {size: 1GiB, swap: ssx}\n", 13, 30, "host `h` has no disk `ssx`", "did you mean `ssd`?"},
    {A "  memory: {size: 1GiB, content: {a: 60%, b: 41%}}\n", 13, 33, "come to 101% of its memory", NULL},
    {A "  memory: {size: 1GiB, content: {a: 60}}\n", 13, 37, "has no unit", NULL},
    {A "  memory: {size: 1GiB, content: {a: 101%}}\n", 13, 37, "out of range: 0% to 100%", NULL},
    {A "  memory: {size: 1GiB, content: {9a: 60%}}\n", 13, 34, "`9a` is not a name", NULL},
    {A "  memory: {size: 1GiB, content: linux}\n", 13, 33, "wants a map of names to shares", NULL},
    {A "  memory: {content: {linux: 60%}}\n", 13, 21, "`size` is missing", NULL},
    /* disks */
    {D "{size: 1GiB}\n", 13, 9, "on which disk? `on` is missing", "`plain` and `ssd` and more"},
    {D "{on: sdd, size: 1GiB}\n", 13, 14, "host `h` has no disk `sdd`", "did you mean `ssd`?"},
    {WORLD "- {name: a, host: g, disk: san}\n", 11, 28, "host `g` does not reach the store `san`", NULL},
    {"hosts: [{name: h}]\nvms: [{name: a, disk: {size: 1GiB}}]\n", 2, 23, "host `h` has no disk", NULL},
    {D "[{on: san}, {on: sxn}]\n", 13, 26, "host `h` has no disk `sxn`", NULL},
    {D "{on: san, sise: 1GiB}\n", 13, 19, "unknown key `sise`", "did you mean `size`?"},
    {D "{on: san, size: 0B}\n", 13, 25, "out of range", NULL},
    {D "{on: san, size: 1GiB, used: 2GiB}\n", 13, 37, "more is used than the disk holds", NULL},
    {D "{on: san, provision: thin, size: 1GiB}\n", 13, 30,
     "`thin` takes blocks from a pool, and `san` has none", "give `san` a `pool`"},
    {D "{on: ssd}\n", 13, 9, "how large is it?", NULL},
    {D "{on: ssd, size: 101GiB}\n", 13, 25,
     "the pool of `ssd` has 100GiB; what lies on it at the start takes more", "provision: thin"},
    {D "{on: ssd, size: 60GiB}" O "{on: ssd, size: 41GiB}\n", 16, 25, "takes more",
     "41 GiB here, 60 GiB before"},
    {D "{on: ssd, size: 60GiB, used: 60GiB, provision: thin}" O
       "{on: ssd, size: 90GiB, used: 41GiB, provision: thin}\n",
     16, 38, "takes more", NULL},
    {D "{on: ssd, size: 30GiB}\n  count: 4\n", 13, 25, "takes more", "120 GiB here, 0 GiB before"},
    {D "{on: plain, weight: 0}\n", 13, 29, "out of range: 1 to 10000", NULL},
    {D "{on: plain, reservation: 5/s}\n", 13, 34, "the queue `fifo` of `plain` knows no reservations",
     "`queue: fair` and `queue: mclock` do"},
    {D "{on: san, reservation: 101/s}\n", 13, 32, "disks reserve more than the 100/s that `san` can do",
     NULL},
    {D "{on: san, reservation: 60/s}\n  count: 2\n", 13, 32, "disks reserve more than the 100/s", NULL},
    {D "{on: san, reservation: 60/s, limit: 50/s}\n", 13, 32, "more than its own limit", NULL},
    {D "{on: san, limit: 0/s}\n", 13, 26, "out of range", NULL},
    {D "{on: san, limit: {burst: 1MB}}\n", 13, 34, "`burst` is saved up of a `bandwidth`", NULL},
    {D "{on: san, limit: 50}\n", 13, 26, "has no unit", NULL},
    /* clones */
    {D "{on: san, clone: linked}\n", 13, 26, "linked to what? `from` is missing", NULL},
    {D "{on: san, from: desk}\n", 13, 25, "there is no VM or image `desk` to make it of", NULL},
    {D "{on: san, from: oo}" O "san\n", 13, 25, "there is no VM or image `oo`", "did you mean `o`?"},
    {D "{on: san, from: a}\n", 13, 25, "it would be made of itself", NULL},
    {D "{on: san, from: a-1}\n  count: 2\n", 13, 25, "it would be made of itself", NULL},
    {D "{on: san, from: o}" O "{on: san, from: a}\n", 16, 25, "made of itself, by way of `a`", NULL},
    {D "{on: plain, from: o}" O "san\n", 13, 27, "that of `o` is on `storage.san`", NULL},
    {D "[san, {on: san, from: o}]" O "san\n", 13, 31, "`o` has only 1 disk", NULL},
    {D "{on: san, from: o}\n- {name: o, host: h}\n", 13, 25, "`o` has no disk", NULL},
    {D "{on: san, from: o, size: 1GiB}" O "{on: san, size: 2GiB}\n", 13, 34,
     "smaller than the disk it is made of", NULL},
    {D "{on: san, from: o, used: 1GiB}" O "{on: san, size: 2GiB}\n", 13, 34, "`used` is not its own", NULL},
    /* networks */
    {N "{network: lam}\n", 13, 18, "there is no network `lam`", "did you mean `lan`?"},
    {N "{weight: 5}\n", 13, 8, "`network` is missing", NULL},
    {WORLD "- {name: a, host: g, nic: lan}\n", 11, 27, "network `lan` does not reach host `g`", "`nics`"},
    {WORLD "- {name: a, host: g, nic: priv}\n", 11, 27, "network `priv` does not reach host `g`", "`hosts`"},
    {N "{network: lan, forward: [{port: 80, to: 80}]}\n", 13, 23,
     "on the bridge `lan` the VM has an identity of its own", NULL},
    {N "{network: priv, forward: [80]}\n", 13, 24,
     "no way leads from outside into the host-only network `priv`", NULL},
    {N "{network: out, forward: [{to: 80}]}\n", 13, 33, "`port` is missing", NULL},
    {N "{network: out, forward: [0]}\n", 13, 33, "out of range: 1 to 65535", NULL},
    {N "{network: out, forward: [{port: 5, to: 65536}]}\n", 13, 47, "out of range: 1 to 65535", NULL},
    {N "{network: out, forward: [80, {port: 81, to: 80}, {port: 80, to: 81}]}\n", 13, 57,
     "port 80 of `out` on host `h` leads to `a` already", NULL},
    {N "{network: out, forward: [80]}\n- {name: b, host: h, nic: {network: out, forward: [79, 80]}}\n", 14,
     56, "leads to `a` already", NULL},
    {N "{network: out, forward: [80]}\n  count: 2\n", 13, 33, "port 80 would lead to each of the 2 VMs",
     NULL},
    {N "{network: out, weight: 0}\n", 13, 31, "out of range: 1 to 10000", NULL},
};

START_TEST(is_refused_at_its_place)
{
    ck_text_refused(&refusals[_i]);
}
END_TEST

static const char *const accepted[] = {
    A "  memory: {size: 4GiB, reservation: 4GiB, content: {a: 50%, zero: 50%}}\n",
    A "  memory: {reservation: 4GiB}\n",
    A "  memory: 2GiB\n- {name: b, host: h, memory: 2GiB}\n- {name: c, host: g, memory: 4GiB}\n",
    "hosts: [{name: h, memory: {size: 1GiB, reclaim: [balloon]}}]\nvms: [{name: a, count: 3, memory: "
    "1GiB}]\n",
    "hosts: [{name: h, memory: {size: 1GiB, swap: d, reclaim: [swap]}, disks: [{name: d}]}]\nvms: [{name: a, "
    "memory: 9GiB}]\n",
    A "  mode: container\n  vcpus: 9\n  cpu: {cosched: relaxed}\n",
    D "{on: ssd, size: 100GiB}\n",
    D "{on: ssd, size: 500GiB, used: 100GiB, provision: thin}\n",
    D "{on: ssd, size: 60GiB, used: 60GiB}" O "{on: ssd, from: a, clone: linked}\n  count: 50\n",
    D "{on: ssd, size: 60GiB}\n  count: 0\n- {name: b, host: h, disk: {on: ssd, size: 100GiB}}\n",
    D "{on: san, used: 1GiB, clone: full, provision: thick}\n",
    D "{on: san, reservation: 50/s, limit: 50/s}\n  count: 2\n",
    D "[]\n",
    N "{network: out, forward: [80]}\n  count: 1\n",
    N "{network: out, forward: [80]}\n  count: 0\n- {name: b, host: h, nic: {network: out, forward: [80]}}\n",
    N "{network: lan, forward: []}\n",
};

START_TEST(is_accepted)
{
    ck_text_accepted(accepted[_i]);
}
END_TEST

Suite *vmkeys_suite(void)
{
    Suite *s = suite_create("vmkeys");
    TCase *t = tcase_create("vmkeys");
    tcase_add_loop_test(t, modes_and_gangs_arrive, 0, 7);
    tcase_add_test(t, memory_arrives);
    tcase_add_loop_test(t, one_disk_may_be_a_map_a_list_or_a_name, 0, 5);
    tcase_add_test(t, disks_arrive);
    tcase_add_test(t, nics_arrive);
    tcase_add_test(t, the_resolved_scenario_reads_back);
    tcase_add_test(t, a_sweep_reaches_into_disks_and_content);
    tcase_add_loop_test(t, is_refused_at_its_place, 0, (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_loop_test(t, is_accepted, 0, (int)(sizeof accepted / sizeof accepted[0]));
    suite_add_tcase(s, t);
    return s;
}
