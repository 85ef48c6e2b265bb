# Mistakes in a scenario: file, line, column, the line itself and what to write instead. Exit 3, and nothing runs.
$ printf 'vlab: 1\nname: x\nhosts: [{name: h, cpu: {cors: 2}, memory: 4G}]\nvms: [{name: v, host: g}]\n' | vlab check -
<stdin>:3:25: error: unknown key `cors`
    3 | hosts: [{name: h, cpu: {cors: 2}, memory: 4G}]
      |                         ^~~~
      = did you mean `cores`?
<stdin>:3:43: error: `4G` does not say which unit
    3 | hosts: [{name: h, cpu: {cors: 2}, memory: 4G}]
      |                                           ^~
      = write `4GiB` (binary) or `4GB` (decimal)
<stdin>:4:23: error: there is no host `g`
    4 | vms: [{name: v, host: g}]
      |                       ^
      = there is only `h`
[exit 3]
$ printf 'vlab: 1\nname: x\nhosts: [{name: h}]\nhosts: [{name: i}]\n' | vlab check -
<stdin>:4:1: error: key `hosts` is here twice
    4 | hosts: [{name: i}]
      | ^~~~~
      = the first is at line 3, column 1
[exit 3]
$ printf 'vlab: 1\nname: x\nrun: {duration: -1s, seed: 1.5}\nhosts: [{name: h}]\nvms: [{name: v, host: h, vcpus: 0}]\n' | vlab check -
<stdin>:3:17: error: `-1s` is negative
    3 | run: {duration: -1s, seed: 1.5}
      |                 ^~~
<stdin>:3:28: error: `1.5` is not a whole number
    3 | run: {duration: -1s, seed: 1.5}
      |                            ^~~
<stdin>:5:33: error: `vcpus: 0` is out of range: 1 to 1024
    5 | vms: [{name: v, host: h, vcpus: 0}]
      |                                 ^
[exit 3]
$ printf 'vlab: 1\nname: x\nhosts: [{name: h, cpu: {cores: 2}}]\nvms: [{name: v, host: h, cpu: {pin: [0, 2]}}]\n' | vlab run - -o runs/cli-test/never
<stdin>:4:41: error: there is no pCPU 2 on host `h`
    4 | vms: [{name: v, host: h, cpu: {pin: [0, 2]}}]
      |                                         ^
      = it has 2, from 0 to 1
[exit 3]
$ test ! -e runs/cli-test/never
$ printf '' | vlab check -
<stdin>:1:1: error: the file is empty; a scenario is a map of keys
    1 | 
      | ^
[exit 3]
$ printf '\377\n' | vlab check -
<stdin>:1:1: error: byte 0xFF is not UTF-8
    1 | \xFF
      | ^~~~
[exit 3]
$ printf 'a: &a [*a]\n' | vlab check -
<stdin>:1:8: error: alias `*a` leads back to itself
    1 | a: &a [*a]
      |        ^~
[exit 3]
$ vlab check scenarios/00-hello.yaml scenarios/01-two-vms.yaml
scenarios/00-hello.yaml: ok, 1 host, 2 VMs, 1 expectation
scenarios/01-two-vms.yaml: ok, 1 host, 2 VMs, 5 expectations
$ vlab check scenarios/00-hello.yaml nofile.yaml
nofile.yaml: error: cannot open: No such file or directory
scenarios/00-hello.yaml: ok, 1 host, 2 VMs, 1 expectation
[exit 2]
