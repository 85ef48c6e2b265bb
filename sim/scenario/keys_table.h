// SPDX-License-Identifier: GPL-3.0-or-later
/* keys_table.h - the rows of keys.h, in the order in which a scenario is written; keys.c alone reads it. */
#ifndef VLAB_SCENARIO_KEYS_TABLE_H
#define VLAB_SCENARIO_KEYS_TABLE_H

#include "scenario/keys.h"

#define ANY      .lo = 0, .hi = INT64_MAX
#define IN(l, h) .lo = l, .hi = h
#define US(n)    (INT64_C(1000) * (n))
#define MS(n)    (INT64_C(1000000) * (n))
#define SEC(n)   (INT64_C(1000000000) * (n))
#define PCT(n)   (INT64_C(10000) * (n))
/* A key of the grammar that is not built yet. */
#define LATER(p, t, part, text)                                                                              \
    {                                                                                                        \
        .path = p, .type = t, .later = part, .hi = INT64_MAX, .about = text                                  \
    }
#define LATER_KEY(p, part, text) LATER(p, KEY_TEXT, part, text)
/* path, type, default, range */
#define KEY(p, t, d, ...)                                                                                    \
    {                                                                                                        \
        .path = p, .type = t, .def = d, __VA_ARGS__                                                          \
    }

static const struct key keys_table[] = {
    KEY("vlab", KEY_COUNT, "1", IN(1, 1), .about = "Version of the format."),
    KEY("name", KEY_NAME, NULL, ANY, .def_text = "the file's name",
        .about = "Names the scenario, and its folder in runs/."),
    KEY("about", KEY_TEXT, "", ANY, .about = "What it shows, or the question it asks."),

    KEY("run", KEY_MAP, NULL, ANY, .main = "duration", .about = "How long and how often."),
    KEY("run.duration", KEY_DURATION, "10s", IN(1, INT64_MAX),
        .about = "Length of the run, warm-up included.", .example = "60s"),
    KEY("run.warmup", KEY_DURATION, "0s", ANY, .about = "Time at the start that no metric counts.",
        .example = "5s"),
    KEY("run.seed", KEY_COUNT, "1", ANY,
        .about = "Fixes every random number of the run; replication r, counted from 0, runs with seed + r.",
        .example = "42"),
    KEY("run.replications", KEY_COUNT, "1", IN(1, 10000),
        .about = "How often it is repeated with other random numbers, for confidence intervals.",
        .example = "10"),
    KEY("run.sample", KEY_DURATION, NULL, IN(US(1), INT64_MAX), .def_text = "duration/600, at least 1ms",
        .about = "Step of the time series in series.csv.", .example = "100ms"),
    KEY("run.fidelity", KEY_WORD, "exact", ANY, .words = "exact", .later_words = "fluid auto",
        .about = "How it is computed; exact: every slice and every request is an event."),

    KEY("hosts", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "The physical machines: a list."),
    KEY("hosts.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated",
        .about = "Name of the host."),
    KEY("hosts.count", KEY_COUNT, NULL, IN(0, 100000), .def_text = "one host with this very name",
        .about = "Makes NAME-0 to NAME-(count-1), all alike."),
    KEY("hosts.profile", KEY_FILE, "ideal", ANY, .words = "ideal", .later_words = "modern era2003",
        .about = "Where costs come from that the scenario does not state: ideal has none, a file holds those "
                 "of a calibrated machine (vlab kvm calibrate -o FILE)."),
    KEY("hosts.cpu", KEY_MAP, NULL, ANY, .main = "cores", .about = "Its physical CPUs and their scheduler."),
    KEY("hosts.cpu.cores", KEY_COUNT, "1", IN(1, 1024), .about = "Number of pCPUs.", .example = "2"),
    KEY("hosts.cpu.threads_per_core", KEY_COUNT, "1", IN(1, 8),
        .about = "Hardware threads of a core; only 1 is supported yet."),
    KEY("hosts.cpu.speed", KEY_NUMBER, "1", IN(1000000, INT64_C(1000000000000)),
        .about = "How fast its pCPUs are: seconds of work done in a second. 100 % is one pCPU of speed 1.0."),
    KEY("hosts.cpu.scheduler", KEY_WORD, "credit", ANY, .words = "rr credit cfs eevdf stride",
        .later_words = "bvt",
        .about = "Who runs next: rr (round robin, no weights), credit (Xen), cfs and eevdf (Linux), stride.",
        .example = "eevdf",
        .knob = "eevdf: Linux's own scheduler (6.6 or later); the others: vlab's dispatcher, which gates the "
                "vCPU "
                "threads"),
    KEY("hosts.cpu.slice", KEY_DURATION, "0s", ANY,
        .about =
            "How long a vCPU may run before it is another's turn; 0s: the scheduler's own "
            "(rr and stride 10ms, credit 30ms; cfs at least 750us and eevdf 700us, times 1 + log2 of the "
            "pCPUs, at most 4).",
        .example = "30ms"),
    KEY("hosts.cpu.tick", KEY_DURATION, "0s", ANY,
        .about = "Timer tick of the host: slices end at the next whole multiple of it; 0s: exactly when due.",
        .example = "4ms"),
    KEY("hosts.cpu.switch_cost", KEY_DURATION, "0s", ANY,
        .about = "Cost of a change to another vCPU; to the one that comes it counts as ready.",
        .example = "5us"),
    KEY("hosts.cpu.balance", KEY_MAP, NULL, ANY, .about = "How vCPUs are spread over pCPUs."),
    KEY("hosts.cpu.balance.idle", KEY_BOOL, "true", ANY,
        .about = "An idle pCPU takes waiting vCPUs from another's queue."),
    KEY("hosts.cpu.balance.every", KEY_DURATION, "4ms", ANY,
        .about = "How often the longest queue gives to the shortest; 0s: never."),
    KEY("hosts.cpu.cache", KEY_MAP, NULL, ANY, .main = "share",
        .about = "The cost of coming back to a cold cache (vms.cpu.working_set says who pays)."),
    KEY("hosts.cpu.cache.share", KEY_SIZE, "0B", ANY,
        .about = "Last-level cache of one pCPU; 0B: not modelled.", .example = "512KiB"),
    KEY("hosts.cpu.cache.line", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "Time to refill one line of 64 bytes.", .example = "50ns"),
    KEY("hosts.cpu.credit", KEY_MAP, NULL, ANY, .main = "debit", .about = "Details of the credit scheduler."),
    KEY("hosts.cpu.credit.debit", KEY_WORD, "run", ANY, .words = "run tick",
        .about = "run: debit the time really run; tick: debit whoever runs at a tick, as Xen does."),
    LATER_KEY("hosts.cpu.defence", "dependability", "Fixed time slots against covert channels."),
    KEY("hosts.memory", KEY_MAP, NULL, ANY, .main = "size",
        .about = "Its memory, checked against what its VMs state."),
    KEY("hosts.memory.size", KEY_SIZE, NULL, IN(1, INT64_MAX), .def_text = "not stated: any VM fits",
        .about = "Memory of the host; what its VMs state must fit.", .example = "16GiB"),
    LATER("hosts.memory.page", KEY_SIZE, "resources", "Size of a page."),
    LATER_KEY("hosts.memory.reclaim", "resources", "Ways to take memory back, in order."),
    LATER("hosts.memory.replacement", KEY_WORD, "resources", "Which page goes first."),
    LATER("hosts.memory.replacement_scope", KEY_WORD, "resources", "Frames per host or per VM."),
    LATER("hosts.memory.swap", KEY_NAME, "resources", "The disk that pages are written to."),
    LATER("hosts.memory.free_target", KEY_SIZE, "resources", "Memory kept free."),
    LATER("hosts.memory.tax", KEY_SHARE, "resources", "The idle-memory tax."),
    LATER("hosts.memory.estimate", KEY_WORD, "resources", "How active memory is estimated."),
    LATER("hosts.memory.share", KEY_MAP, "resources", "Page sharing."),
    LATER_KEY("hosts.memory.share.rate", "resources", "How fast pages are scanned."),
    LATER_KEY("hosts.memory.share.break", "resources", "Cost of breaking a shared page."),
    LATER("hosts.memory.balloon", KEY_MAP, "resources", "Ballooning."),
    LATER_KEY("hosts.memory.balloon.rate", "resources", "How fast it grows."),
    LATER_KEY("hosts.memory.balloon.max", "resources", "The most of a guest it takes."),
    LATER("hosts.memory.compress", KEY_MAP, "resources", "Compression."),
    LATER_KEY("hosts.memory.compress.ratio", "resources", "How much smaller pages get."),
    LATER_KEY("hosts.memory.compress.cost", "resources", "Time to compress one."),
    LATER("hosts.memory.ref_cost", KEY_DURATION, "resources", "Cost of one page reference."),
    LATER("hosts.hypervisor", KEY_MAP, "resources", "Type 1 or 2, nested paging, the host's own load."),
    LATER_KEY("hosts.hypervisor.type", "resources", "Bare-metal (1) or hosted (2)."),
    LATER_KEY("hosts.hypervisor.nested_paging", "resources", "Whether page walks have two dimensions."),
    LATER_KEY("hosts.hypervisor.load", "resources", "The host's own load."),
    LATER("hosts.disks", KEY_NAMED, "resources", "Its disks."),
    LATER_KEY("hosts.disks.name", "resources", "Name of the disk."),
    LATER_KEY("hosts.disks.model", "resources", "Token bucket, SSD or hard disk."),
    LATER_KEY("hosts.disks.iops", "resources", "Requests a second."),
    LATER_KEY("hosts.disks.bandwidth", "resources", "Bytes a second."),
    LATER_KEY("hosts.disks.latency", "resources", "Time of one request."),
    LATER_KEY("hosts.disks.burst", "resources", "What may be saved up."),
    LATER_KEY("hosts.disks.peak", "resources", "The most at once."),
    LATER_KEY("hosts.disks.queue", "resources", "Who is served next."),
    LATER_KEY("hosts.disks.pool", "resources", "Thin pool of this size."),
    LATER_KEY("hosts.disks.channels", "resources", "Channels of an SSD."),
    LATER_KEY("hosts.disks.dies", "resources", "Dies of a channel."),
    LATER_KEY("hosts.disks.preset", "resources", "A known hard disk."),
    LATER("hosts.nics", KEY_NAMED, "resources", "Its network interfaces."),
    LATER_KEY("hosts.nics.name", "resources", "Name of the interface."),
    LATER_KEY("hosts.nics.bandwidth", "resources", "Bits a second."),
    LATER_KEY("hosts.nics.latency", "resources", "Time of a frame."),
    LATER_KEY("hosts.nics.mtu", "resources", "Largest packet."),
    LATER_KEY("hosts.nics.packet_cost", "resources", "CPU time of a packet."),
    LATER_KEY("hosts.nics.rx_queue", "resources", "Frames that may wait."),
    LATER("hosts.tlb", KEY_MAP, "resources", "Translation look-aside buffer."),
    LATER_KEY("hosts.tlb.entries", "resources", "Pages it knows."),
    LATER_KEY("hosts.tlb.walk", "resources", "Time of a walk."),
    LATER("hosts.mode_costs", KEY_MAP, "resources", "Price of one event, over the mode's table."),
    LATER_KEY("hosts.vmm", "dependability", "Several hypervisor processes on one host."),
    LATER("hosts.power", KEY_MAP, "dependability", "Electric power."),
    LATER_KEY("hosts.power.idle", "dependability", "Watts when idle."),
    LATER_KEY("hosts.power.busy", "dependability", "Watts when busy."),
    LATER_KEY("hosts.power.off", "dependability", "Watts when off."),
    LATER_KEY("hosts.power.curve", "dependability", "Watts by load."),
    LATER_KEY("hosts.power.steps", "dependability", "Watts by steps of load."),
    LATER_KEY("hosts.price", "dependability", "Price of an hour powered on."),
    LATER_KEY("hosts.features", "dependability", "CPU features."),
    LATER_KEY("hosts.mask", "dependability", "CPU features that are hidden."),
    LATER("hosts.rack", KEY_NAME, "dependability", "The rack it stands in."),
    LATER("hosts.failures", KEY_MAP, "dependability", "Time to failure and to repair."),
    LATER_KEY("hosts.failures.ttf", "dependability", "Time to failure."),
    LATER_KEY("hosts.failures.repair", "dependability", "Time to repair."),
    LATER("hosts.limit", KEY_MAP, "dependability", "Placement fills no further."),
    LATER_KEY("hosts.limit.cpu", "dependability", "Share of its pCPUs that placement fills."),

    LATER("storage", KEY_NAMED, "resources", "Stores shared by hosts."),
    LATER_KEY("storage.name", "resources", "Name of the store."),
    LATER_KEY("storage.hosts", "resources", "Hosts that reach it."),
    LATER_KEY("storage.iops", "resources", "Requests a second."),
    LATER_KEY("storage.bandwidth", "resources", "Bytes a second."),
    LATER_KEY("storage.queue", "resources", "Who is served next."),
    LATER_KEY("storage.pool", "resources", "Thin pool of this size."),
    LATER_KEY("storage.cache", "resources", "Its cache."),
    LATER_KEY("storage.divide", "resources", "Among hosts first, or flat."),
    LATER("networks", KEY_NAMED, "resources", "Virtual networks."),
    LATER_KEY("networks.name", "resources", "Name of the network."),
    LATER_KEY("networks.kind", "resources", "bridge, nat or host-only."),
    LATER_KEY("networks.nics", "resources", "Interfaces it uses."),
    LATER_KEY("networks.hosts", "resources", "Hosts it lies in."),
    LATER_KEY("networks.uplink", "resources", "Where it leads."),
    LATER_KEY("networks.latency", "resources", "Time of a frame."),
    LATER_KEY("networks.ports", "resources", "Ports of nat."),
    LATER_KEY("networks.rewrite", "resources", "Cost of rewriting a packet."),
    LATER("peers", KEY_NAMED, "resources", "Machines outside."),
    LATER_KEY("peers.name", "resources", "Name of the machine."),
    LATER_KEY("peers.on", "resources", "Its network."),
    LATER("images", KEY_NAMED, "dependability", "What VMs boot from."),
    LATER_KEY("images.name", "dependability", "Name of the image."),
    LATER_KEY("images.boot", "dependability", "What a boot reads and takes."),

#include "scenario/keys_vms.h"

    LATER("cloud", KEY_MAP, "dependability", "Placement, quotas, high availability, autoscaling."),
    LATER_KEY("cloud.place", "dependability", "Placement policy."),
    LATER_KEY("cloud.overcommit", "dependability", "How far."),
    LATER_KEY("cloud.quota", "dependability", "The most a user has."),
    LATER_KEY("cloud.ha", "dependability", "Failure detection and restart."),
    LATER_KEY("cloud.balance", "dependability", "Moving VMs between hosts."),
    LATER_KEY("cloud.autoscale", "dependability", "More VMs under load."),
    LATER_KEY("cloud.requests", "dependability", "Requests for VMs."),
    LATER("services", KEY_NAMED, "dependability", "What several VMs provide together."),
    LATER_KEY("services.name", "dependability", "Name of the service."),
    LATER_KEY("services.of", "dependability", "Its VMs."),
    LATER_KEY("services.need", "dependability", "How many it needs."),
    LATER("events", KEY_MAPS, "dependability", "What is done to the scenario while it runs."),
    LATER_KEY("events.at", "dependability", "When."),
    LATER_KEY("events.every", "dependability", "How often."),
    LATER_KEY("events.when", "dependability", "At which sweep point."),
    KEY("sweep", KEY_SWEEP, NULL, ANY, .def_text = "one point",
        .about = "Lists of values for keys: every combination is a point; lists under zip go side by side.",
        .example = "{vms.batch.count: [0, 1, 2, 3, 4]}"),
    KEY("expect", KEY_EXPECT, NULL, ANY, .def_text = "nothing",
        .about =
            "What must come out: EXPR OP EXPR [within X]. OP is < <= == >= >. EXPR has ENTITY.METRIC[.STAT], "
            "numbers with units, + - * /, sum mean max min over names with *, and @KEY=VALUE for another "
            "point of the sweep. within 1% is relative, within 1pp in points of a share.",
        .example = "[\"vm.db.latency.p99 < 50ms\", \"vm.db.cpu.run == 25% within 1pp\"]"),

    KEY(KEY_PROFILE, KEY_COUNT, "1", IN(1, 1),
        .about = "Marks the file of a calibrated host, and the version of its format."),
    KEY(KEY_PROFILE ".vlab_host", KEY_COUNT, "1", IN(1, 1),
        .about = "Version of the format of a calibrated host."),
    KEY(KEY_PROFILE ".machine", KEY_STRINGS, NULL, ANY, .def_text = "nothing",
        .about = "What machine it was: for people."),
    KEY(KEY_PROFILE ".cpu", KEY_MAP, NULL, ANY,
        .about = "Defaults for hosts.cpu of a host with this profile."),
    KEY(KEY_PROFILE ".cpu.tick", KEY_DURATION, "0s", ANY, .about = "As hosts.cpu.tick."),
    KEY(KEY_PROFILE ".cpu.slice", KEY_DURATION, "0s", ANY, .about = "As hosts.cpu.slice."),
    KEY(KEY_PROFILE ".cpu.switch_cost", KEY_DURATION, "0s", ANY, .about = "As hosts.cpu.switch_cost."),
    KEY(KEY_PROFILE ".measured", KEY_MAP, NULL, ANY, .about = "What was measured there."),
    KEY(KEY_PROFILE ".measured.iters_per_ns", KEY_NUMBER, "0", ANY,
        .about = "Iterations of the guest's counted loop in a ns; 0: not known."),
    KEY(KEY_PROFILE ".measured.exit", KEY_DURATION, "0s", ANY, .about = "One exit to user space and back."),
    KEY(KEY_PROFILE ".measured.kick", KEY_DURATION, "0s", ANY,
        .about = "From asking a running vCPU to stop until it has."),
    KEY(KEY_PROFILE ".measured.switch", KEY_DURATION, "0s", ANY,
        .about = "From one vCPU thread stopping to the next one running."),
    KEY(KEY_PROFILE ".measured.slice", KEY_DURATION, "0s", ANY,
        .about = "Median slice of the host kernel's own scheduler."),
    KEY(KEY_PROFILE ".measured.tick", KEY_DURATION, "0s", ANY, .about = "Tick of the host kernel, 1/HZ."),
};

#undef ANY
#undef IN
#undef US
#undef MS
#undef SEC
#undef PCT

#endif
