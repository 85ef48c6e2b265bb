# -o replaces a run directory of ours and leaves anything else alone.
$ vlab run scenarios/00-hello.yaml -o runs/cli-test/r >/dev/null && echo mine >runs/cli-test/r/note && vlab run scenarios/01-two-vms.yaml -o runs/cli-test/r >/dev/null && grep name: runs/cli-test/r/scenario.yaml && ls runs/cli-test/r
name: two-vms
  - name: h1
  - name: one
  - name: two
events.csv
manifest.json
metrics.prom
plots
scenario.yaml
series.csv
summary.csv
$ mkdir -p runs/cli-test/other && echo theirs >runs/cli-test/other/file
$ vlab run scenarios/00-hello.yaml -o runs/cli-test/other
vlab: runs/cli-test/other is not empty and not a vlab run directory (it has no manifest.json of ours); it is left alone
[exit 2]
$ cat runs/cli-test/other/file
theirs
$ mkdir -p runs/cli-test/empty && vlab run scenarios/00-hello.yaml -o runs/cli-test/empty >/dev/null && ls runs/cli-test/empty
events.csv
manifest.json
metrics.prom
plots
scenario.yaml
series.csv
summary.csv
$ vlab run scenarios/00-hello.yaml -o runs/cli-test/other/file
vlab: cannot write the results to runs/cli-test/other/file: Not a directory
[exit 2]
# Interrupted before the first run has ended: what was there before is still there, whole.
$ vlab run scenarios/00-hello.yaml -s 5 -o runs/cli-test/i >/dev/null && timeout --preserve-status -s INT 0.3 vlab run scenarios/04-cpu-overcommit.yaml --set run.duration=100h --set run.sample=1h -o runs/cli-test/i >/dev/null 2>&1
[exit 4]
$ sh tests/cli/whole.sh runs/cli-test/i
whole: hello seed 5
# Interrupted between two of thousands of runs: what has run is kept, whole, and said to be a part.
$ timeout --preserve-status -s INT 1 vlab run scenarios/01-two-vms.yaml --set run.replications=10000 --set run.duration=20s -o runs/cli-test/i >/dev/null 2>&1
[exit 4]
$ sh tests/cli/whole.sh runs/cli-test/i
whole: two-vms seed 1
# Killed without a warning: still whole, and the next run sweeps up.
$ timeout --preserve-status -s KILL 0.3 vlab run scenarios/04-cpu-overcommit.yaml --set run.duration=100h --set run.sample=1h -o runs/cli-test/i >/dev/null 2>&1
[exit 137]
$ sh tests/cli/whole.sh runs/cli-test/i
whole: two-vms seed 1
$ vlab run scenarios/00-hello.yaml -o runs/cli-test/i >/dev/null && ls -A runs/cli-test
empty
i
other
r
