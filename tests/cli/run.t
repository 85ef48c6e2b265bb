# The summary of the smallest scenario; without -o results go to runs/NAME-SEED.
$ vlab run scenarios/01-two-vms.yaml -o runs/cli-test/a
two-vms  SIM  seed 1  1.5 s, the first 0.1 s not counted
Two VMs want the same pCPU all the time. Who gets how much, in what pieces, and who waits?

  VM           ran  ready  █ran ▒ready              rate
  one        50.0%  50.0%  ██████████▒▒▒▒▒▒▒▒▒▒    500/s
  two        50.0%  50.0%  ██████████▒▒▒▒▒▒▒▒▒▒    500/s
  host h1: 100% busy, efficiency 100%
  ✓ vm.one.cpu.run == 50% within 1pp
  ✓ vm.two.cpu.run == 50% within 1pp
  ✓ vm.one.slice.p50 == 10ms within 5%
  ✓ vm.one.wait.p50 == 10ms within 5%
  ✓ cluster.fairness >= 0.999
  results in runs/cli-test/a (vlab plot runs/cli-test/a)
$ ls runs/cli-test/a
events.csv
manifest.json
metrics.prom
plots
scenario.yaml
series.csv
summary.csv
# --json is one object on stdout and nothing else there, whatever the verdict.
$ vlab run scenarios/00-hello.yaml -o runs/cli-test/b --json | python3 -c 'import json, sys; d = json.load(sys.stdin); print(*d); print(d["scenario"], d["backend"], d["seed"], {e["verdict"] for e in d["expect"]})'
vlab scenario backend fidelity seed replications duration_s results expect
hello sim 1 {'holds'}
$ vlab run scenarios/00-hello.yaml -o runs/cli-test/b --json 2>/dev/null | python3 -c 'import json, sys; d = json.load(sys.stdin); print([r["value"] for r in d["results"] if (r["entity"], r["metric"], r["stat"]) == ("host.h1", "cpu.util", "share")])'
[1.0]
$ vlab run scenarios/03-time-slicing.yaml -o runs/cli-test/b --json | python3 -c 'import json, sys; d = json.load(sys.stdin); print(sorted({str(r["point"]) for r in d["results"]}))'
["{'hosts.h1.cpu.slice': '100us'}", "{'hosts.h1.cpu.slice': '10ms'}", "{'hosts.h1.cpu.slice': '1ms'}", "{'hosts.h1.cpu.slice': '30ms'}"]
# An expectation that fails is exit 1; --set changes the run, not the file.
$ printf 'vlab: 1\nname: x\nhosts: [{name: h}]\nvms: [{name: v, count: 2, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\nexpect: ["vm.v-0.cpu.run > 60%%"]\n' | vlab run - -o runs/cli-test/c | grep -v results
x  SIM  seed 1  10 s

  VM           ran  ready  █ran ▒ready              rate
  v-0        50.1%  49.9%  ██████████▒▒▒▒▒▒▒▒▒▒    501/s
  v-1        49.9%  50.1%  ██████████▒▒▒▒▒▒▒▒▒▒    499/s
  host h: 100% busy, efficiency 100%
  ✗ vm.v-0.cpu.run > 60%  (vm.v-0.cpu.run is 50.1 %, wanted > 60 %)
$ printf 'vlab: 1\nname: x\nhosts: [{name: h}]\nvms: [{name: v, count: 2, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\nexpect: ["vm.v-0.cpu.run > 60%%"]\n' | vlab run - -o runs/cli-test/c >/dev/null
[exit 1]
$ vlab run scenarios/01-two-vms.yaml -o runs/cli-test/a -s 7 --set run.duration=2s --json | python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["seed"], d["duration_s"])'
7 2.0
# The trace is JSON that a viewer reads.
$ vlab run scenarios/01-two-vms.yaml -o runs/cli-test/a --trace >/dev/null && python3 -c 'import json; d = json.load(open("runs/cli-test/a/trace.json")); print(sorted({e["ph"] for e in d["traceEvents"]}))'
['M', 'X', 'i']
# One seed, one result: all but the manifest is the same bytes.
$ vlab run scenarios/01-two-vms.yaml -o runs/cli-test/d --trace >/dev/null && diff -r -x manifest.json runs/cli-test/a runs/cli-test/d
# The same work in native processes has the same sum, and is labelled.
$ for b in sim proc; do printf 'vlab: 1\nname: x\nrun: {duration: 1s}\nhosts: [{name: h}]\nvms: [{name: v, count: 2, host: h, workload: {kind: loop, steps: [{cpu: {exponential: 300us}}], until: {count: 100}}}]\n' | vlab run - --backend=$b -o runs/cli-test/e --json | python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["backend"], *[int(r["value"]) for r in d["results"] if r["metric"] == "work.checksum"])'; head -n 2 runs/cli-test/e/summary.csv | tail -n 1 | cut -d, -f1-5; done
sim 1244423518767602 1795588494801820
x,sim,,0,1
proc 1244423518767602 1795588494801820
x,proc,,0,1
$ vlab run scenarios/08-clones.yaml --backend=proc -o runs/cli-test/f
vlab: clones: not possible on this backend: hosts.h1.disks.ssd0: native processes have no disks
[exit 3]
