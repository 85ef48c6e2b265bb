# What a mode cannot run, and what it says of exits and the host OS.
$ vlab run scenarios/10-paravirtual.yaml --set vms.server.guest=stock
scenarios/10-paravirtual.yaml:26:31: error: `paravirtual` runs a guest whose kernel was ported to the hypervisor; this one is stock
   26 |   vms.server.mode: [hardware, paravirtual]
      |                               ^~~~~~~~~~~
      = write `guest: modified`, if its kernel can be changed
[exit 3]
$ vlab run scenarios/11-type1-type2.yaml -o runs/cli-test/types
type1-type2  SIM  seed 1  20 s, the first 1 s not counted  4 points
A hypervisor on the bare machine, or as a program of a host that has work of its own. What does a VM get beside an idle host, and beside a busy one?

  [1] vm.v.cpu.run.share
  load  type         [1]
    0%     1        100%
    0%     2        100%
   50%     1        100%
   50%     2       50.0%
  ✓ vm.v.cpu.run@hosts.h1.hypervisor.type=2@hosts.h1.hypervisor.load=0% == vm.v.cpu.run@hosts.h1.hypervisor.type=1@hosts.h1.hypervisor.load=0% within 1%
  ✓ vm.v.cpu.run@hosts.h1.hypervisor.type=2@hosts.h1.hypervisor.load=50% == 50% within 1pp
  ✓ vm.v.cpu.run@hosts.h1.hypervisor.type=1@hosts.h1.hypervisor.load=50% >= 99%
  results in runs/cli-test/types (vlab plot runs/cli-test/types)
$ vlab run scenarios/10-exits.yaml -o runs/cli-test/exits | head -13
exits  SIM  seed 1  1 s  5 points
One program, five ways to run its kernel. Which of its events need the hypervisor, and how often?

  [1] vm.prog.exits.io_port.total / vm.prog.work.done.total
  [2] vm.prog.exits.doorbell.total / vm.prog.work.done.total
  [3] vm.prog.exits.page_fault.total / vm.prog.work.done.total
  [4] vm.prog.exits.syscall.total / vm.prog.work.done.total
                mode  nested_paging         [1]         [2]         [3]         [4]
                bare           true           0           0           0           0
            hardware           true        2.00        1.00           0           0
            hardware          false        2.00        1.00        20.0           0
         paravirtual           true        2.00        1.00        20.0           0
  binary-translation           true        2.00        1.00        20.0         100
# Pages of 2 MiB are all in the TLB: walks a miss have no value there, and what has none is not drawn.
$ vlab run scenarios/07-nested-walk.yaml -o runs/cli-test/walk | head -11
nested-walk  SIM  seed 1  0.06 s, the first 0.01 s not counted  6 points
A page walk reads four tables, one after the other. How many does it read in a VM, whose tables lie in memory that is itself virtual?

  [1] vm.db.mem.walkrefs.total / vm.db.mem.tlbmisses.total
  [2] vm.db.mem.tlbmisses.total
  [3] vm.db.cpu.overhead.share
  vms.db.mode  hosts.h1.memory.page         [1]         [2]         [3]
         bare                  4KiB        4.00      1.15 M          0%
         bare                  2MiB           -           0          0%
  paravirtual                  4KiB        4.00      1.15 M          0%
  paravirtual                  2MiB           -           0          0%
$ vlab plot runs/cli-test/walk sweep-1
runs/cli-test/walk/plots/sweep-1.svg
runs/cli-test/walk/plots/sweep-1.png
