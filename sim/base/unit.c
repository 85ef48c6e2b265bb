// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

struct suffix {
    const char *text;
    enum unit_kind kind;
    int64_t base; /* base units in one */
};

static const struct suffix suffixes[] = {
    {"ns", UNIT_DURATION, 1},
    {"us", UNIT_DURATION, 1000},
    {"ms", UNIT_DURATION, 1000000},
    {"s", UNIT_DURATION, 1000000000},
    {"m", UNIT_DURATION, INT64_C(60000000000)},
    {"h", UNIT_DURATION, INT64_C(3600000000000)},
    {"d", UNIT_DURATION, INT64_C(86400000000000)},
    {"B", UNIT_SIZE, 1},
    {"kB", UNIT_SIZE, 1000},
    {"KiB", UNIT_SIZE, INT64_C(1) << 10},
    {"MB", UNIT_SIZE, 1000000},
    {"MiB", UNIT_SIZE, INT64_C(1) << 20},
    {"GB", UNIT_SIZE, 1000000000},
    {"GiB", UNIT_SIZE, INT64_C(1) << 30},
    {"TB", UNIT_SIZE, INT64_C(1000000000000)},
    {"TiB", UNIT_SIZE, INT64_C(1) << 40},
    {"/s", UNIT_RATE, 1000000},
    {"%", UNIT_SHARE, 10000},
    {"mW", UNIT_POWER, 1},
    {"W", UNIT_POWER, 1000},
    {"kW", UNIT_POWER, 1000000},
    {"/h", UNIT_PRICE, 1000000},
    {"b/s", UNIT_BANDWIDTH, 1},
    {"kb/s", UNIT_BANDWIDTH, 1000},
    {"Mb/s", UNIT_BANDWIDTH, 1000000},
    {"Gb/s", UNIT_BANDWIDTH, 1000000000},
    {"Tb/s", UNIT_BANDWIDTH, INT64_C(1000000000000)},
    {"B/s", UNIT_BANDWIDTH, 8},
    {"kB/s", UNIT_BANDWIDTH, 8000},
    {"KiB/s", UNIT_BANDWIDTH, INT64_C(8) << 10},
    {"MB/s", UNIT_BANDWIDTH, 8000000},
    {"MiB/s", UNIT_BANDWIDTH, INT64_C(8) << 20},
    {"GB/s", UNIT_BANDWIDTH, INT64_C(8000000000)},
    {"GiB/s", UNIT_BANDWIDTH, INT64_C(8) << 30},
    {"", UNIT_COUNT, 1},
    {"", UNIT_NUMBER, 1000000000},
};
#define N_SUFFIXES (sizeof suffixes / sizeof suffixes[0])

static const struct {
    const char *name, *units, *example;
} kinds[] = {
    [UNIT_DURATION] = {"a duration", "ns us ms s m h d", "10ms"},
    [UNIT_SIZE] = {"a size", "B kB MB GB TB KiB MiB GiB TiB", "4GiB"},
    [UNIT_RATE] = {"a rate", "/s", "400/s"},
    [UNIT_SHARE] = {"a share", "%", "25%"},
    [UNIT_COUNT] = {"a whole number", "", "4"},
    [UNIT_NUMBER] = {"a number", "", "0.5"},
    [UNIT_POWER] = {"a power", "mW W kW", "100W"},
    [UNIT_PRICE] = {"a price", "/h", "0.10/h"},
    [UNIT_BANDWIDTH] = {"a bandwidth", "b/s kb/s Mb/s Gb/s Tb/s B/s kB/s MB/s GB/s KiB/s MiB/s GiB/s",
                        "500MB/s"},
};

const char *unit_kind_name(enum unit_kind kind)
{
    return kinds[kind].name;
}

int64_t unit_base(enum unit_kind kind)
{
    size_t i = 0;
    while (suffixes[i].kind != kind)
        i++;
    return suffixes[i].base;
}

const char *unit_kind_units(enum unit_kind kind)
{
    return kinds[kind].units;
}

/* mantissa * 10^exponent, mantissa below 10^24. */
struct decimal {
    unsigned __int128 mantissa;
    int exponent;
    bool negative;
    bool long_; /* more digits than are kept: cannot be exact */
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many characters the number takes; 0: there is none. */
static size_t read_decimal(const char *s, size_t len, struct decimal *d)
{
    size_t i = 0, digits = 0;
    bool point = false;
    int kept = 0;
    *d = (struct decimal){0};
    if (i < len && (s[i] == '-' || s[i] == '+')) d->negative = s[i++] == '-';
    for (; i < len && (digit(s[i]) || (s[i] == '.' && !point)); i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        digits++;
        if (kept < 24) {
            d->mantissa = d->mantissa * 10 + (unsigned)(s[i] - '0');
            if (d->mantissa) kept++;
            d->exponent -= point;
        } else {
            if (s[i] != '0') d->long_ = true;
            if (!point && d->exponent < 100000) d->exponent++;
        }
    }
    if (!digits) return 0;
    /* An exponent only where digits follow: otherwise the `e` would begin a unit. */
    size_t j = i + 1;
    bool minus = j < len && s[j] == '-';
    if (j < len && (s[j] == '-' || s[j] == '+')) j++;
    if (i < len && (s[i] == 'e' || s[i] == 'E') && j < len && digit(s[j])) {
        int e = 0;
        for (; j < len && digit(s[j]); j++)
            if (e < 100000) e = e * 10 + (s[j] - '0');
        d->exponent += minus ? -e : e;
        i = j;
    }
    while (d->mantissa && d->mantissa % 10 == 0) {
        d->mantissa /= 10;
        d->exponent++;
    }
    return i;
}

enum scale { SCALE_OK, SCALE_FINE, SCALE_BIG };

static enum scale scale(struct decimal d, int64_t base, int64_t *out)
{
    if (!d.mantissa) return *out = 0, SCALE_OK;
    /* The mantissa is below 2^80 and the greatest base (a day) below 2^47. */
    unsigned __int128 v = d.mantissa * (unsigned __int128)base;
    for (; d.exponent > 0; d.exponent--) {
        if (v > INT64_MAX) return SCALE_BIG;
        v *= 10;
    }
    for (; d.exponent < 0; d.exponent++) {
        if (v % 10) return SCALE_FINE;
        v /= 10;
    }
    if (v > INT64_MAX) return SCALE_BIG;
    if (d.long_) return SCALE_FINE;
    *out = (int64_t)v;
    return SCALE_OK;
}

static const struct suffix *find_suffix(enum unit_kind kind, const char *s, size_t len)
{
    for (size_t i = 0; i < N_SUFFIXES; i++)
        if (suffixes[i].kind == kind && strlen(suffixes[i].text) == len && !strncmp(suffixes[i].text, s, len))
            return &suffixes[i];
    return NULL;
}

static bool same_word(const char *s, size_t len, const char *word)
{
    return strlen(word) == len && !strncasecmp(s, word, len);
}

/* "Gb", "Gbps", "Gbit/s" and "500M" are what people write for Gb/s and 500MB/s. */
static void near_bandwidth(const char *s, size_t len, const char *u, size_t n, struct unit_why *why)
{
    static const char *const ends[] = {"b", "bps", "bit", "bits", "bit/s", "bits/s"};
    size_t scaled = strchr("kKMGT", *u) != NULL;
    int number = (int)len;
    char scale[2] = {scaled ? *u == 'K' ? 'k' : *u : '\0', '\0'};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (n - scaled == strlen(ends[i]) && !strncmp(u + scaled, ends[i], n - scaled))
            snprintf(why->hint, sizeof why->hint, "did you mean `%.*s%sb/s`?", number, s, scale);
    if (scaled && n == 1)
        snprintf(why->hint, sizeof why->hint, "write `%.*s%sB/s` (bytes) or `%.*s%sb/s` (bits)", number, s,
                 scale, number, s, scale);
}

/* What is wrong with the unit `u`, n characters after a number of `len`. */
static void wrong_unit(enum unit_kind kind, const char *s, size_t len, const char *u, size_t n,
                       struct unit_why *why)
{
    int total = (int)(len + n), number = (int)len;
    if (!n) {
        snprintf(why->text, sizeof why->text, "`%.*s` has no unit; %s needs one: %s", total, s,
                 kinds[kind].name, kinds[kind].units);
        if (kind == UNIT_DURATION)
            snprintf(why->hint, sizeof why->hint, "write `%.*ss` or `%.*sms`", number, s, number, s);
        else if (kind == UNIT_SIZE)
            snprintf(why->hint, sizeof why->hint, "write `%.*sB` or `%.*sMiB`", number, s, number, s);
        else if (kind == UNIT_BANDWIDTH)
            snprintf(why->hint, sizeof why->hint, "write `%.*sMB/s` (bytes) or `%.*sMb/s` (bits)", number, s,
                     number, s);
        else
            snprintf(why->hint, sizeof why->hint, "write `%.*s%s`", number, s, kinds[kind].units);
        return;
    }
    if (kind == UNIT_SIZE && n == 1 && strchr("kKMGTmgt", *u)) {
        char c = *u == 'k' || *u == 'K' ? 'K' : (char)(*u & ~0x20);
        snprintf(why->text, sizeof why->text, "`%.*s` does not say which unit", total, s);
        snprintf(why->hint, sizeof why->hint, "write `%.*s%ciB` (binary) or `%.*s%cB` (decimal)", number, s,
                 c, number, s, c == 'K' ? 'k' : c);
        return;
    }
    for (size_t i = 0; i < N_SUFFIXES; i++) {
        const struct suffix *x = &suffixes[i];
        if (x->kind == kind || strlen(x->text) != n || strncmp(x->text, u, n) != 0) continue;
        snprintf(why->text, sizeof why->text, "`%.*s` is %s; %s is wanted", total, s, kinds[x->kind].name,
                 kinds[kind].name);
        if (kind == UNIT_BANDWIDTH && x->kind == UNIT_SIZE)
            snprintf(why->hint, sizeof why->hint, "did you mean `%.*s/s`?", total, s);
        else if (kind == UNIT_SIZE && x->kind == UNIT_BANDWIDTH && u[n - 3] == 'B')
            snprintf(why->hint, sizeof why->hint, "did you mean `%.*s`?", total - 2, s);
        else if (kind != UNIT_COUNT && kind != UNIT_NUMBER)
            snprintf(why->hint, sizeof why->hint, "for example `%s`", kinds[kind].example);
        return;
    }
    snprintf(why->text, sizeof why->text, "`%.*s` is not a unit of %s%s%s", (int)n, u, kinds[kind].name,
             *kinds[kind].units ? ": " : "", kinds[kind].units);
    static const char *const words[][2] = {{"sec", "s"},   {"second", "s"},  {"seconds", "s"},
                                           {"min", "m"},   {"minutes", "m"}, {"hours", "h"},
                                           {"hour", "h"},  {"days", "d"},    {"day", "d"},
                                           {"msec", "ms"}, {"usec", "us"},   {"\xc2\xb5s", "us"}};
    for (size_t i = 0; kind == UNIT_DURATION && i < sizeof words / sizeof words[0]; i++)
        if (same_word(u, n, words[i][0]))
            snprintf(why->hint, sizeof why->hint, "did you mean `%.*s%s`?", number, s, words[i][1]);
    if (kind == UNIT_BANDWIDTH) near_bandwidth(s, len, u, n, why);
    const char *bare = u;
    size_t m = n;
    while (m && *bare == ' ')
        bare++, m--;
    for (size_t i = 0; m && i < N_SUFFIXES; i++)
        if (suffixes[i].kind == kind && same_word(bare, m, suffixes[i].text) &&
            (kind != UNIT_BANDWIDTH || bare[m - 3] == suffixes[i].text[m - 3])) /* b and B differ */
            snprintf(why->hint, sizeof why->hint, "did you mean `%.*s%s`?", number, s, suffixes[i].text);
}

bool unit_parse(enum unit_kind kind, const char *text, size_t len, int64_t *out, struct unit_why *why)
{
    struct decimal d;
    *why = (struct unit_why){0};
    int shown = len > 60 ? 60 : (int)len;
    size_t n = read_decimal(text, len, &d);
    if (!n || n > 60) {
        snprintf(why->text, sizeof why->text, "`%.*s` is not %s", shown, text, kinds[kind].name);
        snprintf(why->hint, sizeof why->hint, "for example `%s`", kinds[kind].example);
        return false;
    }
    const struct suffix *x = find_suffix(kind, text + n, len - n);
    if (!x) {
        wrong_unit(kind, text, n, text + n, len - n > 40 ? 40 : len - n, why);
        return false;
    }
    if (d.negative && d.mantissa) {
        snprintf(why->text, sizeof why->text, "`%.*s` is negative", shown, text);
        return false;
    }
    static const char *const finer[] = {
        [UNIT_DURATION] = "finer than a nanosecond",
        [UNIT_SIZE] = "not a whole number of bytes",
        [UNIT_RATE] = "finer than a millionth of 1/s",
        [UNIT_SHARE] = "finer than 0.0001%",
        [UNIT_COUNT] = "not a whole number",
        [UNIT_NUMBER] = "finer than a billionth",
        [UNIT_BANDWIDTH] = "finer than a bit a second",
    };
    switch (scale(d, x->base, out)) {
    case SCALE_OK: return true;
    case SCALE_FINE: snprintf(why->text, sizeof why->text, "`%.*s` is %s", shown, text, finer[kind]); break;
    case SCALE_BIG:
        snprintf(why->text, sizeof why->text, "`%.*s` is too large%s", shown, text,
                 kind == UNIT_DURATION ? ": over 292 years" : "");
        break;
    }
    return false;
}

char *unit_format(enum unit_kind kind, int64_t value, char *out, size_t size)
{
    if (kind != UNIT_DURATION && kind != UNIT_SIZE && kind != UNIT_BANDWIDTH && kind != UNIT_POWER) {
        bool millionths = kind == UNIT_RATE || kind == UNIT_PRICE;
        int64_t base = millionths           ? 1000000
                       : kind == UNIT_SHARE ? 10000
                       : kind == UNIT_COUNT ? 1
                                            : 1000000000;
        int digits = millionths ? 6 : kind == UNIT_SHARE ? 4 : kind == UNIT_COUNT ? 0 : 9;
        int n = snprintf(out, size, "%" PRId64, value / base);
        int64_t rest = value % base;
        while (rest && rest % 10 == 0)
            rest /= 10, digits--;
        if (rest && n >= 0 && (size_t)n < size)
            n += snprintf(out + n, size - (size_t)n, ".%0*" PRId64, digits, rest);
        if (n >= 0 && (size_t)n < size) snprintf(out + n, size - (size_t)n, "%s", kinds[kind].units);
        return out;
    }
    const struct suffix *best = NULL;
    for (size_t i = 0; i < N_SUFFIXES; i++)
        if (suffixes[i].kind == kind && (value ? value % suffixes[i].base == 0 : suffixes[i].base == 1))
            if (!best || suffixes[i].base > best->base) best = &suffixes[i];
    ASSERT(best);
    /* 60s stays 60s only if nobody minds 1m; both read back to the same. */
    snprintf(out, size, "%" PRId64 "%s", value / best->base, best->text);
    return out;
}

char *unit_show(const char *unit, double value, char *out, size_t size)
{
    static const struct {
        double from, by;
        const char *name;
    } times[] = {{1.0, 1.0, " s"}, {1e-3, 1e3, " ms"}, {1e-6, 1e6, " us"}, {0, 1e9, " ns"}},
      sizes[] = {{0x1p40, 0x1p-40, " TiB"},
                 {0x1p30, 0x1p-30, " GiB"},
                 {0x1p20, 0x1p-20, " MiB"},
                 {0x1p10, 0x1p-10, " KiB"},
                 {0, 1, " B"}};
    double a = fabs(value);
    if (!strcmp(unit, "s")) {
        size_t i = 0;
        while (a < times[i].from && a != 0)
            i++;
        snprintf(out, size, "%.4g%s", value * times[i].by, times[i].name);
    } else if (!strcmp(unit, "B")) {
        size_t i = 0;
        while (a < sizes[i].from)
            i++;
        snprintf(out, size, "%.4g%s", value * sizes[i].by, sizes[i].name);
    } else if (!strcmp(unit, "B/s")) {
        /* As network and disk makers count: by tens. */
        size_t i = 0;
        static const char *const rates[] = {" GB/s", " MB/s", " kB/s", " B/s"};
        static const double from[] = {1e9, 1e6, 1e3, 0};
        while (a < from[i])
            i++;
        snprintf(out, size, "%.4g%s", i < 3 ? value / from[i] : value, rates[i]);
    } else if (!strcmp(unit, "1/s")) {
        snprintf(out, size, "%.4g/s", value);
    } else if (!strcmp(unit, "%")) {
        snprintf(out, size, "%.4g %%", value * 100);
    } else {
        snprintf(out, size, "%.6g%s%s", value, *unit ? " " : "", unit);
    }
    return out;
}
