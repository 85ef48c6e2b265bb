// SPDX-License-Identifier: GPL-3.0-or-later
/* num.h - numbers as text: for machines the shortest that reads back to the same bits, for people three
 * digits.
 *
 * Neither depends on the locale. Every function writes into a buffer of NUM_LEN and returns it, so a
 * call can stand as an argument: num_text((char[NUM_LEN]){0}, x). */
#ifndef VLAB_OUT_NUM_H
#define VLAB_OUT_NUM_H

#include <stdbool.h>
#include <stdint.h>

#define NUM_LEN 40

char *num_text(char *buf, double x);    /* 0.0314, 1e-09, 60, nan, inf, -inf */
char *num_json(char *buf, double x);    /* the same, a real always with point or exponent; NaN, inf: null */
char *num_whole(char *buf, uint64_t x); /* 9007199254740993 */
char *num_seconds(char *buf, int64_t t_ns); /* exact: 31.2, 0.000000001 */
char *num_micros(char *buf, int64_t t_ns);  /* exact, three decimals: 31200000.000 */

/* For people: three significant digits (of counts four, where that makes them whole) and a unit of fitting
 * size. */
char *num_time(char *buf, double seconds); /* 30.2 ms; past 100 s: 12.5 min, 3.20 h, 4.10 d */
char *num_human(char *buf, double x,
                const char *unit); /* by unit: "s" as num_time, "1/s" 1.25 k/s, "" 1.25 M, below 10^4 1711 */
/* A figure of a metric: as num_human, but what a network carries a second is in bits, as its links are, and
 * memory in KiB, MiB, GiB, as its sizes are. */
char *num_metric(char *buf, double x, const char *metric, const char *unit);
bool num_in_bits(const char *metric, const char *unit);
bool num_is_memory(const char *metric, const char *unit); /* a level of memory */
char *num_percent(char *buf, double share);               /* 33.3%, 0.04%, 100% */

#endif
