// SPDX-License-Identifier: GPL-3.0-or-later
/* What the simulator does and real guests cannot yet: refused by name before anything runs, never ignored. No
 * guest is needed to say so. */
#include <stdlib.h>

#include "kvm/runner/run.h"
#include "tests/unit/reading.h"

Suite *refuse_kvm_suite(void);

#define WORK "workload: {steps: [{cpu: 1ms}]}"
#define VM   "vms: [{name: a, " WORK "}]\n"

#define NET "hosts: [{name: h, nics: [{name: n}]}]\n"
/* VM a, on that network, with a net step; and b, which only works. */
#define ON(network, step)                                                                                    \
    "vms: [{name: a, nic: " network ", workload: {steps: [{cpu: 1ms}, {net: {" step                          \
    "}}]}}, {name: b, nic: " network ", " WORK "}]\n"
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
    {SHORT("replacement: fifo", "", "{name: d}, {name: e}") TOUCH, NULL},
    {"run: {duration: 31s}\n" SHORT("replacement: fifo", "", "{name: d}") TOUCH2, "hosts.h.memory.tax"},
    {"run: {duration: 31s}\n" SHORT("replacement: fifo", "tax: 0%, ", "{name: d}") TOUCH2, NULL},
    {"run: {duration: 31s}\n" SHORT("replacement: fifo", "replacement_scope: vm, ", "{name: d}") TOUCH2,
     NULL},
    {"run: {duration: 30s}\n" SHORT("replacement: fifo", "", "{name: d}") TOUCH2, NULL},
    {"hosts: [{name: h, memory: {size: 1MiB, swap: s}}]\nstorage: [{name: s}]\n" VM,
     "hosts.h.memory.swap: s"},
    {"hosts: [{name: h, disks: [{name: d}]}]\n" VM, NULL},
    {"hosts: [{name: h}]\nstorage: [{name: s}]\n" VM, NULL},
    {"hosts: [{name: h, memory: {size: 8MiB, reclaim: [swap], swap: d, replacement: fifo}, disks: [{name: "
     "d}]}]\n"
     "vms: [{name: a, memory: 1MiB, disk: {on: d, size: 1MB}, workload: {steps: [{cpu: 1ms}, {disk: {read: "
     "4KiB}}]}}]\n",
     "vms.a.disk: on d"},
    {"hosts: [{name: h, nics: [{name: n, bandwidth: 1Gb/s, mtu: 9000}]}]\n" VM, NULL},
    {"hosts: [{name: h, nics: [{name: n, mtu: 9001}]}]\n" VM, "hosts.h.nics.n.mtu: over 9000"},
    {"hosts: [{name: h, nics: [{name: n, packet_cost: 1us}]}]\n" VM, "hosts.h.nics.n.packet_cost"},
    {NET "networks: [{name: b, nics: [h/n]}, {name: c, nics: [h/n]}]\n" VM, "hosts.h.nics.n: on several"},
    {NET "networks: [{name: b, nics: [h/n], uplink: c}, {name: c}]\n" VM, "networks.b.uplink: c"},
    {NET "networks: [{name: b, kind: nat, nics: [h/n], ports: 10}]\n" VM, "networks.b.ports"},
    {NET "networks: [{name: b, kind: nat, nics: [h/n], hold: 1s}]\n" VM, "networks.b.hold"},
    {NET "networks: [{name: b, kind: nat, nics: [h/n], rewrite: 1us}]\n" VM, "networks.b.rewrite"},
    {"hosts: [{name: h}]\nnetworks: [{name: p, kind: host-only}]\n" ON("p", "send: 1kB, to: b"), NULL},
    {"hosts: [{name: h}]\nnetworks: [{name: p, kind: host-only}]\npeers: [{name: web}]\n" ON(
         "p", "send: 1kB, to: web"),
     NULL}, /* the guest is refused, as in the simulator */
    {"hosts: [{name: h}]\nnetworks: [{name: p, kind: host-only}]\nvms: [{name: a, vcpus: 2, nic: p, "
     "workload: "
     "{steps: [{net: {receive: 1}}]}}]\n",
     "vms.a.vcpus: a guest that receives"},
    {NET
     "networks: [{name: b, kind: nat, nics: [h/n]}]\nvms: [{name: a, nic: {network: b, forward: [{port: 1, "
     "to: 2}]}, " WORK "}]\n",
     "vms.a.nic.forward"},
    {"hosts: [{name: h}]\npeers: [{name: web, on: outside}]\n" VM, NULL},
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

Suite *refuse_kvm_suite(void)
{
    Suite *s = suite_create("refuse_kvm");
    TCase *t = tcase_create("refuse_kvm");
    tcase_add_loop_test(t, is_refused_by_name, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(t, what_is_above_the_hosts_is_refused_by_name);
    suite_add_tcase(s, t);
    return s;
}
