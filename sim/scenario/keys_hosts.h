// SPDX-License-Identifier: GPL-3.0-or-later
/* keys_hosts.h - the rows of keys.h for what is physical, and the networks on it; keys.c alone reads it. */
#ifndef VLAB_SCENARIO_KEYS_HOSTS_H
#define VLAB_SCENARIO_KEYS_HOSTS_H

#include "scenario/keys_table.h"

static const struct key keys_hosts[] = {
    KEY("hosts", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "The physical machines: a list."),
    KEY("hosts.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated",
        .about = "Name of the host."),
    KEY("hosts.count", KEY_COUNT, NULL, IN(0, 100000), .def_text = "one host with this very name",
        .about = "Makes NAME-0 to NAME-(count-1), all alike."),
    KEY("hosts.profile", KEY_FILE, "ideal", ANY, .words = "ideal modern era2003",
        .about =
            "Where costs come from that the scenario does not state: ideal has none; era2003 those of the "
            "papers' machines, modern those of a server of today; a file those of a calibrated machine "
            "(vlab kvm calibrate -o FILE)."),
    KEY("hosts.cpu", KEY_MAP, NULL, ANY, .main = "cores", .about = "Its physical CPUs and their scheduler."),
    KEY("hosts.cpu.cores", KEY_COUNT, "1", IN(1, 1024),
        .about = "Number of cores; of pCPUs, where threads_per_core is 1.", .example = "2"),
    KEY("hosts.cpu.threads_per_core", KEY_COUNT, "1", IN(1, 8),
        .about =
            "Hardware threads of a core, each of them a pCPU: a core whose threads are all busy does more "
            "work than one thread alone, but not so many times more.",
        .example = "2"),
    KEY("hosts.cpu.speed", KEY_NUMBER, "1", IN(1000000, INT64_C(1000000000000)),
        .about = "How fast its pCPUs are: seconds of work done in a second. 100 % is one pCPU of speed 1.0."),
    KEY("hosts.cpu.scheduler", KEY_WORD, "credit", ANY, .words = "rr credit cfs eevdf stride bvt",
        .about =
            "Who runs next: rr (round robin, no weights), credit (Xen), cfs and eevdf (Linux), stride, bvt "
            "(borrowed virtual time).",
        .example = "eevdf",
        .knob = "eevdf: Linux's own scheduler (6.6 or later); the others: vlab's dispatcher, which gates the "
                "vCPU "
                "threads"),
    KEY("hosts.cpu.slice", KEY_DURATION, "0s", ANY,
        .about = "How long a vCPU may run before it is another's turn; 0s: the scheduler's own "
                 "(rr and stride 10ms, credit 30ms, bvt 5ms; cfs at least 750us and eevdf 700us, times 1 + "
                 "log2 of the "
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
    KEY("hosts.cpu.defence", KEY_WORD, "none", ANY, .words = "none fixed-slots",
        .about =
            "fixed-slots: VMs take turns of a slice at fixed times, whether or not they have anything "
            "to run: "
            "nobody can tell from its own time what others do, and what they leave is lost. Limits hold; "
            "weights do not count, reservations and cosched are refused. A `switch_cost`, a `cache` or "
            "`threads_per_core` may still tell.",
        .example = "fixed-slots"),
    KEY("hosts.memory", KEY_MAP, NULL, ANY, .main = "size",
        .about = "Its memory, checked against what its VMs state."),
    KEY("hosts.memory.size", KEY_SIZE, NULL, IN(1, INT64_MAX), .def_text = "not stated: any VM fits",
        .about = "Memory of the host; what its VMs state must fit.", .example = "16GiB"),
    KEY("hosts.memory.page", KEY_WORD, "4KiB", ANY, .words = "4KiB 2MiB",
        .about = "Size of a page, of the host's and of the guests'.", .example = "2MiB"),
    KEY("hosts.memory.reclaim", KEY_WORDS, NULL, ANY, .words = "share balloon compress swap",
        .def_text = "[swap] where `swap` is stated; else none: what the VMs state must fit",
        .about =
            "Ways to take memory back when there is too little, in the order in which they are tried: share "
            "(equal pages become one), balloon (the guest gives up pages of its choice), compress, swap (to "
            "a disk). With any of them VMs may state more than the host has.",
        .example = "[share, balloon]"),
    KEY("hosts.memory.replacement", KEY_WORD, "clock", ANY, .words = "lru clock fifo random second-chance",
        .about =
            "Which page goes first: lru (the one not used for longest), clock (a hand passes over pages used "
            "since it last came), fifo (the one that came first), random, second-chance (fifo, but a page "
            "used since goes to the end once).",
        .example = "lru"),
    KEY("hosts.memory.replacement_scope", KEY_WORD, "host", ANY, .words = "host vm",
        .about =
            "Whose page goes: host: that of the VM which pays least for its pages, by weight and idleness "
            "(`tax`); vm: one of the VM that needs it, and of another only where that has none to give. "
            "Which "
            "of its pages `replacement` says.",
        .example = "vm"),
    KEY("hosts.memory.swap", KEY_NAME, NULL, ANY, .def_text = "none: nothing can be swapped out",
        .about = "The disk of this host, or the store it reaches, that pages are written to."),
    KEY("hosts.memory.free_target", KEY_SIZE, "0B", ANY,
        .about =
            "What is free is held against it: below 4 % of it the host is soft (balloons), below 2 % hard "
            "(compresses and swaps), below 1 % low (and whoever needs memory waits), and high again from 6 % "
            "on; the host's own size gives ESX's states. 0B: no reserve, a page is taken when one is needed.",
        .example = "1GiB"),
    KEY("hosts.memory.tax", KEY_SHARE, "75%", IN(0, PCT(99)),
        .about =
            "Idle-memory tax: an idle page counts as 1/(1 - tax) pages in use when memory is taken from the "
            "VM that pays least for its pages; 0%: only weights count.",
        .example = "0%"),
    KEY("hosts.memory.estimate", KEY_WORD, "exact", ANY, .words = "exact sampled",
        .about =
            "How the host knows what a VM uses: exact, or by 100 pages of each VM, chosen anew every 30s.",
        .example = "sampled"),
    KEY("hosts.memory.share", KEY_MAP, NULL, ANY, .main = "rate",
        .about = "Sharing of equal pages (reclaim: share; vms.memory.content says which are equal)."),
    KEY("hosts.memory.share.rate", KEY_BANDWIDTH, "20MB/s", IN(8000, INT64_MAX),
        .about = "How fast memory is scanned for equal pages.", .example = "50MB/s"),
    KEY("hosts.memory.share.cost", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "CPU time to scan one page, taken by a thread of the host.", .example = "1us"),
    KEY("hosts.memory.share.break", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "Time of a write to a shared page, which makes it the writer's own again.",
        .example = "2us"),
    KEY("hosts.memory.balloon", KEY_MAP, NULL, ANY, .main = "rate",
        .about = "Ballooning (reclaim: balloon)."),
    KEY("hosts.memory.balloon.rate", KEY_BANDWIDTH, "0B/s", ANY,
        .about = "How fast a balloon grows and shrinks; 0B/s: no bound.", .example = "50MB/s"),
    KEY("hosts.memory.balloon.max", KEY_SHARE, "65%", IN(0, PCT(100)),
        .about = "The most of a VM's memory that its balloon takes.", .example = "50%"),
    KEY("hosts.memory.compress", KEY_MAP, NULL, ANY, .main = "ratio",
        .about = "Compression of pages in memory (reclaim: compress), in a tenth of it at most."),
    KEY("hosts.memory.compress.ratio", KEY_NUMBER, "3", IN(INT64_C(1001000000), INT64_C(1000000000000)),
        .about = "How many compressed pages fit where one was.", .example = "2"),
    KEY("hosts.memory.compress.cost", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "CPU time to compress a page, and again to bring it back.", .example = "5us"),
    KEY("hosts.memory.ref_cost", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "Time of one page reference that finds its page in memory.", .example = "100ns"),
    KEY("hosts.hypervisor", KEY_MAP, NULL, ANY, .main = "type",
        .about = "What stands between host and guests."),
    KEY("hosts.hypervisor.type", KEY_COUNT, "1", IN(1, 2),
        .about =
            "1: on the bare machine; 2: a program of a host operating system, whose own programs compete "
            "with it (load) and whose I/O stack every request crosses.",
        .example = "2"),
    KEY("hosts.hypervisor.nested_paging", KEY_BOOL, "true", ANY,
        .about = "Whether the CPU walks the guest's page tables and the host's itself; false: the hypervisor "
                 "keeps "
                 "copies (shadow page tables), and each change of the guest's is an exit.",
        .example = "false"),
    KEY("hosts.hypervisor.load", KEY_SHARE, "0%", IN(0, PCT(100)),
        .about = "What the host's own programs want of each pCPU. Under type 1 there are none: it changes "
                 "nothing.",
        .example = "50%"),
    KEY("hosts.hypervisor.host_io", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "Type 2: CPU time of the host's own I/O stack for each disk request and each frame.",
        .example = "5us"),
    KEY("hosts.hypervisor.emulation", KEY_NUMBER, "1", IN(INT64_C(1000000000), INT64_C(10000000000000)),
        .about = "Host instructions that one guest instruction takes under mode: emulation.",
        .example = "50"),
    KEY("hosts.disks", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "Its disks: a list."),
    KEY("hosts.disks.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated",
        .about = "Name of the disk."),
    KEY("hosts.disks.model", KEY_WORD, "bucket", ANY, .words = "bucket ssd hdd",
        .about =
            "How long a request takes; bucket: as the rates below say, exactly; ssd: by channels and dies; "
            "hdd: by seek, rotation and transfer.",
        .example = "ssd"),
    KEY("hosts.disks.iops", KEY_RATE, "0/s", ANY, .bare = true, .only = "model bucket",
        .about = "Requests a second; 0/s: no bound.", .example = "20000/s",
        .knob =
            "on KVM a token bucket before the VMs' files; without a bound this machine's disk is the bound"),
    KEY("hosts.disks.bandwidth", KEY_BANDWIDTH, "0B/s", ANY, .only = "model bucket",
        .about = "Bytes a second; 0B/s: no bound.", .example = "500MB/s"),
    KEY("hosts.disks.latency", KEY_DURATION, "0s", ANY,
        .about = "Time of every request beside what its model makes it take; requests overlap in it.",
        .example = "80us"),
    KEY("hosts.disks.burst", KEY_SIZE, "0B", ANY, .only = "model bucket",
        .about = "Bytes that may be saved up while the bandwidth is not used.", .example = "100MB"),
    KEY("hosts.disks.peak", KEY_BANDWIDTH, "0B/s", ANY, .only = "model bucket",
        .about = "How fast saved bytes are spent; 0B/s: no bound.", .example = "1GB/s"),
    KEY("hosts.disks.queue", KEY_WORD, "fair", ANY, .words = "fifo deadline fair mclock",
        .about = "Who is served next: fifo; deadline (an elevator in which nobody waits too long); fair "
                 "(device time by "
                 "weight); mclock (the same, after what is reserved). fair with reservations is mclock.",
        .example = "mclock"),
    KEY("hosts.disks.pool", KEY_SIZE, "0B", ANY,
        .about = "Size of its thin pool, from which thin disks take blocks when they are first written; 0B: "
                 "it has "
                 "none.",
        .example = "100GiB"),
    KEY("hosts.disks.grain", KEY_SIZE, "64KiB", IN(512, INT64_C(1) << 30),
        .about = "Block of the pool and of copy-on-write.", .example = "1MiB"),
    KEY("hosts.disks.cache", KEY_SIZE, "0B", ANY,
        .about = "Its cache: a read that hits takes no time of the medium; 0B: none.", .example = "256MiB"),
    KEY("hosts.disks.channels", KEY_COUNT, "8", IN(1, 1024), .only = "model ssd",
        .about = "Channels of the SSD.", .example = "4"),
    KEY("hosts.disks.dies", KEY_COUNT, "4", IN(1, 1024), .only = "model ssd",
        .about = "Dies on each channel, each of them a server of its own.", .example = "8"),
    KEY("hosts.disks.read", KEY_AMOUNT, "60us", ANY, .only = "model ssd",
        .about = "How long a die reads a page: a constant or {exponential: mean}.",
        .example = "{exponential: 60us}"),
    KEY("hosts.disks.program", KEY_AMOUNT, "600us", ANY, .only = "model ssd",
        .about = "How long a die writes a page: a constant or {exponential: mean}.", .example = "500us"),
    KEY("hosts.disks.erase", KEY_DURATION, "3ms", IN(0, SEC(10)), .only = "model ssd",
        .about = "How long a die erases a block.", .example = "2ms"),
    KEY("hosts.disks.spare", KEY_SHARE, "0%", IN(0, PCT(90)), .only = "model ssd",
        .about =
            "Its over-provisioned share, which decides how much is written again to make room; 0%: garbage "
            "is not modelled.",
        .example = "7%"),
    KEY("hosts.disks.preset", KEY_WORD, "hp97560", ANY, .words = "hp97560 sata7200", .only = "model hdd",
        .about = "Which hard disk: hp97560 (1.3 GB, 4002 rpm, 1990s) or sata7200 (7200 rpm, 2010s).",
        .example = "sata7200"),
    KEY("hosts.nics", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "Its network interfaces: a list."),
    KEY("hosts.nics.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated",
        .about = "Name of the interface."),
    KEY("hosts.nics.bandwidth", KEY_BANDWIDTH, "0b/s", ANY,
        .about = "Bits a second, each way, with all framing; 0b/s: no bound.", .example = "10Gb/s",
        .knob = "on KVM the pace of the switch, for frames to peers"),
    KEY("hosts.nics.latency", KEY_DURATION, "0s", ANY, .about = "Time of a frame on its link.",
        .example = "50us"),
    KEY("hosts.nics.mtu", KEY_COUNT, "1500", IN(68, 65535),
        .about = "Bytes of the largest IP packet; 52 of them are headers.", .example = "9000"),
    KEY("hosts.nics.packet_cost", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "CPU time of one packet, each way: of the sending vCPU or of the host's thread.",
        .example = "1us"),
    KEY("hosts.nics.rx_queue", KEY_COUNT, "256", IN(1, INT64_C(1) << 20),
        .about = "Frames that may wait for that CPU time when they come in; more are dropped.",
        .example = "512"),
    KEY("hosts.tlb", KEY_MAP, NULL, ANY, .main = "entries", .about = "The translation look-aside buffer."),
    KEY("hosts.tlb.entries", KEY_COUNT, "0", IN(0, 1000000), .about = "Pages it knows; 0: not modelled.",
        .example = "1536"),
    KEY("hosts.tlb.walk", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "Time of a page walk where nothing is virtualized: 4 references (3 with pages of 2 MiB).",
        .example = "30ns"),
    KEY("hosts.tlb.nested", KEY_NUMBER, "1.5", IN(INT64_C(1000000000), INT64_C(100000000000)),
        .about =
            "How many native walks a nested one costs: it has 24 references instead of 4, most of which hit "
            "caches of the walk.",
        .example = "6"),
    KEY("hosts.mode_costs", KEY_MAP, NULL, ANY,
        .about = "Price of one event in every mode but bare, over what the profile says."),
    KEY("hosts.mode_costs.syscall", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One system call of the guest."),
    KEY("hosts.mode_costs.page_fault", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One page fault that the guest handles itself."),
    KEY("hosts.mode_costs.io_port", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One access to an I/O port.", .example = "2us"),
    KEY("hosts.mode_costs.cr8", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One write to CR8, the register of interrupt priority."),
    KEY("hosts.mode_costs.call_ret", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One call and return."),
    KEY("hosts.mode_costs.divide", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One division by zero, and its exception."),
    KEY("hosts.mode_costs.pte_modify", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One change to a page table."),
    KEY("hosts.mode_costs.doorbell", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One notice to a device that a ring has work."),
    KEY("hosts.mode_costs.mmio", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One access to a device's registers in memory."),
    KEY("hosts.mode_costs.hlt", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One halt when there is nothing to do."),
    KEY("hosts.mode_costs.context_switch", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One change between the guest's processes."),
    KEY("hosts.mode_costs.fork", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One fork."),
    KEY("hosts.mode_costs.exec", KEY_DURATION, NULL, IN(0, SEC(1000)), .def_text = "the profile's",
        .about = "One exec."),
    KEY("hosts.vmm", KEY_NAMES, NULL, ANY, .def_text = "one, for all its VMs",
        .about = "Its hypervisor processes: when one fails, the VMs that belong to it do.",
        .example = "[one, two]"),
    KEY("hosts.power", KEY_MAP, NULL, ANY, .def_text = "not modelled",
        .about = "Electric power. Between idle and busy it follows the share of its pCPUs at work."),
    KEY("hosts.power.idle", KEY_POWER, "0W", ANY, .about = "On, and nothing to do.", .example = "100W"),
    KEY("hosts.power.busy", KEY_POWER, "0W", ANY, .about = "All its pCPUs at work.", .example = "200W"),
    KEY("hosts.power.off", KEY_POWER, "0W", ANY, .about = "Switched off, or failed.", .example = "5W"),
    KEY("hosts.power.curve", KEY_POWERS, NULL, ANY, .def_text = "a straight line from idle to busy",
        .about = "Power at equal steps of load, from none to all: [60W, 120W, 150W, 170W, 180W].",
        .example = "[60W, 120W, 150W, 170W, 180W]"),
    KEY("hosts.power.steps", KEY_MAPS, NULL, ANY, .def_text = "one speed",
        .about =
            "Speeds that its cores can run at (DVFS), the slowest first, the last its own; each tenth of a "
            "second it takes the slowest at which it would be at most 80% busy."),
    KEY("hosts.power.steps.speed", KEY_NUMBER, NULL, IN(1000000, INT64_C(1000000000000)),
        .def_text = "none: it must be stated", .about = "Speed of a core at this step, as cpu.speed."),
    KEY("hosts.power.steps.idle", KEY_POWER, "0W", ANY, .about = "Power at this step with nothing to do.",
        .example = "60W"),
    KEY("hosts.power.steps.busy", KEY_POWER, "0W", ANY, .about = "Power at this step with all pCPUs at work.",
        .example = "90W"),
    KEY("hosts.price", KEY_PRICE, "0/h", ANY, .about = "What an hour powered on costs; counted by the ns.",
        .example = "0.10/h"),
    KEY("hosts.features", KEY_NAMES, NULL, ANY, .def_text = "none",
        .about = "What its CPUs can do beyond the ordinary. A VM that needs a feature runs only where it is "
                 "there.",
        .example = "[avx512]"),
    KEY("hosts.mask", KEY_NAMES, NULL, ANY, .def_text = "none",
        .about = "Features that its VMs are not shown, so that they can move to hosts without them.",
        .example = "[avx512]"),
    KEY("hosts.rack", KEY_NAME, NULL, ANY, .def_text = "none",
        .about = "The rack it stands in, which may fail.", .example = "r1"),
    KEY("hosts.failures", KEY_MAP, NULL, ANY, .def_text = "none by itself",
        .about = "How often it fails by itself, and for how long."),
    KEY("hosts.failures.ttf", KEY_AMOUNT, NULL, ANY, .def_text = "none: it or `trace` must be stated",
        .about = "Time to failure, from the start or the last repair.", .example = "{exponential: 1000h}"),
    KEY("hosts.failures.repair", KEY_AMOUNT, NULL, ANY, .def_text = "none: it must be stated beside ttf",
        .about = "How long a repair takes.", .example = "4h"),
    KEY("hosts.failures.trace", KEY_FILE, NULL, ANY, .def_text = "drawn from ttf and repair",
        .about = "A file of times, one a line, at which it fails and is repaired in turn.",
        .example = "outages.txt"),
    KEY("hosts.limit", KEY_MAP, NULL, ANY, .main = "cpu", .about = "How far placement fills it."),
    KEY("hosts.limit.cpu", KEY_SHARE, "100%", IN(PCT(1), PCT(100)),
        .about =
            "Placement promises no more than this of its pCPUs, times cloud.overcommit.cpu where that is "
            "a number.",
        .example = "60%"),

    KEY("storage", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "Stores that hosts share: a list."),
    KEY("storage.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated",
        .about = "Name of the store."),
    KEY("storage.hosts", KEY_NAMES, NULL, ANY, .def_text = "all hosts",
        .about = "Hosts that reach it; the name of a counted host means each of them.", .example = "[h1]"),
    KEY("storage.iops", KEY_RATE, "0/s", ANY, .bare = true, .about = "Requests a second; 0/s: no bound.",
        .example = "8000/s"),
    KEY("storage.bandwidth", KEY_BANDWIDTH, "0B/s", ANY, .about = "Bytes a second; 0B/s: no bound.",
        .example = "1GB/s"),
    KEY("storage.latency", KEY_DURATION, "0s", ANY, .about = "As hosts.disks.latency.", .example = "200us"),
    KEY("storage.burst", KEY_SIZE, "0B", ANY, .about = "As hosts.disks.burst.", .example = "100MB"),
    KEY("storage.peak", KEY_BANDWIDTH, "0B/s", ANY, .about = "As hosts.disks.peak.", .example = "2GB/s"),
    KEY("storage.queue", KEY_WORD, "fair", ANY, .words = "fifo deadline fair mclock",
        .about = "Who is served next, as hosts.disks.queue.", .example = "mclock"),
    KEY("storage.pool", KEY_SIZE, "0B", ANY, .about = "Size of its thin pool, as hosts.disks.pool.",
        .example = "1TB"),
    KEY("storage.grain", KEY_SIZE, "64KiB", IN(512, INT64_C(1) << 30),
        .about = "Block of the pool and of copy-on-write.", .example = "1MiB"),
    KEY("storage.cache", KEY_SIZE, "0B", ANY, .about = "Its cache, as hosts.disks.cache.", .example = "4GiB"),
    KEY("storage.divide", KEY_WORD, "hosts", ANY, .words = "hosts flat",
        .about =
            "hosts: it is divided among hosts by the sum of their VMs' weights, then inside each host; flat: "
            "among all VMs at once.",
        .example = "flat"),
    KEY("networks", KEY_NAMED, NULL, ANY, .def_text = "none", .about = "Virtual networks: a list."),
    KEY("networks.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated",
        .about = "Name of the network."),
    KEY("networks.kind", KEY_WORD, "bridge", ANY, .words = "bridge nat host-only",
        .about = "bridge: VMs have an identity of their own on the wire; nat: they share the host's, lead "
                 "out, and "
                 "are reached by forward rules only; host-only: inside a host, without a way out.",
        .knob =
            "on KVM a process a network, in a network namespace of its own: nat by libslirp (VLAB_NAT=nft: "
            "by "
            "a tap and nft), bridge by a tap; peers are in that namespace too, nothing leaves the machine"),
    KEY("networks.nics", KEY_PATHS, NULL, ANY, .def_text = "none", .only = "kind bridge nat",
        .about = "The hosts' interfaces it uses, as HOST/NIC, one a host; the name of a counted host means "
                 "each of "
                 "them. An interface may carry several networks."),
    KEY("networks.hosts", KEY_NAMES, NULL, ANY, .def_text = "all hosts", .only = "kind host-only",
        .about = "The hosts that have this network, each one of its own."),
    KEY("networks.uplink", KEY_NAME, NULL, ANY, .def_text = "none: a switch by itself",
        .only = "kind bridge nat",
        .about =
            "The switch that it leads to. Networks with the same uplink meet there; where a network has that "
            "name, it is that one.",
        .example = "core"),
    KEY("networks.latency", KEY_DURATION, "0s", ANY, .about = "Time of a frame across it.",
        .example = "10us"),
    KEY("networks.bandwidth", KEY_BANDWIDTH, "0b/s", ANY,
        .about =
            "Bits a second of its port to the uplink, each way; of a host-only network, of the copy inside "
            "the host; 0b/s: no bound.",
        .example = "10Gb/s"),
    KEY("networks.ports", KEY_COUNT, "64000", IN(1, 65535), .only = "kind nat",
        .about = "Connections it can have open at once.", .example = "100"),
    KEY("networks.hold", KEY_DURATION, "60s", ANY, .only = "kind nat",
        .about = "How long after its last packet a connection keeps its port.", .example = "5s"),
    KEY("networks.rewrite", KEY_DURATION, "0s", IN(0, SEC(1)), .only = "kind nat",
        .about = "CPU time to rewrite a packet.", .example = "1us"),
    KEY("peers", KEY_NAMED, NULL, ANY, .def_text = "none",
        .about = "Machines that are not simulated but send and answer: a list."),
    KEY("peers.name", KEY_NAME, NULL, ANY, .def_text = "none: it must be stated",
        .about = "Name of the machine."),
    KEY("peers.on", KEY_NAME, "outside", ANY,
        .about = "The network it hangs on: a bridge, or the switch behind a nat's NIC; outside: beyond all "
                 "networks, "
                 "where every bridge and nat leads."),
};

#endif
