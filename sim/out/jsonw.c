// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/jsonw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "out/num.h"

/* Length of the well-formed UTF-8 sequence at s, 0 where there is none (RFC 3629). */
static size_t utf8_len(const unsigned char *s)
{
    if (s[0] < 0x80) return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0; /* overlong, surrogates */
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
    return n;
}

void jsonw_string(FILE *f, const char *text)
{
    putc('"', f);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = utf8_len(s);
        if (n == 0) {
            fputs("\\ufffd", f);
            n = 1;
        } else if (*s == '"' || *s == '\\') {
            fprintf(f, "\\%c", *s);
        } else if (*s < 0x20 || *s == 0x7f) {
            fprintf(f, "\\u%04x", *s);
        } else {
            fwrite(s, 1, n, f);
        }
        s += n;
    }
    putc('"', f);
}

static void key(FILE *f, const char *name, const char *text)
{
    fprintf(f, "\"%s\":", name);
    jsonw_string(f, text);
    putc(',', f);
}

static void point(FILE *f, const struct report_point *p)
{
    fputs("\"point\":{", f);
    for (size_t i = 0; i < p->n; i++) {
        if (i) putc(',', f);
        jsonw_string(f, p->keys[i]);
        putc(':', f);
        /* A plain number is one, so that point["vms.batch.count"] == 4; 10ms and rr are text. */
        char *end, num[NUM_LEN];
        long long whole = strtoll(p->values[i], &end, 10);
        snprintf(num, sizeof num, "%lld", whole);
        if (strcmp(num, p->values[i]) == 0) {
            fputs(num, f);
            continue;
        }
        double x = strtod(p->values[i], &end);
        if (*end == '\0' && strcmp(num_text(num, x), p->values[i]) == 0 && *num != 'n' && !strchr(num, 'i')) {
            fputs(num, f);
        } else {
            jsonw_string(f, p->values[i]);
        }
    }
    fputs("},", f);
}

static void row(FILE *f, const struct runset_row *r, const struct report_point *p)
{
    char a[NUM_LEN], b[NUM_LEN];
    putc('{', f);
    if (p && p->n) point(f, p);
    key(f, "entity", r->like->entity);
    key(f, "metric", r->like->metric);
    key(f, "stat", r->like->stat);
    key(f, "unit", r->like->unit);
    fprintf(f, "\"value\":%s,\"ci95\":", r->e.is_exact ? num_whole(a, r->e.exact) : num_json(a, r->e.mean));
    if (r->e.n > 1) {
        fprintf(f, "[%s,%s]}", num_json(a, r->e.lo), num_json(b, r->e.hi));
    } else {
        fputs("null}", f);
    }
}

void jsonw_report(FILE *f, const struct report *rp)
{
    char num[NUM_LEN];
    fputs("{\"vlab\":1,", f);
    key(f, "scenario", rp->scenario);
    key(f, "backend", rp->backend);
    key(f, "fidelity", rp->fidelity);
    fprintf(f, "\"seed\":%" PRIu64 ",\"replications\":%zu,\"duration_s\":%s,\"results\":[", rp->seed,
            runset_reps(rp->runs), num_json(num, (double)rp->duration_ns / 1e9));
    const char *between = "\n";
    for (size_t i = 0; i < runset_points(rp->runs); i++) {
        struct runset_row *rows;
        size_t n = runset_rows(rp->runs, i, &rows);
        for (size_t k = 0; k < n; k++, between = ",\n") {
            fputs(between, f);
            row(f, &rows[k], rp->points ? &rp->points[i] : NULL);
        }
        free(rows);
    }
    fputs("],\n\"expect\":[", f);
    for (size_t i = 0; i < rp->n_expects; i++) {
        fputs(i ? ",\n{" : "\n{", f);
        key(f, "text", rp->expects[i].text);
        fputs("\"verdict\":", f);
        jsonw_string(f, report_verdict_name(rp->expects[i].verdict));
        putc('}', f);
    }
    fputs("]}\n", f);
}
