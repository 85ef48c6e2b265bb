// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab kvm baseline: guests against native processes. */
#include "kvm/runner/baseline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define REPEATS     41u /* in each process, short ones: most lie within one slice of a busy machine */
#define REPEAT_NS   500000
#define QUICK_PAIRS 5u
#define KIB         UINT64_C(1024)
#define MIB         (1024 * KIB)

/* ns of a step in one process. */
static int once(const struct host *h, uint64_t bytes, double *ns, char **why)
{
    struct measure m = {0};
    int r = bytes ? measure_walk(h, bytes, REPEATS, REPEAT_NS, &m, why)
                  : measure_loop(h, REPEATS, REPEAT_NS, &m, why);
    if (r != 0) return -1;
    *ns = bytes ? measure_at(&m, 1 - MEASURE_PACE) : 1000 / measure_at(&m, MEASURE_PACE);
    return 0;
}

/* Of sorted values: the interquartile range of a normal distribution is 1.349 of its standard deviations, and
 * the median of n has 1.2533 / sqrt(n) of one. */
static double error_of_median(const struct measure *m)
{
    return 1.2533 / 1.349 * (measure_at(m, 0.75) - measure_at(m, 0.25)) / sqrt(m->n);
}

int baseline_measure(const struct host *native, const struct host *guest, uint64_t bytes, uint32_t pairs,
                     struct baseline_row *row, char **why)
{
    struct measure n = {0}, g = {0}, ratio = {0};
    ASSERT(pairs > 0 && pairs <= MEASURE_MAX);
    for (uint32_t i = 0; i < pairs; i++) {
        double a = 0, b = 0;
        int r = i % 2 == 0 ? once(native, bytes, &a, why) : once(guest, bytes, &b, why);
        if (r == 0) r = i % 2 == 0 ? once(guest, bytes, &b, why) : once(native, bytes, &a, why);
        if (r != 0) return -1;
        measure_add(&n, a);
        measure_add(&g, b);
        measure_add(&ratio, b / a);
    }
    measure_sort(&n);
    measure_sort(&g);
    measure_sort(&ratio);
    *row = (struct baseline_row){.bytes = bytes,
                                 .native = measure_at(&n, 0.5),
                                 .guest = measure_at(&g, 0.5),
                                 .ratio = measure_at(&ratio, 0.5),
                                 .spread = error_of_median(&ratio),
                                 .pairs = pairs};
    return 0;
}

static void print_row(const struct baseline_row *r)
{
    char what[32] = "1000 iterations";
    if (r->bytes >= MIB)
        snprintf(what, sizeof what, "walk %ju MiB", (uintmax_t)(r->bytes / MIB));
    else if (r->bytes)
        snprintf(what, sizeof what, "walk %ju KiB", (uintmax_t)(r->bytes / KIB));
    printf("%-16s %10.2f %10.2f %8.3f %8.3f %4u\n", what, r->native, r->guest, r->ratio, r->spread, r->pairs);
    fflush(stdout);
}

static int measure_all(const struct host *native, const struct host *guest, uint32_t pairs, char **why)
{
    /* By 4 from the innermost cache on, and 256 MiB, which no cache holds. */
    static const uint64_t sizes[] = {0,       32 * KIB, 128 * KIB, 512 * KIB, 2 * MIB,
                                     8 * MIB, 32 * MIB, 128 * MIB, 256 * MIB};
    struct baseline_row row;
    printf("%-16s %10s %10s %8s %8s %4s\n", "ns each", "native", "guest", "ratio", "+-", "n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (baseline_measure(native, guest, sizes[i], pairs, &row, why) != 0) return -1;
        print_row(&row);
    }
    return 0;
}

static const char usage[] = "usage: vlab kvm baseline [--quick]\n"
                            "The same code in a guest and in a native process, in turn: the counted loop of "
                            "a `cpu` step, and loads that\n"
                            "wait for each other all over 32 KiB to 256 MiB. ratio: guest/native, the median "
                            "of n pairs; +-: the standard\n"
                            "error of that median.\n"
                            "  --quick   5 pairs instead of 11\n"
                            "example:\n"
                            "  vlab kvm baseline --quick\n";

int kvm_cmd_baseline(int argc, char **argv)
{
    uint32_t pairs = BASELINE_PAIRS;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--quick") != 0) {
            fprintf(stderr, "vlab kvm baseline: unknown option %s\n%s", argv[i], usage);
            return 2;
        }
        pairs = QUICK_PAIRS;
    }
    struct host native, guest;
    char *why = NULL;
    enum kvm_status st = host_open_native(&native, &why);
    if (st == KVM_OK) {
        st = host_open(&guest, &why);
        if (st == KVM_OK && measure_all(&native, &guest, pairs, &why) != 0) st = KVM_FAILED;
        host_close(&guest);
    }
    host_close(&native);
    if (st != KVM_OK) fprintf(stderr, "vlab kvm baseline: %s\n", why ? why : "failed");
    free(why);
    return (int)st;
}
