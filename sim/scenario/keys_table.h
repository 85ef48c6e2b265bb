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
#define NS_MOST  (SEC(1000000000)) /* a number of ns: one second */
#define PCT(n)   (INT64_C(10000) * (n))
/* A key of the grammar that is not built yet. */
#define LATER(p, t, part, text)                                                                              \
    {                                                                                                        \
        .path = p, .len = sizeof(p) - 1, .type = t, .later = part, .hi = INT64_MAX, .about = text            \
    }
#define LATER_KEY(p, part, text) LATER(p, KEY_TEXT, part, text)
/* path, type, default, range */
#define KEY(p, t, d, ...)                                                                                    \
    {                                                                                                        \
        .path = p, .len = sizeof(p) - 1, .type = t, .def = d, __VA_ARGS__                                    \
    }

static const struct key keys_first[] = {
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
};

/* Between the two stand keys_hosts.h (hosts, storage, networks, peers, images) and keys_vms.h. */

static const struct key keys_table[] = {
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
    KEY(KEY_PROFILE ".measured.exit", KEY_DURATION, "0s", IN(0, SEC(1)),
        .about = "One exit to user space and back."),
    KEY(KEY_PROFILE ".measured.kick", KEY_DURATION, "0s", ANY,
        .about = "From asking a running vCPU to stop until it has: slices last so much longer, but those of "
                 "Linux's own scheduler (eevdf)."),
    KEY(KEY_PROFILE ".measured.switch", KEY_DURATION, "0s", ANY,
        .about = "From one vCPU thread stopping to the next one running."),
    KEY(KEY_PROFILE ".measured.slice", KEY_DURATION, "0s", ANY,
        .about = "Median slice of the host kernel's own scheduler."),
    KEY(KEY_PROFILE ".measured.tick", KEY_DURATION, "0s", ANY, .about = "Tick of the host kernel, 1/HZ."),
    KEY(KEY_PROFILE ".measured.reference", KEY_NUMBER, "0", IN(0, NS_MOST),
        .about = "ns of a page reference that hits; hosts.memory.ref_cost where that is not stated."),
    KEY(KEY_PROFILE ".measured.ops", KEY_MAP, NULL, ANY,
        .about = "ns of one event of `ops` under hardware virtualization, as of hosts.mode_costs."),
    KEY(KEY_PROFILE ".measured.ops.io_port", KEY_NUMBER, "0", IN(0, NS_MOST), .about = "A port's."),
    KEY(KEY_PROFILE ".measured.ops.mmio", KEY_NUMBER, "0", IN(0, NS_MOST), .about = "A device register's."),
    KEY(KEY_PROFILE ".measured.ops.hlt", KEY_NUMBER, "0", IN(0, NS_MOST), .about = "A halt's."),
    KEY(KEY_PROFILE ".measured.ops.doorbell", KEY_NUMBER, "0", IN(0, NS_MOST), .about = "A doorbell's."),
    KEY(KEY_PROFILE ".measured.ops.call_ret", KEY_NUMBER, "0", IN(0, NS_MOST),
        .about = "A call's and its return's."),
    KEY(KEY_PROFILE ".measured.ops.page_fault", KEY_NUMBER, "0", IN(0, NS_MOST),
        .about = "A page's first touch."),
};

#endif
