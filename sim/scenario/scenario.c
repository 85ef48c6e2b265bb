// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/scenario.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "scenario/file.h"

/* A scenario and the arena that all of it lives in. */
struct owned {
    struct scenario sc; /* first: scenario_free gets its address */
    struct arena a;
};

static char *copy(const char *text, size_t len)
{
    char *p = malloc(len + 1);
    ASSERT(p);
    if (len) memcpy(p, text, len);
    p[len] = '\0';
    return p;
}

static struct scenario_file *file_new(const char *name, const char *text, size_t len)
{
    struct scenario_file *f = calloc(1, sizeof *f);
    ASSERT(f);
    arena_init(&f->a);
    const char *slash = strrchr(name, '/');
    f->name = copy(name, strlen(name));
    f->dir = copy(name, slash ? (size_t)(slash - name) + 1 : 0);
    f->text = copy(text, len);
    f->len = len;
    return f;
}

/* The sweep itself is wrong: tell what else is, as far as it can be seen without one. */
static void tell_the_rest(struct scenario_file *f, struct diag *d)
{
    struct arena scratch;
    arena_init(&scratch);
    struct reader r = {.a = &scratch, .d = d, .dir = f->dir};
    reader_check(&r, tree_clone(&scratch, f->root), NULL);
    arena_done(&scratch);
}

struct scenario_file *scenario_parse(const char *name, const char *text, size_t len, struct diag *d)
{
    struct scenario_file *f = file_new(name, text, len);
    diag_source(d, name, text, len);
    f->root = tree_read(&f->a, f->text, f->len, "a scenario", d);
    if (f->root && sweep_read(f, d)) return f;
    if (f->root) tell_the_rest(f, d);
    scenario_close(f);
    return NULL;
}

struct scenario_file *scenario_open(const char *path, struct diag *d)
{
    bool standard = !strcmp(path, "-");
    const char *name = standard ? "<stdin>" : path;
    FILE *in = standard ? stdin : fopen(path, "rb");
    struct buf b;
    buf_init(&b);
    int err = in ? buf_read(&b, in, TREE_MAX_BYTES + 1) : -errno;
    if (in && !standard) fclose(in);
    struct scenario_file *f = NULL;
    if (err && err != -EFBIG) {
        diag_source(d, name, NULL, 0);
        diag_add(d, (struct diag_mark){0}, "cannot open: %s", strerror(-err));
        d->usage = true;
    } else if (err) {
        diag_source(d, name, NULL, 0);
        diag_add(d, (struct diag_mark){1, 1, 1}, "larger than 8 MiB");
    } else {
        f = scenario_parse(name, b.text, b.len, d);
    }
    buf_done(&b);
    return f;
}

void scenario_close(struct scenario_file *f)
{
    if (!f) return;
    arena_done(&f->a);
    free(f->name);
    free(f->dir);
    free(f->text);
    free(f);
}

bool scenario_set(struct scenario_file *f, const char *key, const char *value, struct diag *d)
{
    if (!d->name) diag_source(d, f->name, f->text, f->len);
    char *origin = arena_printf(&f->a, "--set %s=%s", key, value);
    struct diag inner;
    diag_init(&inner);
    struct node *v = tree_read_value(&f->a, value, strlen(value), &inner);
    if (!v && !diag_any(&inner)) diag_add(&inner, (struct diag_mark){0}, "there is no value");
    for (size_t i = 0; i < inner.n; i++)
        diag_add(d, (struct diag_mark){0}, "in `%.200s`: %s", origin, inner.items[i].text);
    bool ok = !diag_any(&inner);
    diag_done(&inner);
    struct node where = {.kind = NODE_SCALAR, .text = key, .len = strlen(key), .origin = origin};
    struct reader r = {.a = &f->a, .d = d, .dir = f->dir};
    if (ok) {
        /* Everything below says where it came from. */
        struct node *mine = tree_clone(&f->a, v);
        struct node *stack[TREE_MAX_DEPTH * 2];
        uint32_t index[TREE_MAX_DEPTH * 2], depth = 0;
        stack[0] = mine;
        index[0] = 0;
        mine->origin = origin;
        while (depth < TREE_MAX_DEPTH * 2) {
            struct node *n = stack[depth];
            if (index[depth] == n->n) {
                if (!depth--) break;
                continue;
            }
            struct node *child = n->items[index[depth]];
            if (n->keys) n->keys[index[depth]]->origin = origin;
            index[depth]++;
            child->origin = origin;
            stack[++depth] = child;
            index[depth] = 0;
        }
        ok = sweep_put(&r, f->root, key, mine, &where);
    }
    if (ok)
        sweep_take(f, arena_dup(&f->a, key, strlen(key)));
    else
        d->usage = true;
    return ok;
}

/* The file's name without folder and ending, as far as it makes a name. */
const char *scenario_default_name(struct arena *a, const char *path)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    while (*base && !((*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z')))
        base++;
    const char *name = arena_dup(a, base, strcspn(base, "."));
    return reader_is_name(name) ? name : "scenario";
}

static void read_run(struct reader *r, const struct node *root, struct scenario *sc)
{
    struct node *run = reader_sub(root, "run", NODE_MAP);
    struct got sample = reader_get(r, run, "run.sample");
    sc->run.duration_ns = reader_num(r, run, "run.duration");
    sc->run.warmup_ns = reader_num(r, run, "run.warmup");
    sc->run.seed = (uint64_t)reader_num(r, run, "run.seed");
    sc->run.replications = (uint32_t)reader_num(r, run, "run.replications");
    sc->run.sample_ns = sc->run.duration_ns / 600;
    if (sc->run.sample_ns < 1000000) sc->run.sample_ns = 1000000;
    if (sample.node) sc->run.sample_ns = sample.n;
}

static void read_point(struct reader *r, const struct scenario_file *f, size_t point, struct scenario *sc)
{
    uint32_t n = 0, at = 0;
    for (uint32_t i = 0; i < f->n_axes; i++)
        n += f->axes[i].n_keys;
    const char **keys = arena_array(r->a, n + 1, sizeof *keys),
               **values = arena_array(r->a, n + 1, sizeof *values);
    uint32_t *axes = arena_array(r->a, n + 1, sizeof *axes);
    for (uint32_t i = 0; i < f->n_axes; i++) {
        for (uint32_t j = 0; j < f->axes[i].n_keys; j++, at++) {
            struct buf b;
            buf_init(&b);
            const struct node *v = f->axes[i].values[j][sweep_index(f, point, i)];
            if (v->kind == NODE_SCALAR)
                buf_puts(&b, v->text);
            else
                dump_flow(&b, v);
            keys[at] = arena_dup(r->a, f->axes[i].keys[j], strlen(f->axes[i].keys[j]));
            values[at] = arena_dup(r->a, b.text, b.len);
            buf_done(&b);
            axes[at] = i;
        }
    }
    sc->keys = keys;
    sc->axes = axes;
    sc->values = values;
    sc->n_keys = n;
}

struct scenario *scenario_at(struct scenario_file *f, size_t point, struct diag *d)
{
    ASSERT(point < scenario_points(f));
    if (!d->name) diag_source(d, f->name, f->text, f->len);
    struct owned *o = calloc(1, sizeof *o);
    ASSERT(o);
    arena_init(&o->a);
    struct reader r = {.a = &o->a, .d = d, .dir = arena_dup(&o->a, f->dir, strlen(f->dir))};
    struct scenario *sc = &o->sc;
    struct node *root = sweep_tree(f, &r, point);
    reader_check(&r, root, NULL);
    reader_get(&r, root, "vlab");
    struct got name = reader_get(&r, root, "name"), about = reader_get(&r, root, "about");
    sc->path = arena_dup(&o->a, f->name, strlen(f->name));
    sc->name = name.node ? name.word : scenario_default_name(&o->a, f->name);
    sc->about = about.word;
    read_run(&r, root, sc);
    read_point(&r, f, point, sc);
    hosts_read(&r, root, sc);
    images_read(&r, root, sc);
    r.place = cloud_place(&r, root);
    vms_read(&r, root, sc);
    cloud_read(&r, root, sc);
    services_read(&r, root, sc);
    events_read(&r, root, sc);
    check_scenario(&r, root, sc);
    expect_read(&r, f, point, reader_sub(root, "expect", NODE_LIST), sc);
    if (!diag_any(d)) return sc;
    scenario_free(sc);
    return NULL;
}

void scenario_free(struct scenario *sc)
{
    if (!sc) return;
    struct owned *o = (struct owned *)sc;
    arena_done(&o->a);
    free(o);
}
