// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A locale's decimal point, whatever it is and however long, becomes '.'. */
static void point(char *s)
{
    char *to = s;
    for (char *from = s; *from; from++) {
        if (strchr("0123456789+-e", *from)) {
            *to++ = *from;
        } else if (to == s || to[-1] != '.') {
            *to++ = '.';
        }
    }
    *to = '\0';
}

char *num_text(char *buf, double x)
{
    if (isnan(x)) return strcpy(buf, "nan");
    if (isinf(x)) return strcpy(buf, x > 0 ? "inf" : "-inf");
    if (x == 0.0) return strcpy(buf, "0"); /* no "-0" */
    /* 15 digits print every decimal of up to 15 digits as itself; 17 tell any two doubles apart. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, NUM_LEN, "%.*g", digits, x);
        if (digits == 17 || strtod(buf, NULL) == x) break;
    }
    point(buf);
    return buf;
}

char *num_json(char *buf, double x)
{
    if (!isfinite(x)) return strcpy(buf, "null");
    num_text(buf, x);
    return strpbrk(buf, ".e") ? buf : strcat(buf, ".0");
}

char *num_whole(char *buf, uint64_t x)
{
    snprintf(buf, NUM_LEN, "%" PRIu64, x);
    return buf;
}

char *num_seconds(char *buf, int64_t t_ns)
{
    uint64_t u = t_ns < 0 ? -(uint64_t)t_ns : (uint64_t)t_ns;
    int n = snprintf(buf, NUM_LEN, "%s%" PRIu64 ".%09" PRIu64, t_ns < 0 ? "-" : "", u / 1000000000,
                     u % 1000000000);
    while (buf[n - 1] == '0')
        buf[--n] = '\0';
    if (buf[n - 1] == '.') buf[n - 1] = '\0';
    return buf;
}

char *num_micros(char *buf, int64_t t_ns)
{
    uint64_t u = t_ns < 0 ? -(uint64_t)t_ns : (uint64_t)t_ns;
    snprintf(buf, NUM_LEN, "%s%" PRIu64 ".%03" PRIu64, t_ns < 0 ? "-" : "", u / 1000, u % 1000);
    return buf;
}

/* Three significant digits, without exponent, for 0.001 <= |x| < 1e15 or so. */
static void three(char *buf, double x)
{
    double a = fabs(x);
    int decimals = a >= 99.95 ? 0 : a >= 9.995 ? 1 : a >= 0.9995 ? 2 : a >= 0.09995 ? 3 : 4;
    snprintf(buf, NUM_LEN, "%.*f", decimals, x);
    point(buf);
}

/* x in the largest of the sizes it reaches, with its name. */
static char *sized(char *buf, double x, const double *size, const char *const *name, size_t n,
                   const char *after)
{
    size_t i = 0;
    /* The half of the last digit is counted in, so 999.7 us is 1.00 ms and not 1000 us. */
    while (i + 1 < n && fabs(x) < size[i] * 0.9995)
        i++;
    char digits[NUM_LEN];
    three(digits, x / size[i]);
    snprintf(buf, NUM_LEN, "%.20s %s%.10s", digits, name[i], after);
    return buf;
}

char *num_time(char *buf, double s)
{
    static const double size[] = {86400, 3600, 60, 1, 1e-3, 1e-6, 1e-9};
    static const char *const name[] = {"d", "h", "min", "s", "ms", "us", "ns"};
    if (!isfinite(s)) return strcpy(buf, "-");
    if (s == 0.0) return strcpy(buf, "0 s");
    /* Up to 100 s a number of seconds is the more familiar. */
    size_t skip = fabs(s) < 99.95 ? 3 : fabs(s) < 7200 ? 2 : fabs(s) < 172800 ? 1 : 0;
    return sized(buf, s, size + skip, name + skip, 7 - skip, "");
}

char *num_human(char *buf, double x, const char *unit)
{
    static const double size[] = {1e12, 1e9, 1e6, 1e3, 1};
    static const char *const name[] = {"T", "G", "M", "k", ""};
    if (!isfinite(x)) return strcpy(buf, "-");
    if (strcmp(unit, "s") == 0) return num_time(buf, x);
    const char *after = strcmp(unit, "1/s") == 0 ? "/s" : unit;
    if (x == 0.0) {
        snprintf(buf, NUM_LEN, "0%s%.10s", *after && *after != '/' ? " " : "", after);
        return buf;
    }
    bool counts = !*after || *after == '/', small = fabs(x) < 999.5;
    if (counts && !small && fabs(x) < 9999.5) { /* 1711/s says more than 1.71 k/s, and is no longer */
        snprintf(buf, NUM_LEN, "%.0f%.10s", x, after);
        return buf;
    }
    sized(buf, x, size, name, 5, after);
    if (small && counts) { /* "398/s", not "398 /s" */
        char *gap = strchr(buf, ' ');
        memmove(gap, gap + 1, strlen(gap));
    }
    return buf;
}

bool num_in_bits(const char *metric, const char *unit)
{
    return strcmp(unit, "B/s") == 0 && strncmp(metric, "net.", 4) == 0;
}

bool num_is_memory(const char *metric, const char *unit)
{
    return strcmp(unit, "B") == 0 && strncmp(metric, "mem.", 4) == 0;
}

char *num_metric(char *buf, double x, const char *metric, const char *unit)
{
    bool bits = num_in_bits(metric, unit);
    if (strncmp(metric, "events.", 7) == 0 && !*unit && x == floor(x) && fabs(x) < 1000) {
        snprintf(buf, NUM_LEN, "%.0f", x); /* how often something happened */
        return buf;
    }
    if (num_is_memory(metric, unit) && isfinite(x) && fabs(x) >= 1023.5) {
        static const double size[] = {0x1p40, 0x1p30, 0x1p20, 0x1p10};
        static const char *const name[] = {"Ti", "Gi", "Mi", "Ki"};
        return sized(buf, x, size, name, 4, unit);
    }
    return num_human(buf, bits ? 8 * x : x, bits ? "b/s" : unit);
}

char *num_percent(char *buf, double share)
{
    if (!isfinite(share)) return strcpy(buf, "-");
    double p = share * 100, a = fabs(p);
    snprintf(buf, NUM_LEN, "%.*f%%", a == 0.0 || a >= 99.95 ? 0 : a >= 0.095 ? 1 : 2, p);
    char *end = strchr(buf, '%');
    *end = '\0';
    point(buf);
    return strcat(buf, "%");
}
