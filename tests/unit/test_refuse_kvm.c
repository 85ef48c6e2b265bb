// SPDX-License-Identifier: GPL-3.0-or-later
/* What the simulator does and real guests cannot yet: refused by name before anything runs, never ignored. No
 * guest is needed to say so. */
#include <stdlib.h>

#include "kvm/runner/run.h"
#include "tests/unit/reading.h"

Suite *refuse_kvm_suite(void);

#define WORK "workload: {steps: [{cpu: 1ms}]}"
#define VM   "vms: [{name: a, " WORK "}]\n"

/* A host of 1 MiB that swaps, and VMs that touch more. */
#define SHORT(how, more, disks)                                                                              \
    "hosts: [{name: h, memory: {size: 1MiB, page: 4KiB, swap: d, " more how "}, disks: [" disks "]}]\n"
#define TOUCHES "memory: 2MiB, workload: {steps: [{cpu: 1ms}, {touch: {pages: 1, of: 2MiB}}]}"
#define TOUCH   "vms: [{name: a, " TOUCHES "}]\n"
#define TOUCH2  "vms: [{name: a, count: 2, " TOUCHES "}]\n"

static const struct {
    const char *text, *says; /* NULL: it is possible */
} cases[] = {
    {"hosts: [{name: h}]\n" VM, NULL},
    {"hosts: [{name: h, hypervisor: {type: 1}, memory: 4GiB}]\nvms: [{name: a, memory: {size: 1GiB, weight: "
     "9}, " WORK "}]\n",
     NULL},
    {"hosts: [{name: h, hypervisor: {type: 2}}]\n" VM, "hosts.h.hypervisor.type"},
    {"hosts: [{name: h, cpu: {threads_per_core: 2}}]\n" VM, "hosts.h.cpu.threads_per_core"},
    {"hosts: [{name: h, cpu: {scheduler: bvt}}]\n" VM, "hosts.h.cpu.scheduler"},
    {"hosts: [{name: h, memory: {size: 4GiB, reclaim: [balloon]}}]\n" VM, "hosts.h.memory.reclaim: balloon"},
    {"hosts: [{name: h, memory: {size: 4GiB, reclaim: [share]}}]\n" VM, "hosts.h.memory.reclaim: share"},
    {"hosts: [{name: h, memory: {size: 4GiB, reclaim: [compress]}}]\n" VM,
     "hosts.h.memory.reclaim: compress"},
    {SHORT("", "", "{name: d}") TOUCH, "hosts.h.memory.replacement: clock"},
    {SHORT("replacement: lru", "", "{name: d}") TOUCH, "hosts.h.memory.replacement: lru"},
    {SHORT("replacement: fifo", "", "{name: d}") TOUCH, NULL},
    {SHORT("replacement: random", "", "{name: d}") TOUCH, NULL},
    {SHORT("replacement: second-chance", "", "{name: d}") TOUCH, NULL},
    {SHORT("replacement: fifo", "", "{name: d, iops: 100, bandwidth: 1MB/s, latency: 1ms, burst: 1MB}") TOUCH,
     NULL},
    {SHORT("", "", "{name: d}") VM, NULL}, /* nobody touches: nothing is ever taken */
    {SHORT("replacement: fifo", "", "{name: d, model: hdd}") TOUCH, "hosts.h.disks.d.model"},
    {SHORT("replacement: fifo", "", "{name: d, pool: 1GiB}") TOUCH, "hosts.h.disks.d.pool"},
    {SHORT("replacement: fifo", "", "{name: d, cache: 1GiB}") TOUCH, "hosts.h.disks.d.cache"},
    {SHORT("replacement: fifo", "", "{name: d, queue: deadline}") TOUCH, "hosts.h.disks.d.queue: deadline"},
    {SHORT("replacement: fifo", "", "{name: d}, {name: e}") TOUCH, "hosts.h.disks.e: "},
    {"run: {duration: 31s}\n" SHORT("replacement: fifo", "", "{name: d}") TOUCH2, "hosts.h.memory.tax"},
    {"run: {duration: 31s}\n" SHORT("replacement: fifo", "tax: 0%, ", "{name: d}") TOUCH2, NULL},
    {"run: {duration: 31s}\n" SHORT("replacement: fifo", "replacement_scope: vm, ", "{name: d}") TOUCH2,
     NULL},
    {"run: {duration: 30s}\n" SHORT("replacement: fifo", "", "{name: d}") TOUCH2, NULL},
    {"hosts: [{name: h, memory: {size: 1MiB, swap: s}}]\nstorage: [{name: s}]\n" VM,
     "hosts.h.memory.swap: s"},
    {"hosts: [{name: h, disks: [{name: d}]}]\n" VM, "hosts.h.disks.d"},
    {"hosts: [{name: h}]\nstorage: [{name: s}]\n" VM, "storage.s"},
    {"hosts: [{name: h, nics: [{name: n}]}]\n" VM, "hosts.h.nics.n"},
    {"hosts: [{name: h}]\nnetworks: [{name: p, kind: host-only}]\n" VM, "networks.p"},
    {"hosts: [{name: h}]\npeers: [{name: web, on: outside}]\n" VM, "peers.web"},
    {"hosts: [{name: h}]\nvms: [{name: a, mode: bare, " WORK "}]\n", "vms.a.mode: bare"},
    {"hosts: [{name: h}]\nvms: [{name: a, mode: container, " WORK "}]\n", "vms.a.mode: container"},
    {"hosts: [{name: h}]\nvms: [{name: a, mode: emulation, " WORK "}]\n", "vms.a.mode: emulation"},
    {"hosts: [{name: h}]\nvms: [{name: a, mode: binary-translation, " WORK "}]\n",
     "vms.a.mode: binary-translation"},
    {"hosts: [{name: h}]\nvms: [{name: a, mode: paravirtual, guest: modified, " WORK "}]\n",
     "vms.a.mode: paravirtual"},
    {"hosts: [{name: h}]\nvms: [{name: a, cpu: {cosched: relaxed}, " WORK "}]\n", "vms.a.cpu.cosched"},
    {"hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{cpu: 1ms}, {touch: {pages: 1, of: 1MiB}}]}}]\n",
     NULL},
    {"hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{cpu: 1ms}, {ops: {fork: 1}}]}}]\n",
     "ops: fork: "},
    {"hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{ops: {io_port: 1, hlt: 2, mmio: 3, doorbell: "
     "4, call_ret: 5}}, {cpu: 1ms}]}}]\n",
     NULL},
    {"hosts: [{name: h}]\nvms: [{name: a, count: 2, workload: {steps: [{lock: 1ms}]}}]\n", NULL},
    {"hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{lock: {hold: 1ms, wait: yield}}]}}]\n",
     "lock with wait: yield"},
    {"hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{cpu: 1ms}, {access: nx}]}}]\n", NULL},
    {"hosts: [{name: h}]\nvms: [{name: a, memory: 65GiB, " WORK "}]\n", "vms.a.memory: over 64GiB"},
    {"hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{cpu: 1ms}, {secret: 1B}]}}]\n", NULL},
    {"hosts: [{name: h}]\nevents: [{at: 1s, inspect: a}]\n" VM, NULL},
    {"hosts: [{name: h}]\nevents: [{at: 1s, inspect: a}, {at: 1s, pause: a}]\n" VM, "events: "},
    {"hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{covert: {send: random}}]}}]\n", "no `covert`"},
    {"hosts: [{name: h}]\nvms: [{name: a, count: 2, workload: {kind: requests, arrivals: {poisson: 1/s}, "
     "queue: shared, "
     "steps: "
     "[{cpu: 1ms}]}}]\n",
     "vms.a.workload.queue: shared"},
};

/* What is above the hosts, one thing at a time set in a scenario that is possible. */
START_TEST(what_is_above_the_hosts_is_refused_by_name)
{
    static const char *const says[] = {"hosts.h.cpu.defence: ",
                                       "hosts.h.vmm: ",
                                       "hosts.h.power: ",
                                       "hosts.h.price: ",
                                       "hosts.h.features: ",
                                       "hosts.h.rack: ",
                                       "hosts.h.failures: ",
                                       "hosts.h.limit: ",
                                       "cloud: ",
                                       "services: ",
                                       "images.i: ",
                                       "events: ",
                                       "vms.a.place: ",
                                       "vms.a.affinity: ",
                                       "vms.a.affinity: ",
                                       "vms.a.migrate: "};
    struct diag d;
    struct scenario_file *f = parse("hosts: [{name: h}]\n" VM, &d);
    struct scenario *sc = at(f, 0, &d);
    for (int i = -1; i < (int)(sizeof says / sizeof says[0]); i++) {
        struct scenario it = *sc;
        struct sc_host h = sc->hosts[0];
        struct sc_vm vm = sc->vms[0];
        const struct sc_service service = {.name = "s"};
        const struct sc_event event = {.verb = SC_PAUSE};
        const struct sc_image image = {.name = "i"};
        h.rack = vm.kernel = vm.image = SC_NONE;
        it.hosts = &h;
        it.vms = &vm;
        it.services = &service;
        it.images = &image;
        h.fixed_slots = i == 0;
        h.n_vmms = i == 1;
        h.power.stated = i == 2;
        h.price_u = i == 3;
        it.n_features = i == 4;
        if (i == 5) h.rack = 0;
        h.failures.stated = i == 6;
        if (i == 7) h.limit_ppm = 600000;
        it.cloud.stated = i == 8;
        it.n_services = i == 9;
        it.n_images = i == 10;
        it.n_events = i == 11;
        it.events = &event;
        vm.placed = i == 12;
        vm.n_with = i == 13;
        vm.n_apart = i == 14;
        vm.migrate.stated = i == 15;
        char *why = refuse_scenario(&it);
        if (i < 0)
            ck_assert_msg(!why, "%s", why);
        else
            ck_assert_msg(why && strstr(why, says[i]), "%d: \"%s\", wanted \"%s\"", i, why ? why : "nothing",
                          says[i]);
        free(why);
    }
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(is_refused_by_name)
{
    struct diag d;
    struct scenario_file *f = parse(cases[_i].text, &d);
    struct scenario *sc = at(f, 0, &d);
    char *why = refuse_scenario(sc);
    if (cases[_i].says)
        ck_assert_msg(why && strstr(why, "not possible on this backend: ") == why &&
                          strstr(why, cases[_i].says),
                      "said \"%s\", wanted \"%s\"", why ? why : "nothing", cases[_i].says);
    else
        ck_assert_msg(!why, "%s", why);
    free(why);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

/* Devices are refused before whoever uses them; the VM's own keys and steps by themselves. */
START_TEST(a_vm_that_has_them_is_refused_too)
{
    struct diag d;
    struct scenario_file *f =
        parse("hosts: [{name: h, disks: [{name: d, latency: 1ms}], nics: [{name: n, latency: 1ms}]}]\n"
              "networks: [{name: w, kind: bridge, nics: [h/n]}]\npeers: [{name: p, on: w}]\n"
              "vms: [{name: a, disk: d, nic: w, workload: {steps: [{disk: {read: 1B}}, {net: "
              "{send: 1B, to: p}}]}}]\n",
              &d);
    struct scenario *sc = at(f, 0, &d);
    struct sc_vm vm = sc->vms[0];
    struct scenario bare = *sc;
    bare.n_disks = bare.n_nics = bare.n_networks = bare.n_peers = 0;
    bare.vms = &vm;
    static const char *const says[] = {"vms.a.disk: ", "vms.a.nic: ", "no `disk`", "no `net`"};
    for (int i = 0; i < 4; i++) {
        if (i == 1) vm.n_disks = 0;
        if (i == 2) vm.network = SC_NONE;
        if (i == 3) ((struct step *)(uintptr_t)prog_steps(vm.work.prog))->kind = STEP_CPU;
        char *why = refuse_scenario(&bare);
        ck_assert_msg(why && strstr(why, says[i]), "said \"%s\", wanted \"%s\"", why ? why : "nothing",
                      says[i]);
        free(why);
    }
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

Suite *refuse_kvm_suite(void)
{
    Suite *s = suite_create("refuse_kvm");
    TCase *t = tcase_create("refuse_kvm");
    tcase_add_loop_test(t, is_refused_by_name, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(t, a_vm_that_has_them_is_refused_too);
    tcase_add_test(t, what_is_above_the_hosts_is_refused_by_name);
    suite_add_tcase(s, t);
    return s;
}
