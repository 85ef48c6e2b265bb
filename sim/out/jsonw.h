// SPDX-License-Identifier: GPL-3.0-or-later
/* jsonw.h - the one object of `--json`.
 *
 *   {"vlab":1,"scenario":..,"backend":..,"fidelity":..,"seed":..,"replications":..,"duration_s":..,
 *    "results":[{"entity":..,"metric":..,"stat":..,"unit":..,"value":..,"ci95":[lo,hi]},..],
 *    "expect":[{"text":..,"verdict":"holds"},..]}
 *
 * `value` is the mean over replications, `ci95` its Student-t interval, null where fewer than two
 * replications have the figure. Of a sweep each row has "point" first. A whole number that all
 * replications agree on is printed as one, all other values with point or exponent; what is not a
 * number is null. The text is written by hand since jansson prints 0.0314 as 0.031399999999999997. */
#ifndef VLAB_OUT_JSONW_H
#define VLAB_OUT_JSONW_H

#include <stdio.h>

#include "out/report.h"

/* The text in quotes, escaped; bytes that are no UTF-8 become U+FFFD. */
void jsonw_string(FILE *f, const char *text);
/* Ends with a line feed. */
void jsonw_report(FILE *f, const struct report *rp);

#endif
