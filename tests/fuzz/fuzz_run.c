// SPDX-License-Identifier: GPL-3.0-or-later
/* Scenarios as text, read and run for 20 ms of their time at most. What is kept in the corpus are scenarios
 * of the folder scenarios/, and the smallest ones that ever broke something.
 *
 * Most changes of a byte make a file that is refused, so most changes made here are of what a scenario is
 * made of: a number, a word by another of its kind, a map or list by another that begins alike. */
#include <ctype.h>

#include "base/rng.h"
#include "tests/fuzz/run_it.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, uint8_t *out,
                                 size_t max, unsigned seed);

/* --- running --- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diag d;
    diag_init(&d);
    struct scenario_file *file = scenario_parse("run.yaml", (const char *)data, size, &d);
    if (file && scenario_points(file) <= 1000) {
        scenario_set(file, "run.duration", "20ms", &d);
        scenario_set(file, "run.warmup", "1ms", &d);
        struct scenario *sc = scenario_at(file, size % scenario_points(file), &d);
        if (sc) run_it(sc, size % 4 == 3 && sc->n_vms > 1 ? (uint32_t)(size % sc->n_vms) : UINT32_MAX);
        scenario_free(sc);
    }
    if (getenv("VLAB_SHOW")) diag_print(&d, stderr, false);
    scenario_close(file);
    diag_done(&d);
    return 0;
}

/* --- changing --- */

static const char *const kinds[][14] = {
    {"rr", "credit", "cfs", "eevdf", "stride", "bvt"},
    {"lru", "clock", "fifo", "random", "second-chance"},
    {"fifo", "deadline", "fair", "mclock"},
    {"none", "strict", "relaxed", "balance"},
    {"bare", "container", "emulation", "binary-translation", "hardware", "paravirtual"},
    {"share", "balloon", "compress", "swap"},
    {"bucket", "ssd", "hdd"},
    {"bridge", "nat", "host-only"},
    {"cpu", "busy", "sleep"},
    {"read", "write", "trim"},
    {"uniform", "cyclic", "random", "sequential"},
    {"thick", "thin"},
    {"full", "linked"},
    {"spin", "yield"},
    {"hosts", "flat"},
    {"host", "vm"},
    {"exact", "sampled"},
    {"loop", "requests"},
    {"true", "false"},
    {"ideal", "modern", "era2003"},
    {"ns", "us", "ms", "s"},
    {"B", "kB", "KiB", "MB", "MiB"},
    {"4KiB", "2MiB"},
    {"syscall", "page_fault", "io_port", "cr8", "call_ret", "divide", "pte_modify", "doorbell", "mmio", "hlt",
     "context_switch", "fork", "exec"},
};

struct text {
    char *s;
    size_t n, max;
};

/* Puts `by` in place of [from, to). */
static void replace(struct text *t, size_t from, size_t to, const char *by, size_t len)
{
    if (t->n - (to - from) + len > t->max) return;
    memmove(t->s + from + len, t->s + to, t->n - to);
    memcpy(t->s + from, by, len);
    t->n = t->n - (to - from) + len;
}

static void change_number(struct text *t, size_t from, size_t to, struct rng *r)
{
    char by[32], old[20] = {0};
    if (to - from >= sizeof old) return;
    memcpy(old, t->s + from, to - from);
    unsigned long long n = strtoull(old, NULL, 10);
    const unsigned long long to_n[] = {0, 1, 2, n + 1, n - 1, n * 2, n / 2, n * 10, n / 10, 3, 7, 100};
    int len = snprintf(by, sizeof by, "%llu", to_n[rng_u32(r) % (sizeof to_n / sizeof *to_n)] % 100000000);
    replace(t, from, to, by, (size_t)len);
}

static void change_word(struct text *t, size_t from, size_t to, struct rng *r)
{
    for (size_t k = 0, all = sizeof kinds / sizeof *kinds, first = rng_u32(r) % all; k < all; k++) {
        const char *const *kind = kinds[(first + k) % all];
        uint32_t n = 0;
        bool in = false;
        for (; n < 14 && kind[n]; n++)
            in = in || (strlen(kind[n]) == to - from && memcmp(kind[n], t->s + from, to - from) == 0);
        if (!in) continue;
        const char *by = kind[rng_u32(r) % n];
        replace(t, from, to, by, strlen(by));
        return;
    }
}

static bool in_word(char c)
{
    return isalpha((unsigned char)c) || c == '-' || c == '_';
}

static void change_token(struct text *t, struct rng *r)
{
    size_t at = rng_u32(r) % t->n, from, to;
    while (at < t->n && !isalnum((unsigned char)t->s[at]))
        at++;
    if (at == t->n) return;
    bool number = isdigit((unsigned char)t->s[at]);
    for (from = at; from > 0 && (number ? isdigit((unsigned char)t->s[from - 1]) : in_word(t->s[from - 1]));)
        from--;
    for (to = at; to < t->n && (number ? isdigit((unsigned char)t->s[to]) : in_word(t->s[to]));)
        to++;
    if (number)
        change_number(t, from, to, r);
    else
        change_word(t, from, to, r);
}

/* A map or list in { } or [ ] at or after a random place: its [from, to). */
static bool group(const char *s, size_t n, struct rng *r, size_t *from, size_t *to)
{
    size_t at = rng_u32(r) % n, depth = 0;
    while (at < n && s[at] != '{' && s[at] != '[')
        at++;
    for (*from = at; at < n; at++) {
        if (s[at] == '{' || s[at] == '[') depth++;
        if ((s[at] == '}' || s[at] == ']') && --depth == 0) {
            *to = at + 1;
            return true;
        }
    }
    return false;
}

/* Takes an item with its comma out of a map or list, or says it twice. */
static void change_item(struct text *t, struct rng *r)
{
    size_t from, to, depth = 0, end;
    if (!group(t->s, t->n, r, &from, &to)) return;
    size_t at = from + 1 + rng_u32(r) % (uint32_t)(to - from);
    while (at < to && t->s[at] != ',')
        at++;
    for (end = at + 1; end < to; end++) {
        char c = t->s[end];
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
    }
    if (end >= to) return;
    char copy[400];
    if (rng_u32(r) % 2)
        replace(t, at, end, "", 0);
    else if (end - at < sizeof copy)
        replace(t, end, end, memcpy(copy, t->s + at, end - at), end - at);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct rng r = {rng_mix(seed), 2 * (uint64_t)seed + 1};
    struct text t = {(char *)data, size, max};
    if (size == 0 || rng_u32(&r) % 16 == 0) return LLVMFuzzerMutate(data, size, max);
    for (uint32_t n = 1 + rng_u32(&r) % 4; n && t.n; n--)
        if (rng_u32(&r) % 4)
            change_token(&t, &r);
        else
            change_item(&t, &r);
    return t.n;
}

/* A group of a in place of one of b that begins with the same word. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, uint8_t *out,
                                 size_t max, unsigned seed)
{
    struct rng r = {rng_mix(seed), 2 * (uint64_t)seed + 1};
    struct text t = {(char *)out, nb < max ? nb : max, max};
    memcpy(out, b, t.n);
    size_t from, to, word = 1, x, y;
    if (!na || !t.n || !group((const char *)a, na, &r, &from, &to)) return t.n;
    while (from + word < to && in_word((char)a[from + word]))
        word++;
    for (int tries = 0; tries < 20; tries++) {
        if (!group(t.s, t.n, &r, &x, &y) || y - x < word || memcmp(t.s + x, a + from, word) != 0) continue;
        replace(&t, x, y, (const char *)a + from, to - from);
        break;
    }
    return t.n;
}
