// SPDX-License-Identifier: GPL-3.0-or-later
/* The network from the file to the figures: what a student writes, and the numbers that come back. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab.h"

Suite *network_lab_suite(void);

#define HOST                                                                                                 \
    "vlab: 1\nname: net\nrun: {duration: 3s, warmup: 1s}\n"                                                  \
    "hosts: [{name: h1, cpu: {cores: 4}, nics: [{name: eth0, bandwidth: 1Gb/s}]}]\n"                         \
    "networks: [{name: lan, kind: bridge, nics: [h1/eth0]}, {name: out, kind: nat, nics: [h1/eth0], ports: " \
    "4},"                                                                                                    \
    " {name: priv, kind: host-only, hosts: [h1], bandwidth: 8Gb/s}]\n"                                       \
    "peers: [{name: pc, on: lan}, {name: web, on: outside}]\n"

/* Two bridged flows get 470.7 Mb/s each, while host-only traffic goes at its 8 Gb/s beside them. */
START_TEST(two_flows_and_one_inside)
{
    struct lab *l = lab_open(HOST "vms: [{name: a, count: 2, host: h1, nic: {network: lan}, workload: {kind: "
                                  "loop, steps: [{net: {send: 14480kB, to: pc}}]}},\n"
                                  "      {name: c, host: h1, nic: {network: priv}, workload: {kind: loop, "
                                  "steps: [{net: {send: 1448kB, to: d}}]}},\n"
                                  "      {name: d, host: h1, nic: {network: priv}, workload: {kind: loop, "
                                  "steps: [{net: {receive: 100}}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a-0", "net.bytes", "rate") * 8e-6, 470.7, .05);
    ck_near(lab_value(l, "vm.a-1", "net.bytes", "rate") * 8e-6, 470.7, .05);
    ck_near(lab_value(l, "host.h1.nic.eth0", "net.wire", "rate") * 8e-6, 1000, .02);
    ck_near(lab_value(l, "network.priv", "net.wire", "rate") * 8e-6, 8000, .1);
    ck_near(lab_value(l, "vm.d", "net.bytes", "rate") * 8e-6, 8000 * 1448 / 1538., .1);
    ck_near(lab_value(l, "peer.pc", "net.bytes", "rate"),
            lab_value(l, "host.h1.nic.eth0", "net.bytes", "rate"), 1448);
    ck_near(lab_value(l, "vm.a-0", "cpu.netwait", "share"), 1, 1e-9);
    lab_close(l);
}
END_TEST

/* Three VMs, a LAN peer and the outside: all cells that a VM or peer has a row for. */
START_TEST(the_matrix_as_metrics)
{
    static const char *const end[5] = {"vm.solo", "vm.behind", "vm.open", "peer.pc", "peer.web"};
    static const int want[5][5] = {
        {1, 0, 0, 0, 0}, {0, 1, 1, 1, 1}, {0, 0, 1, 1, 1}, {0, 0, 1, 1, 1}, {0, 0, 1, 1, 1}};
    struct lab *l = lab_open(
        HOST
        "vms: [{name: solo, host: h1, nic: {network: priv}, workload: {kind: loop, steps: [{cpu: 1s}]}},\n"
        "      {name: behind, host: h1, nic: {network: out}, workload: {kind: loop, steps: [{cpu: 1s}]}},\n"
        "      {name: open, host: h1, nic: {network: lan}, workload: {kind: loop, steps: [{cpu: 1s}]}}]\n");
    lab_run(l, 1);
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++) {
            char metric[64];
            snprintf(metric, sizeof metric, "net.reach.%s", strchr(end[b], '.') + 1);
            if (a != b) ck_near(lab_value(l, end[a], metric, "mean"), want[a][b], 0);
        }
    lab_close(l);
}
END_TEST

/* Six tasks behind four ports: two say so at the start and every second after, and are counted. */
START_TEST(ports_run_out_and_say_so)
{
    struct lab *l =
        lab_open(HOST "vms: [{name: n, host: h1, nic: {network: out}, workload: {kind: loop, threads: 6,\n"
                      "       steps: [{net: {send: 1448B, to: web}}, {sleep: 100ms}]}},\n"
                      "      {name: x, host: h1, nic: {network: priv}, workload: {kind: loop, steps: [{net: "
                      "{send: 3000B, to: pc}}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.n", "events.nat-full", "first"), 1, 0);
    ck_near(lab_value(l, "vm.n", "events.nat-full", "total"), 2, 0);
    ck_near(lab_value(l, "vm.n", "net.drops", "total"), 4, 0);
    ck_near(lab_value(l, "network.out", "net.drops", "total"), 4, 0);
    ck_near(lab_value(l, "network.out", "events.nat-full", "total"), 2, 0);
    ck_near(lab_value(l, "network.priv", "events.refused", "total"), 2, 0);
    ck_near(lab_value(l, "network.lan", "events.refused", "total"), 0, 0);
    ck_near(lab_value(l, "vm.n", "net.frames", "total"), 4 * 20, 0);
    ck_near(lab_value(l, "vm.x", "events.refused", "total"), 2, 0);
    ck_near(lab_value(l, "vm.x", "net.drops", "total"), 6, 0);
    lab_close(l);
}
END_TEST

/* A loop's task keeps its connection; each request makes one of its own, which holds its port a while longer:
 * of 10 requests a second, 4 s of holding are 40 ports, and 30 are there. */
START_TEST(a_request_is_a_connection)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: nat\nrun: {duration: 3950ms}\n"
        "hosts: [{name: h1, cpu: {cores: 2}, nics: [{name: eth0, bandwidth: 1Gb/s}]}]\n"
        "networks: [{name: out, kind: nat, nics: [h1/eth0], ports: %d, hold: 4s}]\n"
        "peers: [{name: web, on: outside}]\n"
        "vms: [{name: asks, host: h1, nic: {network: out}, workload: {kind: requests, threads: unlimited, "
        "arrivals: {periodic: 100ms}, steps: [{net: {send: 1kB, to: web}}]}},\n"
        "      {name: keeps, host: h1, nic: {network: out}, workload: {kind: loop, steps: [{net: {send: 1kB, "
        "to: web}}, {sleep: 100ms}]}}]\n",
        _i ? 40 : 30);
    lab_run(l, 1);
    /* One port is the loop's; the 30th request, at 3.0 s, and those after it find none, and try once a
     * second. */
    ck_near(lab_value(l, "vm.asks", "net.frames", "total"), _i ? 39 : 29, 0);
    if (!_i) ck_near(lab_value(l, "vm.asks", "events.nat-full", "first"), 3.0, 0);
    ck_near(lab_value(l, "vm.asks", "events.nat-full", "total"), _i ? 0 : 10, 0);
    ck_near(lab_value(l, "vm.keeps", "net.frames", "total"), 40, 0);
    ck_near(lab_value(l, "vm.keeps", "events.nat-full", "total"), 0, 0);
    lab_close(l);
}
END_TEST

/* A packet's price: the task's own where nothing is between, the host's where a hypervisor is. */
START_TEST(who_pays_for_packets)
{
    static const char *const modes[] = {"bare", "container", "hardware", "binary-translation"};
    struct lab *l = lab_open(
        "vlab: 1\nname: cpu\nrun: {duration: 3s, warmup: 1s}\n"
        "hosts: [{name: h1, cpu: {cores: 2}, nics: [{name: eth0, bandwidth: 1Gb/s, packet_cost: 20us}]}]\n"
        "networks: [{name: lan, kind: bridge, nics: [h1/eth0]}]\npeers: [{name: pc, on: lan}]\n"
        "vms: [{name: v, host: h1, mode: %s, nic: {network: lan}, workload: {kind: loop, steps: [{net: "
        "{send: 1GB, to: pc}}]}}]\n",
        modes[_i]);
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "net.bytes", "rate") * 8e-6, 1448 * 8 / 20., .02);
    ck_near(lab_value(l, "vm.v", "cpu.run", "share"), _i < 2 ? 1 : 0, 1e-9);
    ck_near(lab_value(l, "host.h1", "cpu.hostos", "share"), _i < 2 ? 0 : .5, 1e-9);
    lab_close(l);
}
END_TEST

/* The same seed, the same bytes; and the samples of a run do not disturb it. */
START_TEST(the_same_again)
{
    struct lab *l =
        lab_open(HOST "vms: [{name: a, count: 6, host: h1, nic: {network: lan}, workload: {kind: loop, "
                      "steps: [{net: {send: {exponential: 50kB}, to: pc}}, {sleep: {exponential: 1ms}}]}},\n"
                      "      {name: b, count: 3, host: h1, nic: {network: out}, workload: {kind: loop, "
                      "steps: [{net: {send: {exponential: 50kB}, to: a-0}}, {cpu: {exponential: 1ms}}]}}]\n");
    lab_run(l, 7);
    char *one = lab_text(l);
    lab_run(l, 7);
    char *two = lab_text(l);
    lab_run(l, 8);
    char *other = lab_text(l);
    ck_assert_str_eq(one, two);
    ck_assert_str_ne(one, other);
    free(one);
    free(two);
    free(other);
    lab_close(l);
}
END_TEST

Suite *network_lab_suite(void)
{
    Suite *s = suite_create("network_lab");
    TCase *t = tcase_create("network_lab");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, two_flows_and_one_inside);
    tcase_add_test(t, the_matrix_as_metrics);
    tcase_add_test(t, ports_run_out_and_say_so);
    tcase_add_loop_test(t, a_request_is_a_connection, 0, 2);
    tcase_add_loop_test(t, who_pays_for_packets, 0, 4);
    tcase_add_test(t, the_same_again);
    suite_add_tcase(s, t);
    return s;
}
