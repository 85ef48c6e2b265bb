# Commands and options of later issues, and keys of the grammar that are not modelled yet.
$ vlab batch scenarios/00-hello.yaml --engine=slurm
vlab batch: --engine=slurm: not built yet (vlab batch --help)
[exit 2]
$ vlab top scenarios/00-hello.yaml
vlab: top: not built yet
[exit 2]
$ vlab report runs
vlab: report: not built yet
[exit 2]
$ vlab report runs/a
vlab: report: not built yet
[exit 2]
$ vlab hw new 01
vlab: hw: not built yet
[exit 2]
$ vlab tour
vlab: tour: not built yet
[exit 2]
$ vlab run scenarios/00-hello.yaml --fidelity=fluid
vlab run: --fidelity=fluid: not built yet (vlab run --help)
[exit 2]
$ vlab run scenarios/00-hello.yaml --replay x
vlab run: --replay: not built yet (vlab run --help)
[exit 2]
