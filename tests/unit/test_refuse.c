// SPDX-License-Identifier: GPL-3.0-or-later
/* Every refusal of the language, by name and place: what is written, where the caret stands, what is said. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/reading.h"

Suite *refuse_suite(void);

/* Five lines that are right; what follows in a case begins at line 6. */
#define H "vlab: 1\nhosts:\n- name: h\n  cpu: {cores: 2}\n  memory: 4GiB\n"
#define V H "vms:\n- name: a\n" /* at line 8 a key of the VM */
#define W "  workload: {steps: [{cpu: 1ms}]}\n"
#define S V "  workload: {steps: [{cpu: " /* the amount stands at 8:28 */
#define E V W "expect:\n- "               /* the expectation stands at 10:3 */

static const struct refusal refusals[] = {
    /* the file */
    {"", 1, 1, "the file is empty", NULL},
    {"# nothing\n", 1, 1, "the file is empty", NULL},
    {"--- \n", 1, 1, "the file is empty", NULL},
    {"\n\n  hello\n", 1, 1, "one single value", NULL},
    {"\n- a\n- b\n", 1, 1, "the file is a list", NULL},
    {H "---\nvlab: 1\n", 6, 1, "second document", NULL},
    {H "...\n---\nvlab: 1\n", 7, 1, "second document", NULL},
    {"vlab: 1\nname: a\xff\n", 2, 8, "byte 0xFF is not UTF-8", NULL},
    {"vlab: 1\nabout: \"\xc3\xa4\xc3\xa4 \xc3\x28\"\n", 2, 12, "byte 0xC3 is not UTF-8", NULL},
    {"vlab: 1\nabout: \"\xed\xa0\x80\"\n", 2, 9, "not UTF-8", NULL},
    {"\xff\xfev\0l\0", 1, 1, "not UTF-8", NULL},
    {"vlab: 1\nabout: a\x01\n", 2, 9, "U+0001 is not allowed", NULL},
    {"vlab: 1\nabout: \"a\\0b\"\n", 2, 8, "NUL", NULL},
    {"vlab: 1\nhosts:\n\t- name: h\n", 3, 1, "not YAML", "spaces, not tabs"},
    {"vlab: [1\n", 2, 1, "not YAML", NULL},
    {"vlab: !!int 1\n", 1, 7, "tags", NULL},
    {"vlab: 2\n", 1, 7, "out of range", NULL},
    /* keys */
    {H "vmz: []\n", 6, 1, "unknown key `vmz`", "did you mean `vms`?"},
    {V "  cpu.weight: 2\n" W, 8, 3, "unknown key `cpu.weight`", NULL},
    {V "  vcpu: 2\n" W, 8, 3, "unknown key `vcpu`", "did you mean `vcpus`?"},
    {V "  weight: 5\n" W, 8, 3, "unknown key `weight`", "`weight` belongs in `vms.cpu`"},
    {V "  cpu: {wieght: 5}\n" W, 8, 9, "unknown key `wieght`", "did you mean `weight`?"},
    {V "  vcpus: 1\n  vcpus: 2\n" W, 9, 3, "key `vcpus` is here twice", "line 8, column 3"},
    {H "? [a]\n: 1\n", 6, 3, "a key must be a word", NULL},
    {V "  <<: {vcpus: 2}\n" W, 8, 3, "unknown key `<<`", NULL},
    {H "vms: {name: a}\n", 6, 6, "wants a list", "`- `"},
    {H "vms: [a]\n", 6, 7, "wants a map of keys", NULL},
    {H "vms: [{vcpus: 2}]\n", 6, 7, "has no `name`", NULL},
    {H "run:\n", 6, 5, "wants a map of keys", NULL},
    {V "  vcpus:\n" W, 8, 9, "`vcpus` is nothing", NULL},
    {V "  vcpus: [2]\n" W, 8, 10, "`vcpus` is a list", NULL},
    /* cycles, bombs, depth */
    {H "vms: &x [*x]\n", 6, 10, "leads back to itself", NULL},
    {H "vms: [*x]\n", 6, 7, "no anchor", NULL},
    {"a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c "
     "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
     "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: "
     "[*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
     6, 8, "aliases unfold", NULL},
    {"a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", 1, 35, "deeper than 32",
     NULL},
    {"a: &a [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[[*a]]]]]]]]]]]]]\n", 2, 17,
     "deeper than 32", NULL},
    /* units and numbers */
    {H "run: {duration: 10}\n", 6, 17, "`10` has no unit", "`10s` or `10ms`"},
    {H "run: {duration: 10GiB}\n", 6, 17, "`10GiB` is a size; a duration is wanted", NULL},
    {H "run: {duration: 10sec}\n", 6, 17, "is not a unit of a duration", "did you mean `10s`?"},
    {H "run: {duration: 10MS}\n", 6, 17, "is not a unit of a duration", "did you mean `10ms`?"},
    {H "run: {duration: 10 ms}\n", 6, 17, "is not a unit of a duration", "did you mean `10ms`?"},
    {H "run: {duration: -10s}\n", 6, 17, "is negative", NULL},
    {H "run: {duration: 0s}\n", 6, 17, "out of range: at least 1ns", NULL},
    {H "run: {duration: 0.5ns}\n", 6, 17, "finer than a nanosecond", NULL},
    {H "run: {duration: 1.0000000001s}\n", 6, 17, "finer than a nanosecond", NULL},
    {H "run: {duration: 9223372036854775808ns}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: 9223372036854776us}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: 9223372036855ms}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: 9223372037s}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: 153722868m}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: 2562048h}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: 106752d}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: 1e999999999d}\n", 6, 17, "over 292 years", NULL},
    {H "run: {duration: .nan}\n", 6, 17, "is not a duration", NULL},
    {H "run: {duration: .inf}\n", 6, 17, "is not a duration", NULL},
    {H "run: {duration: nans}\n", 6, 17, "is not a duration", NULL},
    {V "  memory: 4G\n" W, 8, 11, "does not say which unit", "`4GiB` (binary) or `4GB` (decimal)"},
    {V "  memory: {size: 4k}\n" W, 8, 18, "does not say which unit", "`4KiB` (binary) or `4kB` (decimal)"},
    {V "  memory: 0.5B\n" W, 8, 11, "not a whole number of bytes", NULL},
    {V "  memory: 8388608TiB\n" W, 8, 11, "too large", NULL},
    {V "  memory: 8589934592GiB\n" W, 8, 11, "too large", NULL},
    {V "  memory: 9223372036855MB\n" W, 8, 11, "too large", NULL},
    {V "  memory: 4Gib\n" W, 8, 11, "is not a unit of a size", "did you mean `4GiB`?"},
    {V "  cpu: {limit: 0.8}\n" W, 8, 16, "has no unit", "`0.8%`"},
    {V "  cpu: {limit: 1e18%}\n" W, 8, 16, "too large", NULL},
    {V "  cpu: {limit: -5%}\n" W, 8, 16, "negative", NULL},
    {V "  cpu: {weight: 0}\n" W, 8, 17, "out of range: 1 to 10000", NULL},
    {V "  cpu: {weight: 10001}\n" W, 8, 17, "out of range: 1 to 10000", NULL},
    {V "  cpu: {weight: 1.5}\n" W, 8, 17, "not a whole number", NULL},
    {V "  cpu: {weight: \"5\"}\n" W, 8, 17, "in quotes is text", "leave the quotes out"},
    {V "  vcpus: 18446744073709551617\n" W, 8, 10, "too large", NULL},
    {V "  vcpus: two\n" W, 8, 10, "`two` is not a whole number", NULL},
    {"hosts: [{name: h, cpu: {speed: .nan}}]\n", 1, 32, "is not a number", NULL},
    {"hosts: [{name: h, cpu: {speed: 0}}]\n", 1, 32, "out of range", NULL},
    {"hosts: [{name: h, cpu: {balance: {idle: on}}}]\n", 1, 41, "true or false, not `on`", "write `true`"},
    {"hosts: [{name: h, cpu: {scheduler: no}}]\n", 1, 36, "`no` is not known", NULL},
    {"hosts: [{name: h, cpu: {scheduler: crdit}}]\n", 1, 36, "`crdit` is not known",
     "did you mean `credit`?"},
    /* names */
    {H "name: 9lives\n", 6, 7, "is not a name", "begins with a letter"},
    {H "vms: [{name: a.b}]\n", 6, 14, "is not a name", NULL},
    {H "vms: [{name: a123456789012345678901234567890123456789012345678901234567890123}]\n", 6, 14,
     "is not a name", NULL},
    {H "vms:\n- name: a\n- name: a\n", 8, 9, "the name `a` is there twice", "line 7, column 9"},
    {H "vms:\n- {name: a, count: 2}\n- name: a-1\n", 8, 9, "the name `a-1` is there twice", NULL},
    {H "vms:\n- {name: a, count: 0}\n- {name: a, count: 0}\n", 8, 10, "the name `a` is there twice", NULL},
    {"hosts: [{name: h}, {name: h}]\n", 1, 27, "the name `h` is there twice", NULL},
    /* what cannot be */
    {H "vms:\n- name: a\n  host: g\n", 8, 9, "there is no host `g`", "there is only `h`"},
    {"hosts: [{name: h, count: 2}]\nvms: [{name: a, host: h}]\n", 2, 23, "there is no host `h`", "`h-0`"},
    {"hosts: [{name: g}, {name: h}]\nvms: [{name: a}]\n", 2, 7, "`host` is missing", NULL},
    {"vms: [{name: a}]\n", 1, 7, "no host for this VM", NULL},
    {V "  cpu: {pin: [0, 2]}\n" W, 8, 18, "there is no pCPU 2 on host `h`", "from 0 to 1"},
    {V "  cpu: {pin: []}\n" W, 8, 14, "could never run", NULL},
    {V "  cpu: {pin: [1, 1]}\n" W, 8, 18, "twice", NULL},
    {V "  cpu: {pin: [-1]}\n" W, 8, 15, "negative", NULL},
    {V "  cpu: {limit: 101%}\n" W, 8, 16, "can run 100% at most", NULL},
    {V "  cpu: {limit: 50%, reservation: 60%}\n" W, 8, 34, "its own limit", NULL},
    {V "  vcpus: 3\n  cpu: {reservation: 201%}\n" W, 9, 22, "come to 201%; it has 200%", NULL},
    {V "  vcpus: 2\n  cpu: {pin: [0], reservation: 150%}\n" W, 9, 32, "more than the 1 pCPU it is pinned to",
     NULL},
    {V "  count: 3\n  cpu: {reservation: 80%}\n" W, 9, 22, "come to 240%; it has 200%", NULL},
    {V "  memory: 5GiB\n" W, 8, 11, "has 4GiB of memory; its VMs want more", NULL},
    {V "  memory: {size: 1GiB}\n  count: 5\n" W, 8, 18, "its VMs want more", NULL},
    {"hosts: [{name: h, cpu: {scheduler: rr}}]\nvms: [{name: a, cpu: {weight: 500}}]\n", 2, 31,
     "`rr` takes no weights", "stride"},
    {"hosts: [{name: h, cpu: {scheduler: cfs, credit: {debit: tick}}}]\n", 1, 41,
     "`credit` is for the scheduler credit", NULL},
    {H "run: {duration: 5s, warmup: 5s}\n", 6, 29, "leaves nothing", NULL},
    {H "run: {duration: 1000d, sample: 1ms}\n", 6, 32, "more than a million samples", NULL},
    {V "  count: 9\n  start: {at: 1s, every: 50000d}\n" W, 9, 26, "after more than 292 years", NULL},
    {H "vms:\n- {name: a, count: 100001}\n", 7, 20, "out of range", NULL},
    /* workloads */
    {S "0ms}]}\n", 8, 28, "a step of zero time", NULL},
    {S "{exponential: 0s}}]}\n", 8, 42, "always zero", NULL},
    {S "{uniform: [0s, 0s]}}]}\n", 8, 38, "always zero", NULL},
    {S "{uniform: [2s, 1s]}}]}\n", 8, 38, "above the second", NULL},
    {S "{uniform: 2s}}]}\n", 8, 38, "two parameters: [a, b]", NULL},
    {S "{pareto: [1ms, 0]}}]}\n", 8, 43, "must be over 0", NULL},
    {S "{hyperexponential: [1ms, 0.5]}}]}\n", 8, 53, "1 or more", NULL},
    {S "{erlang: [1ms, 0]}}]}\n", 8, 43, "stages", NULL},
    {S "{weibull: [1ms, .nan]}}]}\n", 8, 44, "is not a number", NULL},
    {S "{expnential: 2ms}}]}\n", 8, 29, "is not a distribution", "did you mean `exponential`?"},
    {S "{exponential: 2ms, uniform: [1ms, 2ms]}}]}\n", 8, 28, "one key", NULL},
    {S "{empirical: /nowhere/at/all}}]}\n", 8, 40, "cannot open `/nowhere/at/all`", NULL},
    {S "{sequence: -}}]}\n", 8, 39, "standard input", NULL},
    {S "1ms, busy: 1ms}]}\n", 8, 22, "one kind", NULL},
    {S "1ms, probability: 0.5}]}\n", 8, 21, "a loop that can take no time", "probability"},
    {S "1ms, probability: 1.5}]}\n", 8, 46, "out of range: 0 to 1", NULL},
    {V "  workload: {steps: []}\n", 8, 21, "at least one step", NULL},
    {V "  workload: {steps: [{probability: 1}]}\n", 8, 22, "needs a kind", NULL},
    {V "  workload: {kind: loop}\n", 8, 13, "needs `steps`", NULL},
    {V "  workload: {clients: 3, steps: [{cpu: 1ms}]}\n", 8, 14, "is for requests", "kind: requests"},
    {V "  workload: {threads: unlimited, steps: [{cpu: 1ms}]}\n", 8, 23, "`unlimited` is for requests", NULL},
    {V "  workload: {kind: requests, steps: [{cpu: 1ms}]}\n", 8, 13, "`arrivals` or `clients` is missing",
     NULL},
    {V "  workload: {kind: requests, clients: 1, arrivals: {periodic: 1s}, steps: [{cpu: 1ms}]}\n", 8, 30,
     "not both", NULL},
    {V "  workload: {kind: requests, arrivals: {periodic: 0s}, steps: [{cpu: 1ms}]}\n", 8, 51, "out of range",
     NULL},
    {V "  workload: {kind: requests, arrivals: {poisson: 0/s}, steps: [{cpu: 1ms}]}\n", 8, 50, "out of range",
     NULL},
    {V "  workload: {kind: requests, arrivals: {poisson: 400}, steps: [{cpu: 1ms}]}\n", 8, 50, "has no unit",
     "`400/s`"},
    {V "  workload: {kind: requests, arrivals: {periodic: 1s, poisson: 1/s}, steps: [{cpu: 1ms}]}\n", 8, 40,
     "exactly one", NULL},
    {V "  workload: {kind: requests, arrivals: {periodic: 1s}, think: 1s, steps: [{cpu: 1ms}]}\n", 8, 56,
     "what `clients` do", NULL},
    {V "  workload: {kind: requests, arrivals: {sequence: [{periodic: 1s}, {periodic: 2s}]}, steps: [{cpu: "
       "1ms}]}\n",
     8, 52, "the next one never comes", NULL},
    {V "  workload: {kind: requests, clients: 2, steps: [{cpu: 1ms, probability: 0.5}]}\n", 8, 49,
     "a loop that can take no time", NULL},
    {V "  workload: {kind: requests, clients: 3, queue: 1, steps: [{cpu: 1ms}]}\n", 8, 49,
     "ask again at once", "room for the 2"},
    /* not built yet */
    {H "events: [{at: 1s, pause: a}]\n", 6, 26, "there is no VM `a`", NULL},
    {V "  workload: {kind: requests, clients: 1, queue: shared, steps: [{cpu: 1ms}]}\n", 8, 49,
     "a shared queue has one stream of arrivals", NULL},
    {V "  workload: {queue: shared, steps: [{cpu: 1ms}]}\n", 8, 14, "`queue` is for requests",
     "kind: requests"},
    {H "run: {fidelity: fluid}\n", 6, 17, "`fidelity: fluid` is not supported yet", NULL},
    {"hosts: [{name: h, profile: moden}]\n", 1, 28, "cannot open `moden`", "built in"},
    /* sweeps */
    {V W "sweep: {vms.b.vcpus: [1]}\n", 9, 9, "there is none called `b`", NULL},
    {V W "sweep: {vms.a.vcpu: [1]}\n", 9, 9, "unknown key `vcpu`", "did you mean `vcpus`?"},
    {V W "sweep: {vms.a.vcpus: []}\n", 9, 22, "has no value", NULL},
    {V W "sweep: {vms.a.vcpus: 1}\n", 9, 22, "wants a list", NULL},
    {V W "sweep: {vms.a.workload.steps.1.cpu: [1ms]}\n", 9, 9, "there is no member `1`", "counted from 0"},
    {V W "sweep: {vms.a.name: [b]}\n", 9, 9, "cannot be set", NULL},
    {V W "sweep: {vms: [[]]}\n", 9, 9, "cannot be set", NULL},
    {V W "sweep: {vms.a.kernel: [k]}\n", 9, 24, "only containers share a kernel", "mode: container"},
    {V W "sweep: {vms.a.vcpus.x: [1]}\n", 9, 9, "nothing lies below", NULL},
    {V W "sweep: {zip: {run.seed: [1, 2], vms.a.vcpus: [1]}}\n", 9, 46, "of one length", NULL},
    {V W "sweep: {run.seed: [1], zip: {run.seed: [1]}}\n", 9, 30, "swept twice", NULL},
    {V W "sweep: {vms.a.vcpus: [1, 2000]}\n", 9, 26, "out of range", NULL},
    {V W "sweep: {..: [1]}\n", 9, 9, "is not the path of a key", NULL},
    {V W "sweep: [1]\n", 9, 8, "wants a map", NULL},
    /* expectations */
    {E "vm.a.latncy.p99 < 5ms\n", 10, 8, "there is no metric `latncy.p99`", "did you mean `latency`?"},
    {E "vm.a.latency.p98 < 5ms\n", 10, 16, "has no stat `p98`", "mean count p50"},
    {E "vm.b.latency.p99 < 5ms\n", 10, 6, "there is no VM `b`", NULL},
    {E "host.g.cpu.util < 50%\n", 10, 8, "there is no host `g`", NULL},
    {E "vm.a.vcpu1.cpu.run < 50%\n", 10, 8, "has 1 vCPU", NULL},
    {E "host.h.latency < 50ms\n", 10, 10, "not measured on this kind of entity", "it is on: vm"},
    {E "vmm.a.latency < 5ms\n", 10, 3, "is not a kind of entity", "did you mean `vm`?"},
    {E "vm.a < 5ms\n", 10, 3, "names no metric", NULL},
    {E "service.s.availability < 5%\n", 10, 11, "there is no service `s`", NULL},
    {E "storage.s.disk.ops < 5\n", 10, 11, "there is no store `s`", NULL},
    {E "host.h.disk.ssd0.disk.ops < 5\n", 10, 15, "host `h` has no disk `ssd0`", NULL},
    {E "host.h.disk.ops < 5\n", 10, 3, "names no metric", "`host.h.disk.NAME.METRIC`"},
    {E "network.n.net.drops < 5\n", 10, 11, "there is no network `n`", NULL},
    {E "peer.p.net.bytes < 5B\n", 10, 8, "there is no peer `p`", NULL},
    {E "vm.a.exits.io_prt < 5\n", 10, 8, "there is no metric `exits.io_prt`",
     "did you mean `exits.io_port`?"},
    {E "vm.a.exits.REASON < 5\n", 10, 8, "there is no metric", NULL},
    {E "vm.a.events.KIND < 5\n", 10, 8, "there is no metric", NULL},
    {E "vm.a.net.reach.b == 1\n", 10, 18, "there is no VM or peer `b`", NULL},
    {E "vm.a.mem.swapin.rate < 5Mb\n", 10, 26, "is not a unit", NULL},
    {E "vm.a.mem.swapin.rate < 5MB\n", 10, 3, "the units differ: a bandwidth and a size", NULL},
    {E "vm.a.disk.util < 5%\n", 10, 8, "not measured on this kind of entity", "it is on: disk, storage"},
    {E "vm.a.latency.p99 < 50%\n", 10, 3, "the units differ: a time and a plain number or share", NULL},
    {E "vm.a.latency.p99 < 5\n", 10, 3, "the units differ", "give the number its unit"},
    {E "vm.a.latency.p99 + vm.a.throughput < 5ms\n", 10, 3, "the units differ", NULL},
    {E "vm.a.latency.p99 == 5ms within 1pp\n", 10, 34, "the units differ", NULL},
    {E "vm.a.latency.p99 = 5ms\n", 10, 20, "one of < <= == >= >", "did you mean `==`?"},
    {E "vm.a.latency.p99 != 5ms\n", 10, 20, "one of < <= == >= >", NULL},
    {E "vm.a.latency.p99\n", 10, 19, "one of < <= == >= >", NULL},
    {E "vm.a.latency.p99 <\n", 10, 21, "the line ends", NULL},
    {E "vm.a.latency.p99 < 5ms < 6ms\n", 10, 26, "does not belong", "one comparison"},
    {E "(vm.a.latency.p99 < 5ms\n", 10, 21, "`)` is missing", NULL},
    {E "vm.*.cpu.run < 5%\n", 10, 3, "a pattern stands for several", NULL},
    {E "sum(vm.b-*.cpu.run) < 5%\n", 10, 10, "there is no VM `b-*`", NULL},
    {E "vm.a.latency.p99 < 5GX\n", 10, 22, "is not a unit", NULL},
    {E "vm.a.latency.p99 < 5ms@run.seed=1\n", 10, 25, "does not belong", NULL},
    {E "vm.a.work.done@run.seed=1 < 5\n", 10, 18, "`run.seed` is not swept", NULL},
    {V W "sweep: {run.seed: [1, 2]}\nexpect:\n- vm.a.work.done@run.seed=3 < 5\n", 11, 18,
     "no point where run.seed is `3`", NULL},
    {V "  count: 2\n" W "expect: [vm.a.cpu.run < 5%]\n", 10, 13, "there is no VM `a`", "`vm.a-*`"},
    {V W "sweep: {vms.a.count: [2, 1]}\nexpect: [vm.a-1.cpu.run < 5%]\n", 10, 13,
     "there is no VM `a-1` at vms.a.count=1", NULL},
    /* expectations that no run can break */
    {E "1 < 2\n", 10, 3, "nothing in it is measured", NULL},
    {E "vm.a.cpu.run == vm.a.cpu.run\n", 10, 3, "both sides are the same thing", NULL},
    {E "vm.a.cpu.run <= vm.a.cpu.run + 1%\n", 10, 3, "both sides are the same thing", NULL},
    {E "vm.a.cpu.run >= 0%\n", 10, 3, "it holds whatever is measured", NULL},
    {E "vm.a.cpu.run <= 100%\n", 10, 3, "it holds whatever is measured", NULL},
    {E "vm.a.cpu.run < 100.1%\n", 10, 3, "it holds whatever is measured", NULL},
    {E "vm.a.work.done >= 0\n", 10, 3, "it holds whatever is measured", NULL},
    {E "vm.a.work.done > -1\n", 10, 3, "it holds whatever is measured", NULL},
    {E "vm.a.work.done * 0.9 <= vm.a.work.done\n", 10, 3, "it holds whatever is measured", NULL},
    {E "max(vm.*.cpu.run) <= 1\n", 10, 3, "it holds whatever is measured", NULL},
    {E "vm.a.cpu.run == 50% within 50pp\n", 10, 3, "its tolerance takes in everything", NULL},
    {E "vm.a.cpu.run == 60% within 100%\n", 10, 3, "its tolerance takes in everything", NULL},
    {E "vm.a.cpu.run < 50% within 51pp\n", 10, 3, "its tolerance takes in everything", NULL},
};

START_TEST(is_refused_at_its_place)
{
    ck_text_refused(&refusals[_i]);
}
END_TEST

/* What looks much like the above and is right. */
static const char *const accepted[] = {
    H,
    V W,
    V "  count: 0\n" W,
    V "  memory: 4GiB\n" W,
    V "  cpu: {reservation: 100%, limit: 100%, pin: [1]}\n" W,
    H "about: &x 5\nname: nope\n",
    S "{normal: [0ms, 1ms]}}]}\n",
    S "{uniform: [0s, 1s]}}]}\n",
    S "{exponential: 2ms}}]}\n",
    S "1ms, probability: 0.5}, {sleep: 2.5ms}]}\n",
    H "run: {duration: 9223372036854775807ns, sample: 1000h}\n",
    H "run: {duration: 106751d, warmup: 1e3us, sample: 1d}\n",
    H "run: 5s\n",
    "hosts: [{name: h, cpu: {scheduler: rr}}]\nvms: [{name: a, cpu: {weight: 1000}}]\n",
    "hosts: [{name: h, count: 1}]\nvms: [{name: a, count: 1, host: h}]\nexpect: [\"vm.a.cpu.run < 5%\"]\n",
    H "vms: [{name: off, host: h, draws: no}]\n",
    E "vm.a.cpu.run < 100%\n",
    E "vm.a.cpu.run == 50% within 49pp\n",
    E "vm.a.cpu.run == 50% within 99%\n",
    E "vm.a.cpu.run > 3s\n",
    E "vm.a.cpu.run.total / 2 > 3s * 2 - 1s\n",
    E "vm.a.work.done > 0\n",
    E "host.h.pcpu1.cpu.idle > 0.5\n",
    E "vm.a.events.finished.first < 3s\n",
    E "cluster.unserved < 5%\n",
    E "vm.a.vcpu0.wait.p99 < 1e3us\n",
    E "vm.a.mem.swapin.rate < 5MB/s\n",
    E "vm.a.mem.swapin / 2s < 5Mb/s\n",
    E "vm.a.net.reach.a == 1\n",
    E "vm.a.exits.io_port.rate < 5/s\n",
    V W "sweep: {vms.a.count: [0, 3]}\nexpect: [\"vm.a-2.work.done@vms.a.count=3 > 5\", "
        "\"max(vm.a-*.cpu.run) < 50%\"]\n",
    V W "sweep: {run.seed: [1, 2]}\nexpect: [\"vm.a.work.done >= 0.9 * vm.a.work.done@run.seed=1\"]\n",
};

START_TEST(is_accepted)
{
    ck_text_accepted(accepted[_i]);
}
END_TEST

START_TEST(twenty_are_kept_and_the_rest_counted)
{
    char text[4000] = "vlab: 1\n";
    for (int i = 0; i < 27; i++)
        sprintf(text + strlen(text), "wrong%d: 1\n", i);
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_parse("many.yaml", text, strlen(text), &d);
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_null(scenario_at(f, 0, &d));
    ck_assert_uint_eq(d.n, DIAG_MAX);
    ck_assert_uint_eq(d.lost, 7);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_is_a_usage_error)
{
    struct diag d;
    diag_init(&d);
    ck_assert_ptr_null(scenario_open("/nowhere/at/all.yaml", &d));
    ck_assert(d.usage && d.n == 1);
    diag_done(&d);
    diag_init(&d);
    ck_assert_ptr_null(scenario_open("/", &d));
    ck_assert(d.usage && d.n == 1);
    diag_done(&d);
}
END_TEST

Suite *refuse_suite(void)
{
    Suite *s = suite_create("refuse");
    TCase *t = tcase_create("refuse");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, is_refused_at_its_place, 0, (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_loop_test(t, is_accepted, 0, (int)(sizeof accepted / sizeof accepted[0]));
    tcase_add_test(t, twenty_are_kept_and_the_rest_counted);
    tcase_add_test(t, a_file_that_cannot_be_opened_is_a_usage_error);
    suite_add_tcase(s, t);
    return s;
}
