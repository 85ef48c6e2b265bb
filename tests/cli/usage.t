# What vlab says to wrong usage, and how it ends: 2.
$ vlab 2>&1 | head -1
usage: vlab COMMAND [ARGUMENT...]
$ vlab >/dev/null 2>&1
[exit 2]
$ vlab nosuch
vlab: there is no command `nosuch` (vlab --help lists them)
[exit 2]
$ vlab rnu scenarios/00-hello.yaml
vlab: there is no command `rnu`; did you mean `run`? (vlab --help lists them)
[exit 2]
$ vlab run
vlab run: which scenario? Name a YAML file (vlab run --help)
[exit 2]
$ vlab run nofile.yaml
nofile.yaml: error: cannot open: No such file or directory
[exit 2]
$ vlab run scenarios
scenarios: error: cannot open: Is a directory
[exit 2]
$ vlab run scenarios/00-hello.yaml scenarios/01-two-vms.yaml
vlab run: one scenario at a time; `scenarios/01-two-vms.yaml` is one too many (vlab run --help)
[exit 2]
$ vlab run scenarios/00-hello.yaml -s abc
vlab run: `abc` is no seed: a whole number from 0 (vlab run --help)
[exit 2]
$ vlab run scenarios/00-hello.yaml -s -1
vlab run: `-1` is no seed: a whole number from 0 (vlab run --help)
[exit 2]
$ vlab run scenarios/00-hello.yaml --wrong
vlab run: what is `--wrong`? (vlab run --help)
[exit 2]
$ vlab run scenarios/00-hello.yaml --backend=nosuch
vlab run: there is no backend `nosuch`; there are sim, kvm and proc (vlab run --help)
[exit 2]
$ vlab run scenarios/00-hello.yaml --set run.seed
scenarios/00-hello.yaml: error: --set wants KEY=VALUE, not `run.seed`
      = for example --set run.duration=10s
[exit 2]
$ vlab run scenarios/00-hello.yaml --set run.durration=5s
scenarios/00-hello.yaml: error: in `--set run.durration=5s`: `run.durration`: unknown key `durration`
      = did you mean `duration`?
[exit 2]
$ vlab run scenarios/00-hello.yaml -o tests
vlab: tests is not empty and not a vlab run directory (it has no manifest.json of ours); it is left alone
[exit 2]
$ vlab check
usage: vlab check SCENARIO...
Reads scenarios and says what is wrong with them. - is standard input.
[exit 2]
$ vlab check nofile.yaml
nofile.yaml: error: cannot open: No such file or directory
[exit 2]
$ vlab plot
vlab plot: which run? Name its directory, such as runs/NAME-SEED
usage: vlab plot RUN [FIGURE] [--ascii]
  RUN      a run directory, as `vlab run` leaves it
  FIGURE   one of its figures (default: all); written as SVG and PNG into RUN/plots
  --ascii  draw on this terminal instead
examples:
  vlab plot runs/two-vms-1                  every figure
  vlab plot runs/two-vms-1 gantt --ascii    who ran when, here
[exit 2]
$ vlab plot nosuch
vlab plot: nosuch is not a vlab run directory (no manifest.json of ours in it)
[exit 2]
$ vlab validate
vlab validate: name one scenario, or --all (vlab validate --help)
[exit 2]
$ vlab validate scenarios/01-two-vms.yaml -r 0
vlab validate: -r wants a number of pairs from 1 to 1000 (vlab validate --help)
[exit 2]
$ vlab kvm nosuch
vlab kvm: there is no `nosuch`
usage: vlab kvm probe | calibrate [--quick] [-o FILE] | baseline [--quick]
  probe      what this machine can do for guests on KVM, and what would make more possible
  calibrate  measures the costs of this machine and writes them as a host profile, which gives the
             simulator the same costs: hosts.profile in a scenario, -p in vlab validate
  baseline   the same work in a guest and in a native process, in turn: what virtualization costs it
examples:
  vlab kvm probe
  vlab kvm calibrate --quick -o here.yaml
[exit 2]
$ vlab completion zsh
usage: vlab completion bash
Prints what bash needs to finish commands, options, keys and figures with the Tab key.
For this shell: source <(./vlab completion bash)    For all: that line, with vlab's path, in ~/.bashrc.
[exit 2]
$ vlab schema more
usage: vlab schema
Prints the JSON Schema of scenarios.
[exit 2]
# Help is no mistake.
$ vlab --help | head -3
usage: vlab COMMAND [ARGUMENT...]

A laboratory of virtualization: one scenario, one workload, one policy; two clocks.
$ vlab run --help | head -1
usage: vlab run SCENARIO [OPTION...]
$ vlab validate -h | head -1
usage: vlab validate SCENARIO [OPTION...]
