// SPDX-License-Identifier: GPL-3.0-or-later
/* names.h - every metric there is, once: on what, in which unit, with which stats, meaning what.
 *
 * What measures, what checks `expect:` and what explains all use this table. Entities are written
 * `vm.NAME`, `vm.NAME.vcpuN`, `host.NAME`, `host.NAME.pcpuN`, `host.NAME.disk.D`, `host.NAME.nic.N`,
 * `storage.NAME`, `network.NAME`, `peer.NAME`, `service.NAME`, `cluster`. */
#ifndef VLAB_SCENARIO_NAMES_H
#define VLAB_SCENARIO_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum name_kind {
    NAME_STATE,    /* time in a state: total share rate */
    NAME_SHARE,    /* share */
    NAME_COUNT,    /* total rate */
    NAME_EVENTS,   /* total first last */
    NAME_TIME,     /* a time that is told once: total */
    NAME_LEVEL,    /* mean max */
    NAME_DIST,     /* distribution: count mean p50 p95 p99 max */
    NAME_CHECKSUM, /* total, exact */
    NAME_SCALAR,   /* share, by which a number without a unit goes: fairness, slowdown */
    NAME_NKINDS
};

enum name_entity { /* bits */
                   NAME_ON_VM = 1,
                   NAME_ON_VCPU = 2,
                   NAME_ON_HOST = 4,
                   NAME_ON_PCPU = 8,
                   NAME_ON_CLUSTER = 16,
                   NAME_ON_DISK = 32, /* of a host */
                   NAME_ON_NIC = 64,
                   NAME_ON_STORAGE = 128,
                   NAME_ON_NETWORK = 256,
                   NAME_ON_PEER = 512,
                   NAME_ON_SERVICE = 1024,
                   NAME_ON_EVERY = 2047
};

struct name_metric {
    /* "cpu.ready"; "events.KIND" stands for every kind of event, "exits.REASON" for every kind of `ops`,
     * "net.reach.NAME" for every VM and peer */
    const char *name;
    enum name_kind kind;
    const char *unit;  /* of the amount itself: "s", "1/s", "B", "" for shares and counts */
    unsigned on;       /* enum name_entity */
    const char *later; /* NULL: built */
    const char *about;
    const char *formula;
};

size_t name_count(void);
const struct name_metric *name_at(size_t i);
/* Finds a metric by its full name (`events.fault` finds the row of events; of `net.reach.x` it does not know
 * whether there is an x). NULL: none. */
const struct name_metric *name_find(const char *metric);
/* Whether it is a row's own name that stands for several: "events.KIND" itself is no metric. */
bool name_is_pattern(const char *metric);
/* "exits.io_port": every name there is but those of net.reach, in the table's order. Text for i lies in out,
 * NULL: that was the last. */
const char *name_each(size_t i, char *out, size_t size);
/* The stats of a kind, separated by spaces; the default in `expect` comes first. */
const char *name_stats(enum name_kind kind);
/* The other default: cpu.STATE without a stat is compared as share, or with times as total. NULL: none. */
const char *name_second_stat(enum name_kind kind);
bool name_has_stat(enum name_kind kind, const char *stat);
/* The unit of one stat: a count's `rate` is "1/s", a distribution's `count` "". Constant text. */
const char *name_unit(const struct name_metric *m, const char *stat);
/* The most a stat can be (HUGE_VAL: no bound); the least is 0. */
double name_most(const struct name_metric *m, const char *stat);
/* "vm, vcpu, host", for people. Returns out. */
char *name_entities(unsigned on, char *out, size_t size);
/* "io_port": enum prog_op by its name in `ops`, `mode_costs` and exits.REASON. */
const char *name_op(unsigned op);

#endif
