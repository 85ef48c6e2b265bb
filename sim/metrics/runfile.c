// SPDX-License-Identifier: GPL-3.0-or-later
#include "metrics/runfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"

#define MARK       "vlab run 1\n"
#define MARK_BYTES (sizeof MARK - 1)
#define MOST_BYTES ((size_t)4 << 30)

/* FNV-1a. Against accidents, not against anybody. */
static uint64_t sum_of(const char *bytes, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return h;
}

/* --- writing --- */

static void put(struct buf *b, const void *p, size_t n)
{
    buf_add(b, p, n);
}

static void put_u64(struct buf *b, uint64_t x)
{
    put(b, &x, sizeof x);
}

static void put_text(struct buf *b, const char *s)
{
    put(b, s, strlen(s) + 1);
}

static void put_results(struct buf *b, const struct results *r)
{
    put_u64(b, results_count(r));
    for (size_t i = 0; i < results_count(r); i++) {
        const struct result *x = results_at(r, i);
        put_text(b, x->entity);
        put_text(b, x->metric);
        put_text(b, x->stat);
        put_text(b, x->unit);
        put(b, &x->is_exact, 1);
        if (x->is_exact)
            put_u64(b, x->exact);
        else
            put(b, &x->value, sizeof x->value);
    }
}

static void put_series(struct buf *b, const struct series *s)
{
    put_u64(b, s ? s->n_cols : 0);
    put_u64(b, s ? s->n_rows : 0);
    for (size_t c = 0; s && c < s->n_cols; c++) {
        put_text(b, s->entities[c]);
        put_text(b, s->metrics[c]);
        put_text(b, s->units[c]);
    }
    if (!s) return;
    put(b, s->t_ns, s->n_rows * sizeof *s->t_ns);
    put(b, s->v, s->n_rows * s->n_cols * sizeof *s->v);
}

static void put_happenings(struct buf *b, const struct run_output *o)
{
    put_u64(b, o->n_happenings);
    put_u64(b, o->happenings_cut);
    for (size_t i = 0; i < o->n_happenings; i++) {
        const struct happening *h = &o->happenings[i];
        put(b, &h->t_ns, sizeof h->t_ns);
        put(b, &h->value, sizeof h->value);
        put_text(b, h->entity);
        put_text(b, h->kind);
        put_text(b, h->cause);
    }
}

static void put_ecdfs(struct buf *b, const struct run_output *o)
{
    put_u64(b, o->n_ecdfs);
    for (size_t i = 0; i < o->n_ecdfs; i++) {
        const struct ecdf *e = &o->ecdfs[i];
        put_text(b, e->entity);
        put_text(b, e->metric);
        put_text(b, e->unit);
        put_u64(b, e->count);
        put_u64(b, e->n);
        put(b, e->x, e->n * sizeof *e->x);
        put(b, e->share, e->n * sizeof *e->share);
    }
}

static int write_all(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "we");
    if (!f) return -errno;
    int e = fwrite(bytes, 1, n, f) == n ? 0 : -errno;
    if (fclose(f) != 0 && !e) e = -errno;
    return e;
}

int runfile_save(const char *path, const struct run_output *out)
{
    struct buf b;
    char *beside = NULL;
    buf_init(&b);
    put(&b, MARK, MARK_BYTES);
    put_results(&b, out->results);
    put_series(&b, out->series);
    put_happenings(&b, out);
    put_ecdfs(&b, out);
    put_u64(&b, sum_of(b.text, b.len));
    if (asprintf(&beside, "%s.%d", path, (int)getpid()) < 0) beside = NULL;
    ASSERT(beside);
    int e = write_all(beside, b.text, b.len);
    if (!e && rename(beside, path) != 0) e = -errno;
    if (e) unlink(beside);
    free(beside);
    buf_done(&b);
    return e;
}

/* --- reading --- */

struct runfile {
    struct run_output out;
    char *bytes;
    struct series series;
    struct results *results;
};

struct reading {
    const char *at, *end;
    bool bad;
};

/* n bytes of what is left; NULL: there are not so many. */
static const char *get(struct reading *r, size_t n)
{
    if (r->bad || n > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    const char *p = r->at;
    r->at += n;
    return p;
}

static uint64_t get_u64(struct reading *r)
{
    uint64_t x = 0;
    const char *p = get(r, sizeof x);
    if (p) memcpy(&x, p, sizeof x);
    return x;
}

static double get_double(struct reading *r)
{
    double x = 0;
    const char *p = get(r, sizeof x);
    if (p) memcpy(&x, p, sizeof x);
    return x;
}

static const char *get_text(struct reading *r)
{
    const char *nul = r->bad ? NULL : memchr(r->at, 0, (size_t)(r->end - r->at)), *s = r->at;
    if (!nul) {
        r->bad = true;
        return "";
    }
    r->at = nul + 1;
    return s;
}

/* Room for n things each of which takes at least `least` bytes of what is left to be read; NULL where there
 * is none, or it cannot be that there are so many. */
static void *room_for(struct reading *r, uint64_t n, size_t size, size_t least)
{
    if (n > (uint64_t)(r->end - r->at) / least) r->bad = true;
    if (r->bad || n == 0) return NULL;
    void *p = calloc(n, size);
    ASSERT(p);
    return p;
}

/* n numbers, copied to where they are aligned. */
static void *get_array(struct reading *r, uint64_t n, size_t size)
{
    void *to = room_for(r, n, size, size);
    const char *p = to ? get(r, n * size) : NULL;
    if (p) memcpy(to, p, n * size);
    return to;
}

static struct results *get_results(struct reading *r)
{
    struct results *out = results_new();
    for (uint64_t n = get_u64(r); n > 0 && !r->bad; n--) {
        const char *entity = get_text(r), *metric = get_text(r), *stat = get_text(r), *unit = get_text(r);
        const char *exact = get(r, 1);
        if (results_find(out, entity, metric, stat)) r->bad = true; /* each once */
        if (exact && *exact) {
            uint64_t x = get_u64(r);
            if (!r->bad) results_add_exact(out, entity, metric, stat, unit, x);
        } else {
            double x = get_double(r);
            if (!r->bad) results_add(out, entity, metric, stat, unit, x);
        }
    }
    return out;
}

static void get_series(struct reading *r, struct series *s)
{
    uint64_t cols = get_u64(r), rows = get_u64(r);
    const char **names[3];
    for (int k = 0; k < 3; k++)
        names[k] = room_for(r, cols, sizeof **names, 3);
    *s = (struct series){.entities = names[0], .metrics = names[1], .units = names[2]};
    for (uint64_t c = 0; c < cols && !r->bad; c++)
        for (int k = 0; k < 3; k++)
            names[k][c] = get_text(r);
    s->t_ns = get_array(r, rows, sizeof *s->t_ns);
    if (cols > 0 && rows > UINT64_MAX / cols) r->bad = true;
    if (!r->bad) s->v = get_array(r, rows * cols, sizeof *s->v);
    if (r->bad) return;
    s->n_cols = cols;
    s->n_rows = rows;
}

static void get_happenings(struct reading *r, struct run_output *o)
{
    uint64_t n = get_u64(r);
    o->happenings_cut = get_u64(r);
    struct happening *h = room_for(r, n, sizeof *h, 19);
    o->happenings = h;
    for (uint64_t i = 0; h && i < n; i++) {
        h[i].t_ns = (int64_t)get_u64(r);
        h[i].value = get_double(r);
        h[i].entity = get_text(r);
        h[i].kind = get_text(r);
        h[i].cause = get_text(r);
    }
    o->n_happenings = r->bad ? 0 : n;
}

static void get_ecdfs(struct reading *r, struct run_output *o)
{
    uint64_t n = get_u64(r);
    struct ecdf *e = room_for(r, n, sizeof *e, 19);
    o->ecdfs = e;
    for (uint64_t i = 0; e && i < n; i++) {
        o->n_ecdfs = i + 1; /* so many have something to be freed */
        e[i].entity = get_text(r);
        e[i].metric = get_text(r);
        e[i].unit = get_text(r);
        e[i].count = get_u64(r);
        e[i].n = get_u64(r);
        e[i].x = get_array(r, e[i].n, sizeof *e[i].x);
        e[i].share = get_array(r, e[i].n, sizeof *e[i].share);
    }
}

struct runfile *runfile_of(char *bytes, size_t n)
{
    struct runfile *f = calloc(1, sizeof *f);
    ASSERT(f);
    f->bytes = bytes;
    uint64_t sum = 0;
    struct reading r = {.at = bytes, .end = bytes + n};
    if (n < MARK_BYTES + sizeof sum || memcmp(bytes, MARK, MARK_BYTES) != 0) r.bad = true;
    if (!r.bad) {
        r.end -= sizeof sum;
        memcpy(&sum, r.end, sizeof sum);
        r.bad = sum != sum_of(bytes, n - sizeof sum);
        r.at += MARK_BYTES;
    }
    f->results = get_results(&r);
    f->out.results = f->results;
    get_series(&r, &f->series);
    if (f->series.n_cols > 0) f->out.series = &f->series;
    get_happenings(&r, &f->out);
    get_ecdfs(&r, &f->out);
    if (!r.bad && r.at == r.end) return f;
    runfile_free(f);
    return NULL;
}

struct runfile *runfile_load(const char *path)
{
    FILE *in = fopen(path, "re");
    struct buf b;
    if (!in) return NULL;
    buf_init(&b);
    int e = buf_read(&b, in, MOST_BYTES);
    fclose(in);
    if (e != 0) {
        buf_done(&b);
        return NULL;
    }
    size_t n;
    char *bytes = buf_take(&b, &n);
    return runfile_of(bytes, n);
}

const struct run_output *runfile_output(const struct runfile *r)
{
    return &r->out;
}

static void drop(const void *p)
{
    free((void *)(uintptr_t)p);
}

void runfile_free(struct runfile *r)
{
    if (!r) return;
    results_free(r->results);
    drop(r->series.entities);
    drop(r->series.metrics);
    drop(r->series.units);
    drop(r->series.t_ns);
    drop(r->series.v);
    drop(r->out.happenings);
    for (size_t i = 0; i < r->out.n_ecdfs; i++) {
        drop(r->out.ecdfs[i].x);
        drop(r->out.ecdfs[i].share);
    }
    drop(r->out.ecdfs);
    free(r->bytes);
    free(r);
}
