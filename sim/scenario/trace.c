// SPDX-License-Identifier: GPL-3.0-or-later
/* Files of numbers beside a scenario: one time or size a line; blank lines and what follows a # are passed
 * over. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "scenario/reader.h"

#define MAX_FILE ((size_t)64 << 20)

char *trace_slurp(struct reader *r, struct node *file, size_t max, const char **path, size_t *len)
{
    *path = file->text[0] == '/' ? file->text : arena_printf(r->a, "%s%s", r->dir, file->text);
    struct stat st;
    if (stat(*path, &st)) {
        tree_error(r->d, file, "cannot open `%.200s`: %s", *path, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        tree_error(r->d, file, "`%.200s` is not a regular file", *path);
        return NULL;
    }
    FILE *f = fopen(*path, "rb");
    if (!f) {
        tree_error(r->d, file, "cannot open `%.200s`: %s", *path, strerror(errno));
        return NULL;
    }
    struct buf b;
    buf_init(&b);
    int err = buf_read(&b, f, max);
    fclose(f);
    char *text = err ? NULL : arena_dup(r->a, b.text, b.len);
    *len = b.len;
    buf_done(&b);
    if (err) tree_error(r->d, file, "cannot read `%.200s`: %s", *path, strerror(-err));
    return text;
}

/* A time in s, or with its unit. Measured traces have more digits than a ns; they are rounded. */
static bool parse_time(const char *s, size_t len, int64_t *out, struct unit_why *why)
{
    char text[64];
    if (unit_parse(UNIT_DURATION, s, len, out, why)) return true;
    if (!len || len > 60 || strspn(s, "0123456789.eE+-") < len) return false;
    memcpy(text, s, len);
    text[len] = '\0';
    char *end;
    double v = strtod(text, &end);
    struct unit_why ignored;
    text[len] = 's';
    if (unit_parse(UNIT_DURATION, text, len + 1, out, &ignored)) return true;
    if (end != text + len || !(v >= 0) || v >= 9.2e9) {
        snprintf(why->text, sizeof why->text, "`%.*s` is not a time in s, 0 or more", (int)len, s);
        why->hint[0] = '\0';
        return false;
    }
    *out = (int64_t)llround(v * 1e9);
    return true;
}

/* Whole bytes, or with a unit. */
static bool parse_size(const char *s, size_t len, int64_t *out, struct unit_why *why)
{
    struct unit_why ignored;
    return unit_parse(UNIT_COUNT, s, len, out, &ignored) || unit_parse(UNIT_SIZE, s, len, out, why);
}

static bool read_lines(struct reader *r, struct node *file, bool sizes, bool ordered, struct pool *out)
{
    const char *path;
    size_t len;
    const char *text = trace_slurp(r, file, MAX_FILE, &path, &len);
    if (!text) return false;
    int64_t last = 0;
    uint32_t first = out->n;
    unsigned line = 0;
    for (const char *p = text, *end = text + len; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *next = nl ? nl + 1 : end;
        const char *hash = memchr(p, '#', (size_t)(next - p));
        const char *stop = hash ? hash : nl ? nl : end;
        line++;
        while (p < stop && strchr(" \t\r", *p) && *p)
            p++;
        while (stop > p && strchr(" \t\r", stop[-1]) && stop[-1])
            stop--;
        int64_t v = 0;
        struct unit_why why = {0};
        size_t n = (size_t)(stop - p);
        if (p < stop && !(sizes ? parse_size(p, n, &v, &why) : parse_time(p, n, &v, &why))) {
            if (tree_error(r->d, file, "%.200s:%u: %s", path, line, why.text) && why.hint[0])
                diag_hint(r->d, "%s", why.hint);
            return false;
        }
        if (p < stop && ordered && v < last) {
            tree_error(r->d, file, "%.200s:%u: time goes back", path, line);
            return false;
        }
        if (p < stop) pool_add(r, out, last = v);
        p = next;
    }
    if (out->n == first) tree_error(r->d, file, "`%.200s` has no numbers in it", path);
    return out->n > first;
}

bool trace_read(struct reader *r, struct node *file, bool ordered, struct pool *out)
{
    return read_lines(r, file, false, ordered, out);
}

bool trace_read_sizes(struct reader *r, struct node *file, struct pool *out)
{
    return read_lines(r, file, true, false, out);
}
