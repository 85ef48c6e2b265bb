// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/diag.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define ESCAPED_MAX 400

void diag_init(struct diag *d)
{
    *d = (struct diag){0};
}

void diag_done(struct diag *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->items[i].text);
        free(d->items[i].hint);
    }
    free(d->name);
    free(d->source);
    *d = (struct diag){0};
}

static char *copy(const char *text, size_t len)
{
    char *p = malloc(len + 1);
    ASSERT(p);
    if (len) memcpy(p, text, len);
    p[len] = '\0';
    return p;
}

void diag_source(struct diag *d, const char *name, const char *text, size_t len)
{
    free(d->name);
    free(d->source);
    d->name = copy(name, strlen(name));
    d->source = text ? copy(text, len) : NULL;
    d->source_len = text ? len : 0;
}

/* How many bytes at p make one whole UTF-8 character, 0 where they do not. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) return 1;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return len;
}

/* C1 controls and the characters that turn or hide text also do not print. */
static bool hidden(const unsigned char *p, size_t len)
{
    if (len == 1) return p[0] < 0x20 || p[0] == 0x7f;
    if (len == 2) return p[0] == 0xc2 && p[1] < 0xa0;
    if (len != 3) return false;
    if (p[0] == 0xef) return p[1] == 0xbb && p[2] == 0xbf;
    if (p[0] != 0xe2) return false;
    return (p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae))) ||
           (p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf);
}

char *diag_escape(char *out, size_t size, const char *text, size_t len)
{
    size_t at = 0;
    for (size_t i = 0; i < len;) {
        const unsigned char *p = (const unsigned char *)text + i;
        size_t n = utf8_len(p, len - i);
        bool raw = n && !hidden(p, n);
        if (!n) n = 1;
        if (at + (raw ? n : 4 * n) >= size) break;
        for (size_t j = 0; j < n; j++) {
            if (raw)
                out[at++] = (char)p[j];
            else
                at += (size_t)snprintf(out + at, size - at, "\\x%02X", p[j]);
        }
        i += n;
    }
    if (size) out[at] = '\0';
    return out;
}

static char *format(const char *fmt, va_list ap)
{
    char raw[1024], clean[1200];
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    ASSERT(n >= 0);
    size_t len = (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
    diag_escape(clean, sizeof clean, raw, len);
    return copy(clean, strlen(clean));
}

void diag_add(struct diag *d, struct diag_mark m, const char *fmt, ...)
{
    if (d->n == DIAG_MAX) {
        d->lost++;
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    d->items[d->n++] = (struct diag_item){.mark = m, .text = format(fmt, ap)};
    va_end(ap);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
    /* The hint of one that was not kept is not kept either. */
    if (d->lost || !d->n) return;
    va_list ap;
    va_start(ap, fmt);
    free(d->items[d->n - 1].hint);
    d->items[d->n - 1].hint = format(fmt, ap);
    va_end(ap);
}

static const char *find_line(const struct diag *d, unsigned line, size_t *len)
{
    const char *p = d->source, *end = p + d->source_len;
    while (--line) {
        const char *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (!nl) return NULL;
        p = nl + 1;
    }
    const char *nl = memchr(p, '\n', (size_t)(end - p));
    *len = (size_t)((nl ? nl : end) - p);
    if (*len && p[*len - 1] == '\r') --*len;
    return p;
}

static size_t char_len(const char *p, size_t n)
{
    size_t len = utf8_len((const unsigned char *)p, n);
    return len ? len : 1;
}

/* The source line and what underlines it. Every character is shown as `show` makes it, so the caret is
 * put under what was printed, not under what was read. Long lines are cut around the place. */
static void print_source(const struct diag *d, const struct diag_item *it, FILE *out, const char *on,
                         const char *off)
{
    size_t len;
    const char *line = d->source ? find_line(d, it->mark.line, &len) : NULL;
    if (!line) return;
    char head[ESCAPED_MAX] = "", under[ESCAPED_MAX] = "", cell[20];
    size_t at = 0, column = 1, caret = 0, marked = 0;
    unsigned from = it->mark.column > 80 ? it->mark.column - 60 : 1;
    size_t i = 0;
    for (; i < len && column < from + 100; column++) {
        size_t n = char_len(line + i, len - i);
        if (column >= from) {
            if (n == 1 && line[i] == '\t')
                snprintf(cell, sizeof cell, " ");
            else
                diag_escape(cell, sizeof cell, line + i, n);
            size_t shown =
                utf8_len((const unsigned char *)line + i, len - i) > 1 && cell[0] != '\\' ? 1 : strlen(cell);
            if (column < it->mark.column)
                caret += shown;
            else if (column < it->mark.column + (it->mark.length ? it->mark.length : 1))
                marked += shown;
            at += (size_t)snprintf(head + at, sizeof head - at, "%s", cell);
            if (at >= sizeof head - sizeof cell) break;
        }
        i += n;
    }
    if (!marked) marked = 1;
    for (size_t j = 0; j < marked && j < sizeof under - 1; j++)
        under[j] = j ? '~' : '^';
    fprintf(out, "%5u | %s%s%s\n", it->mark.line, from > 1 ? "..." : "", head, i < len ? "..." : "");
    fprintf(out, "      | %*s%s%s%s\n", (int)(caret + (from > 1 ? 3 : 0)), "", on, under, off);
}

static int by_place(const void *a, const void *b)
{
    const struct diag_item *x = a, *y = b;
    if (x->mark.line != y->mark.line) return x->mark.line < y->mark.line ? -1 : 1;
    if (x->mark.column != y->mark.column) return x->mark.column < y->mark.column ? -1 : 1;
    return strcmp(x->text, y->text);
}

void diag_print(struct diag *d, FILE *out, bool colour)
{
    const char *red = colour ? "\033[1;31m" : "", *green = colour ? "\033[32m" : "";
    const char *bold = colour ? "\033[1m" : "", *off = colour ? "\033[0m" : "";
    char name[512];
    diag_escape(name, sizeof name, d->name ? d->name : "vlab", strlen(d->name ? d->name : "vlab"));
    qsort(d->items, d->n, sizeof d->items[0], by_place);
    for (size_t i = 0; i < d->n; i++) {
        const struct diag_item *it = &d->items[i];
        fprintf(out, "%s%s:", bold, name);
        if (it->mark.line) fprintf(out, "%u:%u:", it->mark.line, it->mark.column);
        fprintf(out, "%s %serror:%s %s\n", off, red, off, it->text);
        if (it->mark.line) print_source(d, it, out, green, off);
        if (it->hint) fprintf(out, "      = %s\n", it->hint);
    }
    if (d->lost) fprintf(out, "%s: and %zu more\n", name, d->lost);
}

/* Edits (insert, delete, replace, swap neighbours) that make a into b; words longer than 40 are far. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    size_t n = strlen(a), m = strlen(b);
    if (n > MAX || m > MAX) return UINT_MAX;
    unsigned t[MAX + 1][MAX + 1];
    for (size_t i = 0; i <= n; i++)
        t[i][0] = (unsigned)i;
    for (size_t j = 0; j <= m; j++)
        t[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            unsigned best = t[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (t[i - 1][j] + 1 < best) best = t[i - 1][j] + 1;
            if (t[i][j - 1] + 1 < best) best = t[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && t[i - 2][j - 2] + 1 < best)
                best = t[i - 2][j - 2] + 1;
            t[i][j] = best;
        }
    }
    return t[n][m];
}

const char *diag_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    unsigned least = (unsigned)(strlen(word) / 3 + 1);
    if (least > 3) least = 3;
    for (; *words; words++) {
        unsigned e = distance(word, *words);
        /* Nothing in common is not near, however short. */
        if (e < strlen(word) && (e < least || (e == least && !best))) {
            best = *words;
            least = e;
        }
    }
    return best;
}
