// SPDX-License-Identifier: GPL-3.0-or-later
/* keys_table.h - the rows of keys.h, in the order in which a scenario is written; keys.c alone reads it. */
#ifndef VLAB_SCENARIO_KEYS_TABLE_H
#define VLAB_SCENARIO_KEYS_TABLE_H

#include "scenario/keys.h"

#define ANY       .lo = 0, .hi = INT64_MAX
#define IN(l, h)  .lo = l, .hi = h
#define US(n) (INT64_C(1000) * (n))
#define MS(n) (INT64_C(1000000) * (n))
#define SEC(n) (INT64_C(1000000000) * (n))
#define PCT(n) (INT64_C(10000) * (n))
/* A key of the grammar that is not built yet. */
#define LATER(p, t, part, text) {.path = p, .type = t, .later = part, .hi = INT64_MAX, .about = text}
#define LATER_KEY(p, part, text) LATER(p, KEY_TEXT, part, text)
/* path, type, default, range */
#define KEY(p, t, d, ...) {.path = p, .type = t, .def = d, __VA_ARGS__}

static const struct key keys_table[] = {
    KEY("vlab", KEY_COUNT, "1", IN(1, 1), .about = "Version of the format."),
    KEY("name", KEY_NAME, NULL, ANY, .def_text = "the file's name", .about = "Names the scenario, and its folder in runs/."),
    KEY("about", KEY_TEXT, "", ANY, .about = "What it shows, or the question it asks."),

    KEY("run", KEY_MAP, NULL, ANY, .main = "duration", .about = "How long and how often."),
    KEY("run.duration", KEY_DURATION, "10s", IN(1, INT64_MAX), .about = "Length of the run, warm-up included."),
    KEY("run.warmup", KEY_DURATION, "0s", ANY, .about = "Metrics cover what comes after it."),
    KEY("run.seed", KEY_COUNT, "1", ANY, .about = "Fixes every random number of the run; replication r uses a seed made of this and r."),
    KEY("run.replications", KEY_COUNT, "1", IN(1, 10000), .about = "How often it is repeated with other random numbers, for confidence intervals."),
    KEY("run.sample", KEY_DURATION, NULL, IN(US(1), INT64_MAX), .def_text = "duration/600, at least 1ms", .about = "Step of the time series."),
    KEY("run.fidelity", KEY_WORD, "exact", ANY, .words = "exact", .later_words = "fluid auto", .about = "exact: every slice and request is an event."),

    KEY("hosts", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "The physical machines."),
    KEY("hosts.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated", .about = "Name of the host."),
    KEY("hosts.count", KEY_COUNT, NULL, IN(0, 100000), .def_text = "one host with this very name", .about = "Makes NAME-0 to NAME-(count-1), all alike."),
    KEY("hosts.profile", KEY_FILE, "ideal", ANY, .words = "ideal", .later_words = "modern era2003", .about = "Where costs come from that are not stated: ideal has none, a file holds those of a calibrated machine (vlab kvm calibrate)."),
    KEY("hosts.cpu", KEY_MAP, NULL, ANY, .main = "cores", .about = "Its physical CPUs and their scheduler."),
    KEY("hosts.cpu.cores", KEY_COUNT, "1", IN(1, 1024), .about = "Number of pCPUs."),
    KEY("hosts.cpu.threads_per_core", KEY_COUNT, "1", IN(1, 8), .about = "Hardware threads of a core; more than 1 is not supported yet."),
    KEY("hosts.cpu.speed", KEY_NUMBER, "1", IN(1000000, INT64_C(1000000000000)), .about = "Work a pCPU does in a second, in seconds of work; 100 % is one pCPU of speed 1.0."),
    KEY("hosts.cpu.scheduler", KEY_WORD, "credit", ANY, .words = "rr credit cfs eevdf stride", .later_words = "bvt", .about = "Who runs next: rr (round robin, no weights), credit (Xen), cfs and eevdf (Linux), stride."),
    KEY("hosts.cpu.slice", KEY_DURATION, "0s", ANY, .about = "Longest run before another's turn; 0s: the scheduler's own."),
    KEY("hosts.cpu.tick", KEY_DURATION, "0s", ANY, .about = "Slices end at whole multiples of it; 0s: exactly when due."),
    KEY("hosts.cpu.switch_cost", KEY_DURATION, "0s", ANY, .about = "Direct cost of a change to another vCPU; the one that comes waits for it."),
    KEY("hosts.cpu.balance", KEY_MAP, NULL, ANY, .about = "How vCPUs are spread over pCPUs."),
    KEY("hosts.cpu.balance.idle", KEY_BOOL, "true", ANY, .about = "An idle pCPU takes waiting vCPUs from another's queue."),
    KEY("hosts.cpu.balance.every", KEY_DURATION, "4ms", ANY, .about = "How often the longest queue gives to the shortest; 0s: never."),
    KEY("hosts.cpu.cache", KEY_MAP, NULL, ANY, .main = "share", .about = "The cost of coming back to a cold cache."),
    KEY("hosts.cpu.cache.share", KEY_SIZE, "0B", ANY, .about = "Last-level cache of one pCPU; 0B: not modelled."),
    KEY("hosts.cpu.cache.line", KEY_DURATION, "0s", IN(0, SEC(1)), .about = "Time to refill one line of 64 bytes."),
    KEY("hosts.cpu.credit", KEY_MAP, NULL, ANY, .main = "debit", .about = "Details of the credit scheduler."),
    KEY("hosts.cpu.credit.debit", KEY_WORD, "run", ANY, .words = "run tick", .about = "run: debit the time really run; tick: debit whoever runs at a tick, as Xen does."),
    LATER_KEY("hosts.cpu.defence", "dependability", "Fixed time slots against covert channels."),
    KEY("hosts.memory", KEY_MAP, NULL, ANY, .main = "size", .about = "Its memory."),
    KEY("hosts.memory.size", KEY_SIZE, NULL, IN(1, INT64_MAX), .def_text = "not stated: any VM fits", .about = "Memory of the host; what its VMs state must fit."),
    LATER("hosts.memory.page", KEY_SIZE, "resources", "Size of a page."),
    LATER_KEY("hosts.memory.reclaim", "resources", "Ways to take memory back, in order."),
    LATER("hosts.memory.replacement", KEY_WORD, "resources", "Which page goes first."),
    LATER("hosts.memory.replacement_scope", KEY_WORD, "resources", "Frames per host or per VM."),
    LATER("hosts.memory.swap", KEY_NAME, "resources", "The disk that pages are written to."),
    LATER("hosts.memory.free_target", KEY_SIZE, "resources", "Memory kept free."),
    LATER("hosts.memory.tax", KEY_SHARE, "resources", "The idle-memory tax."),
    LATER("hosts.memory.estimate", KEY_WORD, "resources", "How active memory is estimated."),
    LATER("hosts.memory.share", KEY_MAP, "resources", "Page sharing."),
    LATER("hosts.memory.balloon", KEY_MAP, "resources", "Ballooning."),
    LATER("hosts.memory.compress", KEY_MAP, "resources", "Compression."),
    LATER("hosts.memory.ref_cost", KEY_DURATION, "resources", "Cost of one page reference."),
    LATER("hosts.hypervisor", KEY_MAP, "resources", "Type 1 or 2, nested paging, the host's own load."),
    LATER("hosts.disks", KEY_NAMED, "resources", "Its disks."),
    LATER("hosts.nics", KEY_NAMED, "resources", "Its network interfaces."),
    LATER("hosts.tlb", KEY_MAP, "resources", "Translation look-aside buffer."),
    LATER("hosts.mode_costs", KEY_MAP, "resources", "Price of one event, over the mode's table."),
    LATER_KEY("hosts.vmm", "dependability", "Several hypervisor processes on one host."),
    LATER("hosts.power", KEY_MAP, "dependability", "Electric power."),
    LATER_KEY("hosts.price", "dependability", "Price of an hour powered on."),
    LATER_KEY("hosts.features", "dependability", "CPU features."),
    LATER_KEY("hosts.mask", "dependability", "CPU features that are hidden."),
    LATER("hosts.rack", KEY_NAME, "dependability", "The rack it stands in."),
    LATER("hosts.failures", KEY_MAP, "dependability", "Time to failure and to repair."),
    LATER("hosts.limit", KEY_MAP, "dependability", "Placement fills no further."),

    LATER("storage", KEY_NAMED, "resources", "Stores shared by hosts."),
    LATER("networks", KEY_NAMED, "resources", "Virtual networks."),
    LATER("peers", KEY_NAMED, "resources", "Machines outside."),
    LATER("images", KEY_NAMED, "dependability", "What VMs boot from."),

    KEY("vms", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "The virtual machines."),
    KEY("vms.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated", .about = "Name of the VM; it keys its random numbers."),
    KEY("vms.count", KEY_COUNT, NULL, IN(0, 100000), .def_text = "one VM with this very name", .about = "Makes NAME-0 to NAME-(count-1), all alike."),
    KEY("vms.host", KEY_NAME, NULL, ANY, .def_text = "the only host", .about = "The host it runs on."),
    LATER_KEY("vms.place", "dependability", "Placement by a policy."),
    LATER("vms.vmm", KEY_NAME, "dependability", "The hypervisor process it belongs to."),
    KEY("vms.vcpus", KEY_COUNT, "1", IN(1, 1024), .about = "Number of virtual CPUs."),
    KEY("vms.cpu", KEY_MAP, NULL, ANY, .about = "What it may take of its host's pCPUs."),
    KEY("vms.cpu.weight", KEY_COUNT, "1000", IN(1, 10000), .about = "Its claim against others', divided among its runnable vCPUs. As cgroup v2 cpu.weight it is weight/10, as v1 cpu.shares weight*1.024."),
    KEY("vms.cpu.limit", KEY_SHARE, "none", IN(PCT(1) / 10, PCT(102400)), .words = "none", .about = "The most it may run, even on an idle host: 100% is one pCPU, v vCPUs may have up to v x 100%. As cgroup cpu.max: limit x period in each period."),
    KEY("vms.cpu.period", KEY_DURATION, "100ms", IN(US(100), SEC(100)), .about = "The limit holds in each period of this length."),
    KEY("vms.cpu.reservation", KEY_SHARE, "0%", IN(0, PCT(102400)), .about = "What it gets whenever it wants it: 100% is one pCPU; all of a host's must fit it."),
    KEY("vms.cpu.pin", KEY_COUNTS, NULL, IN(0, 1023), .def_text = "any pCPU", .about = "The pCPUs it may run on."),
    KEY("vms.cpu.working_set", KEY_SIZE, "0B", ANY, .about = "Cache it wants warm; what it lost costs hosts.cpu.cache.line a line when it comes back."),
    KEY("vms.cpu.cosched", KEY_WORD, "none", ANY, .words = "none", .later_words = "strict relaxed balance", .about = "Whether its vCPUs run together."),
    KEY("vms.mode", KEY_WORD, "hardware", ANY, .words = "hardware", .later_words = "bare container emulation binary-translation paravirtual", .about = "How it is virtualized."),
    KEY("vms.guest", KEY_WORD, "stock", ANY, .words = "stock", .later_words = "modified", .about = "Whether its system was changed for the hypervisor."),
    LATER("vms.kernel", KEY_NAME, "dependability", "The kernel that containers share."),
    KEY("vms.guest_quantum", KEY_DURATION, "none", IN(1, INT64_MAX), .words = "none", .about = "Its tasks take turns every so much work; none: a task runs until it waits."),
    KEY("vms.memory", KEY_MAP, NULL, ANY, .main = "size", .about = "Its memory."),
    KEY("vms.memory.size", KEY_SIZE, NULL, IN(1, INT64_MAX), .def_text = "not stated", .about = "Memory of the VM."),
    LATER("vms.memory.weight", KEY_COUNT, "resources", "Its claim on memory."),
    LATER("vms.memory.reservation", KEY_SIZE, "resources", "Memory it always has."),
    LATER("vms.memory.content", KEY_MAP, "resources", "How much of it is equal to others'."),
    LATER("vms.memory.swap", KEY_NAME, "resources", "The disk its pages are written to."),
    LATER("vms.disk", KEY_MAP, "resources", "Its virtual disk."),
    LATER("vms.nic", KEY_MAP, "resources", "Its network interface."),
    KEY("vms.role", KEY_WORD, "none", ANY, .words = "none victim", .about = "victim: the well-behaved, whose worst slowdown is the metric isolation."),
    KEY("vms.draws", KEY_NAME, NULL, ANY, .def_text = "its own name", .about = "Whose random numbers it uses."),
    KEY("vms.start", KEY_MAP, NULL, ANY, .main = "at", .about = "When it is powered on."),
    KEY("vms.start.at", KEY_DURATION, "0s", ANY, .about = "When the first one starts."),
    KEY("vms.start.every", KEY_DURATION, "0s", ANY, .about = "How much later each next one of a count starts."),
    LATER_KEY("vms.affinity", "dependability", "VMs it must share a host with."),
    LATER_KEY("vms.anti_affinity", "dependability", "VMs it must not share a host with."),
    LATER_KEY("vms.features", "dependability", "CPU features it needs."),
    LATER("vms.migrate", KEY_MAP, "dependability", "How it is migrated."),

    KEY("vms.workload", KEY_MAP, NULL, ANY, .def_text = "none: an idle VM", .about = "What it does."),
    KEY("vms.workload.kind", KEY_WORD, "loop", ANY, .words = "loop requests", .about = "loop: tasks repeat the steps without end; requests: each one that arrives takes the steps once."),
    KEY("vms.workload.threads", KEY_COUNT, NULL, IN(1, 65536), .words = "unlimited", .def_text = "one a vCPU", .about = "Tasks that work at the same time; unlimited (requests only): each request has its own."),
    KEY("vms.workload.queue", KEY_COUNT, NULL, IN(0, INT64_C(1) << 40), .later_words = "shared", .def_text = "no bound", .about = "Longest queue of waiting requests; what finds it full is lost."),
    KEY("vms.workload.arrivals", KEY_MAP, NULL, ANY, .def_text = "none: clients ask instead", .about = "When requests come: exactly one of the keys below."),
    KEY("vms.workload.arrivals.poisson", KEY_RATE, NULL, IN(1, INT64_C(1000000000000000)), .about = "At random, so many a second."),
    KEY("vms.workload.arrivals.periodic", KEY_DURATION, NULL, IN(1, INT64_MAX), .about = "One every so long, the first after one such time."),
    KEY("vms.workload.arrivals.trace", KEY_FILE, NULL, ANY, .about = "A file with one time in seconds a line."),
    KEY("vms.workload.arrivals.sequence", KEY_MAPS, NULL, ANY, .about = "One way after the other."),
    KEY("vms.workload.arrivals.sequence.poisson", KEY_RATE, NULL, IN(1, INT64_C(1000000000000000)), .about = "At random, so many a second."),
    KEY("vms.workload.arrivals.sequence.periodic", KEY_DURATION, NULL, IN(1, INT64_MAX), .about = "One every so long."),
    KEY("vms.workload.arrivals.sequence.for", KEY_DURATION, NULL, IN(1, INT64_MAX), .def_text = "to the end (the last one only)", .about = "How long this stretch lasts."),
    KEY("vms.workload.clients", KEY_COUNT, NULL, IN(1, 1000000), .def_text = "none", .about = "Clients that each wait for their answer, think, and ask again."),
    KEY("vms.workload.think", KEY_AMOUNT, "0s", ANY, .about = "How long a client thinks."),
    KEY("vms.workload.steps", KEY_MAPS, NULL, ANY, .def_text = "none: they must be stated", .about = "What one iteration or request consists of, in order: one kind of step each."),
    KEY("vms.workload.steps.cpu", KEY_AMOUNT, NULL, ANY, .about = "So much work on a core of speed 1.0."),
    KEY("vms.workload.steps.busy", KEY_AMOUNT, NULL, ANY, .about = "Wants a CPU for so much wall time, whatever it gets: demand, not work."),
    KEY("vms.workload.steps.sleep", KEY_AMOUNT, NULL, ANY, .about = "The task is idle for so long."),
    KEY("vms.workload.steps.probability", KEY_NUMBER, "1", IN(0, INT64_C(1000000000)), .about = "How often the step happens."),
    LATER("vms.workload.steps.touch", KEY_MAP, "resources", "References to memory pages."),
    LATER("vms.workload.steps.disk", KEY_MAP, "resources", "One disk request."),
    LATER("vms.workload.steps.net", KEY_MAP, "resources", "Frames through the network interface."),
    LATER("vms.workload.steps.ops", KEY_MAP, "resources", "Events priced by the virtualization mode."),
    LATER("vms.workload.steps.lock", KEY_MAP, "resources", "A lock shared by the VM's vCPUs."),
    LATER("vms.workload.steps.access", KEY_MAP, "dependability", "An access that must be refused."),
    LATER_KEY("vms.workload.steps.secret", "dependability", "A secret in the VM's memory."),
    LATER("vms.workload.steps.covert", KEY_MAP, "dependability", "A covert channel."),
    KEY("vms.workload.until", KEY_MAP, NULL, ANY, .main = "count", .def_text = "the end of the run", .about = "When the work is done."),
    KEY("vms.workload.until.count", KEY_COUNT, NULL, IN(1, INT64_C(1) << 53), .about = "Iterations (over all tasks) or requests; then the VM is finished."),

    LATER("cloud", KEY_MAP, "dependability", "Placement, quotas, high availability, autoscaling."),
    LATER("services", KEY_NAMED, "dependability", "What several VMs provide together."),
    LATER("events", KEY_MAPS, "dependability", "What is done to the scenario while it runs."),
    KEY("sweep", KEY_SWEEP, NULL, ANY, .def_text = "one point", .about = "Lists of values for keys: every combination is a point; lists under zip go side by side."),
    KEY("expect", KEY_EXPECT, NULL, ANY, .def_text = "nothing", .about = "What must come out: EXPR OP EXPR [within X]."),

    KEY(KEY_PROFILE, KEY_COUNT, "1", IN(1, 1), .about = "Marks the file of a calibrated host, and the version of its format."),
    KEY(KEY_PROFILE ".vlab_host", KEY_COUNT, "1", IN(1, 1), .about = "Version of the format of a calibrated host."),
    KEY(KEY_PROFILE ".machine", KEY_STRINGS, NULL, ANY, .def_text = "nothing", .about = "What machine it was: for people."),
    KEY(KEY_PROFILE ".cpu", KEY_MAP, NULL, ANY, .about = "Defaults for hosts.cpu of a host with this profile."),
    KEY(KEY_PROFILE ".cpu.tick", KEY_DURATION, "0s", ANY, .about = "As hosts.cpu.tick."),
    KEY(KEY_PROFILE ".cpu.slice", KEY_DURATION, "0s", ANY, .about = "As hosts.cpu.slice."),
    KEY(KEY_PROFILE ".cpu.switch_cost", KEY_DURATION, "0s", ANY, .about = "As hosts.cpu.switch_cost."),
    KEY(KEY_PROFILE ".measured", KEY_MAP, NULL, ANY, .about = "What was measured there."),
    KEY(KEY_PROFILE ".measured.iters_per_ns", KEY_NUMBER, "0", ANY, .about = "Iterations of the guest's counted loop in a ns; 0: not known."),
    KEY(KEY_PROFILE ".measured.exit", KEY_DURATION, "0s", ANY, .about = "One exit to user space and back."),
    KEY(KEY_PROFILE ".measured.kick", KEY_DURATION, "0s", ANY, .about = "From asking a running vCPU to stop until it has."),
    KEY(KEY_PROFILE ".measured.switch", KEY_DURATION, "0s", ANY, .about = "From one vCPU thread stopping to the next one running."),
    KEY(KEY_PROFILE ".measured.slice", KEY_DURATION, "0s", ANY, .about = "Median slice of the host kernel's own scheduler."),
    KEY(KEY_PROFILE ".measured.tick", KEY_DURATION, "0s", ANY, .about = "Tick of the host kernel, 1/HZ."),
};

#undef ANY
#undef IN
#undef US
#undef MS
#undef SEC
#undef PCT

#endif
