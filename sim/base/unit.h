// SPDX-License-Identifier: GPL-3.0-or-later
/* unit.h - amounts as people write them, exactly, in whole base units.
 *
 * `2.5ms` is 2500000 ns; `0.1ns` is refused, as is what does not fit. A unit is obligatory wherever the
 * amount has one, and `4G` is refused because it does not say of which. GiB = 2^30 bytes, GB = 10^9. */
#ifndef VLAB_BASE_UNIT_H
#define VLAB_BASE_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unit_kind {
    UNIT_DURATION,  /* ns; ns us ms s m h d; at most 2^63 - 1, 292 years */
    UNIT_SIZE,      /* bytes; B kB MB GB TB KiB MiB GiB TiB */
    UNIT_RATE,      /* millionths of one a second; /s */
    UNIT_SHARE,     /* millionths; % */
    UNIT_COUNT,     /* whole number without a unit */
    UNIT_NUMBER,    /* billionths of a plain number */
    UNIT_POWER,     /* milliwatts; mW W kW */
    UNIT_PRICE,     /* millionths of a unit of money an hour; /h */
    UNIT_BANDWIDTH, /* bits a second; b/s kb/s Mb/s Gb/s Tb/s, B/s kB/s ... GiB/s: a byte is 8 bits */
};

struct unit_why {
    char text[200];
    char hint[120]; /* "" where there is none */
};

/* False: `why` says what is wrong with it. Negative amounts are refused. */
bool unit_parse(enum unit_kind kind, const char *text, size_t len, int64_t *out, struct unit_why *why);
/* How many base units a kind's first unit has: 1000000 for /s. */
int64_t unit_base(enum unit_kind kind);
/* The shortest exact way to write it that unit_parse reads back to the same. Returns out. */
char *unit_format(enum unit_kind kind, int64_t value, char *out, size_t size);
/* For people: four digits with a fitting unit, as "71.3 ms". `unit` is a result's: "s", "B", "1/s", ""
 * (plain). */
char *unit_show(const char *unit, double value, char *out, size_t size);
/* "a duration", with its article. */
const char *unit_kind_name(enum unit_kind kind);
/* The units there are, for messages and manuals: "ns us ms s m h d". */
const char *unit_kind_units(enum unit_kind kind);

#endif
