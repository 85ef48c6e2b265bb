# A key, a metric, a part of the file, a word that is neither.
$ vlab explain hosts.cpu.slice
hosts.cpu.slice (key)
  How long a vCPU may run before it is another's turn; 0s: the scheduler's own (rr and stride 10ms, credit 30ms, bvt 5ms; cfs at least 750us and eevdf 700us, times 1 + log2 of the pCPUs, at most 4).
  type:    duration (unit: ns us ms s m h d)
  default: 0s
  example: --set hosts.NAME.cpu.slice=30ms
$ vlab explain vms.cpu.weight
vms.cpu.weight (key)
  Its claim on the pCPUs against others': twice the weight is twice the time. Divided among its runnable vCPUs; rr refuses weights.
  type:    whole number
  default: 1000
  range:   1 to 10000
  example: --set vms.NAME.cpu.weight=2000
  host:    cgroup v2 cpu.weight = weight/10, v1 cpu.shares = weight x 1.024; only ratios count, so on KVM vlab multiplies all weights of the host by one whole number, the largest to near cpu.weight 10000 (cpu.shares 102400)
$ vlab explain cpu.ready
cpu.ready (metric)
  Time in which it could run but had no pCPU: contention steal. The switch that ends a wait belongs to it.
  unit:    s
  formula: total: sum over the vCPUs; share: total / (vCPUs x measured time)
  stats:   share total rate (in expect: share where none is written, total against a time)
  on:      vm, vcpu, host
$ vlab explain latency
latency (metric)
  From a request's arrival to its last step.
  unit:    s
  formula: done - arrival
  stats:   mean count p50 p95 p99 max (in expect: mean where none is written)
  on:      vm
  see also the key hosts.disks.latency, hosts.nics.latency, storage.latency, networks.latency
$ vlab explain availability
availability (metric)
  Share of the measured time in which it was up; of a service, in which at least `need` of its VMs were. A VM that boots, is paused, failed or off is not up. Over replications, an interval from fewer than 30 failures is `too few events`, and `expect` is undecided.
  unit:    share, 0 to 1 (100%)
  formula: time up / measured time = 1 - down share; of a group the mean over its members
  stats:   share (in expect: share where none is written)
  on:      vm, service
$ vlab explain energy
energy (metric)
  Electric energy of hosts that state their power.
  unit:    J
  formula: integral of power
  stats:   total rate (in expect: total where none is written)
  on:      host, cluster
$ vlab explain nosuch
vlab explain: there is no key or metric `nosuch`
  did you mean `touch`?
[exit 2]
$ vlab explain | head -3
A scenario is a YAML file of these keys (vlab explain KEY says more; what is below vms is vms.KEY):
  vlab       Version of the format.
  name       Names the scenario, and its folder in runs/.
$ vlab schema | python3 -c 'import json, sys; print(json.load(sys.stdin)["$schema"])'
https://json-schema.org/draft/2020-12/schema
