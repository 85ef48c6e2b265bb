# What a newcomer types first, and what is not there yet.
$ vlab --version
vlab 0.1.0
$ vlab --help
usage: vlab COMMAND [ARGUMENT...]

A laboratory of virtualization: one scenario, one workload, one policy; two clocks.

  run         run a scenario, simulated or on KVM guests; print a summary, keep everything in runs/
  batch       every point and replication of a scenario, on all cores; resumes after a kill
  compare     lay runs side by side, and say what between them is more than luck
  validate    run a scenario both ways in turn and lay the numbers side by side
  plot        draw the figures of a run as SVG and PNG, or in the terminal (--ascii)
  check       read scenarios and say what is wrong and where, without running them
  explain     what a key or a metric means, its unit, range, default and an example
  schema      print the JSON Schema of scenarios, for editors
  kvm         probe: what this machine can do; calibrate: measure what it costs
  doctor      what this machine has, what is missing, and the remedy
  completion  make the Tab key work: source <(vlab completion bash)

not built yet: top report hw tour

examples:
  vlab run scenarios/01-two-vms.yaml                  simulated
  vlab run scenarios/01-two-vms.yaml --backend=kvm    on real guests of this machine
  vlab validate scenarios/01-two-vms.yaml             both, compared
  vlab explain vms.cpu.weight                         any key, any metric

vlab COMMAND --help tells more; scenarios/README.md lists the scenarios by their questions.
Exit: 0 ok, 1 an expectation failed, 2 usage, 3 the scenario is invalid, 4 the run failed,
77 this machine cannot do it.
$ vlab run
vlab run: which scenario? Name a YAML file (vlab run --help)
[exit 2]
$ vlab rnu x
vlab: there is no command `rnu`; did you mean `run`? (vlab --help lists them)
[exit 2]
$ vlab top scenarios/00-hello.yaml
vlab: top: not built yet
[exit 2]
$ vlab run scenarios/00-hello.yaml --fidelity=fluid
vlab run: --fidelity=fluid: not built yet (vlab run --help)
[exit 2]
$ vlab explain events
Things that happen. Each is a metric of every entity, with the stats total (how often), first and last
(when, in s): vm.db.events.lost.total. Those that are told one by one are in events.csv.
  events.started      A VM was powered on.
  events.finished     A VM's workload reached its `until` count.
  events.fault        A guest access outside what it may reach was refused and ended that guest.
  events.killed       A VM was ended from outside.
  events.throttle     A vCPU used up its CPU limit before the period was over.
  events.lost         A request found the queue full and was turned away.
  events.moved        A vCPU was moved to another pCPU of its host.
  events.oom          The host was out of memory and ended a VM.
  events.mem-state    The host's free memory entered another state: 0 high, 1 soft, 2 hard, 3 low.
  events.pool-alarm   A thin pool passed 80 % of its size.
  events.pool-full    A write found its thin pool full and waits for room.
  events.pool-room    A full thin pool has room again: its writers go on.
  events.refused      A send has no way to its receiver, or a VM may not be migrated there.
  events.nat-full     A new connection found every port of its nat taken.
  events.defined      A VM has come to be.
  events.booted       A VM has booted and is up; value: ns since it was powered on.
  events.paused       A VM was stopped where it was.
  events.resumed      A paused VM goes on.
  events.stopped      A VM was shut down in order.
  events.destroyed    A VM is gone for good, and its disks with it.
  events.cloned       Another VM was made of this one.
  events.snapshot     A snapshot of a VM's disks was taken; value: its number.
  events.failed       A VM, host, device, network or rack failed.
  events.repaired     What had failed is back.
  events.aborted      Requests inside a VM were lost with it; value: how many.
  events.dirty-lost   Bytes that were written but not flushed were lost; value: bytes.
  events.detected     The manager has found that a host or VM failed.
  events.restarted    High availability starts a VM again.
  events.stranded     A VM is to start again and no host has room; it is tried again.
  events.rejected     A VM that was asked for was turned away.
  events.left         A VM's lifetime is over.
  events.migrating    A migration begins; value: the number of the host it goes to.
  events.migrated     A migration is over; value: ns of downtime.
  events.diverged     A VM writes its memory faster than it can be sent; value: the round.
  events.cancelled    A migration was given up; the VM goes on where it was.
  events.drained      A host that is being drained has no VM left.
  events.on           A host was switched on.
  events.off          A host was switched off.
  events.set          A setting was changed while running; value: to what.
  events.grown        A pool has become larger; value: by how many bytes.
  events.scaled-out   Autoscaling started VMs; value: how many.
  events.scaled-in    Autoscaling stopped VMs; value: how many.
  events.inspected    A host administrator read a VM's memory; value: bytes of secrets found.

events (key)
  What is done while it runs: a list of maps, each with a time and one verb.
  type:    list of maps
  default: none
  keys:
    at                 When.
    every              Again each such time, from `at` on, or from the first one.
    when               Only at sweep points where that key has that value.
    fail               Fails: a VM, host, HOST/DISK, HOST/NIC, HOST/vmm/NAME, kernel, network, storage, rack, or HOST/DISK/pool.
    for                How long the failure lasts.
    repair             Ends all failures of the target, and a host's draining.
    set                Changes a key: vms.NAME.cpu.weight, .limit or .reservation, vms.NAME.migrate.dirty.rate, hosts.NAME.cpu.speed.
    to                 set: the value; migrate: the host.
    migrate            Moves a VM, while it runs.
    clone              Makes another VM of this one.
    as                 The clone's name.
    kind               Of a clone's disks: copies, or linked, which share what they do not write.
    grow               Enlarges a thin pool.
    by                 How much.
    drain              Moves all VMs of a host elsewhere, one after the other; it takes no more until `repair`.
    add                A VM comes, as a member of `vms`.
    inspect            The host's administrator reads a VM's memory.
    pause              Stops a VM where it is.
    resume             It goes on.
    start              Powers a VM on that is off or has failed.
    stop               Shuts a VM down: it serves what is inside, writes back, and is off.
    unplug             Cuts a VM's power: what was not flushed is lost.
    destroy            A VM is gone for good, and its disks with it.
    snapshot           A snapshot of a VM's disks is taken.
$ vlab explain vm.db.latency.p99
latency (metric)
  From a request's arrival to its last step.
  unit:    s
  formula: done - arrival
  stats:   mean count p50 p95 p99 max (in expect: mean where none is written)
  on:      vm
$ vlab explain vms.cpu.limit
vms.cpu.limit (key)
  The most it may run, even on an idle host: 100% is one pCPU, v vCPUs may have up to v x 100%.
  type:    share in % or none (unit: %)
  default: none
  range:   0.1% to 102400%
  example: --set 'vms.NAME.cpu.limit=25%'
  host:    cgroup v2 cpu.max, v1 cpu.cfs_quota_us: limit x period of CPU time in each period
$ vlab explain vms.cpu.wieght
vlab explain: there is no key or metric `vms.cpu.wieght`
  did you mean `vms.cpu.weight`?
[exit 2]
$ vlab run scenarios/00-hello.yaml -o runs/cli-test --per-entity | tail -n 1
  results in runs/cli-test (vlab plot runs/cli-test)
$ ls runs/cli-test
entities.csv
events.csv
manifest.json
metrics.prom
plots
scenario.yaml
series.csv
summary.csv
$ cut -d, -f6 runs/cli-test/entities.csv | sort -u
entity
host.h1
host.h1.pcpu0
host.h1.pcpu1
vm.first
vm.first.vcpu0
vm.second
vm.second.vcpu0
