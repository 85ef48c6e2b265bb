// SPDX-License-Identifier: GPL-3.0-or-later
/* The leaves of an expectation: numbers, metrics of entities, and the points they are asked at. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "scenario/expect_in.h"

struct expect_node *expect_number(struct expect_parse *p, char *suffix, size_t suffix_size)
{
    const char *s = p->text + p->at;
    size_t n = 0, from = p->at;
    if (s[n] == '-') n++;
    while (isdigit((unsigned char)s[n]) || s[n] == '.')
        n++;
    size_t e = n + 1 + (s[n] && (s[n + 1] == '-' || s[n + 1] == '+'));
    if ((s[n] == 'e' || s[n] == 'E') && isdigit((unsigned char)s[e]))
        for (n = e; isdigit((unsigned char)s[n]); n++)
            ;
    size_t u = n;
    if (s[u] == '%')
        u++;
    else if (s[u] == '/' && s[u + 1] == 's' && !isalnum((unsigned char)s[u + 2]))
        u += 2;
    else
        while (isalpha((unsigned char)s[u]))
            u++;
    bool bandwidth = u > n && s[u] == '/' && s[u + 1] == 's' && !isalnum((unsigned char)s[u + 2]);
    if (bandwidth) u += 2;
    struct expect_node *node = expect_node_new(p, EXPECT_NUM);
    bool minus = s[0] == '-';
    const char *unit = s + n, *digits = s + minus;
    size_t len = u - n, all = u - minus;
    p->at += u;
    if (n > 60 || len > 5) {
        expect_error(p, from, u, "`%.*s` is not a number", (int)(u > 60 ? 60 : u), s);
        return node;
    }
    char number[64];
    memcpy(number, digits, n - minus);
    number[n - minus] = '\0';
    char *end;
    double v = strtod(number, &end);
    if (end == number || *end || !isfinite(v)) {
        expect_error(p, from, u, "`%.*s` is not a number", (int)u, s);
        return node;
    }
    struct unit_why why = {0};
    int64_t exact = 0;
    bool ok = true;
    if (len == 1 && *unit == '%') {
        v /= 100;
        node->percent = true;
    } else if (suffix && len == 2 && !strncmp(unit, "pp", 2)) {
        v /= 100;
    } else if (len == 2 && unit[0] == '/') {
        node->unit.s = -1;
    } else if (bandwidth) {
        ok = unit_parse(UNIT_BANDWIDTH, digits, all, &exact, &why);
        v = (double)exact / 8;
        node->unit = (struct expect_unit){.s = -1, .b = 1};
    } else if (!len) {
        node->is_exact = !minus && unit_parse(UNIT_COUNT, digits, all, &exact, &why);
        node->any_unit = true;
    } else if (unit_parse(UNIT_DURATION, digits, all, &exact, &why)) {
        v = (double)exact / 1e9;
        node->unit.s = 1;
    } else {
        struct unit_why time_why = why;
        ok = unit_parse(UNIT_SIZE, digits, all, &exact, &why);
        /* The message that knows the unit is the better one. */
        if (!ok && strstr(why.text, "is not a unit")) why = time_why;
        if (!ok && strstr(why.text, "is not a unit"))
            snprintf(why.text, sizeof why.text, "`%.*s` is not a unit", (int)len, unit);
        v = (double)exact;
        node->is_exact = ok && !minus;
        node->unit.b = 1;
    }
    if (!ok) {
        expect_error(p, from, u, "%s", why.text);
        if (why.hint[0]) expect_hint(p, "%s", why.hint);
    }
    node->num = minus ? -v : v;
    if (node->is_exact) node->exact = (uint64_t)exact;
    if (suffix) snprintf(suffix, suffix_size, "%.*s", (int)len, unit);
    return node;
}

/* --- metrics --- */

static void unknown_metric(struct expect_parse *p, size_t from, const char *rest)
{
    const char *names[160], *near;
    char text[64], head[80];
    size_t n = 0;
    while (n < 159 && name_each(n, text, sizeof text)) {
        names[n] = arena_dup(p->r->a, text, strlen(text));
        n++;
    }
    names[n] = NULL;
    expect_error(p, from, strlen(rest), "there is no metric `%.80s`", rest);
    near = diag_nearest(rest, names);
    snprintf(head, sizeof head, "%.79s", rest);
    /* The stat may be right and the metric wrong. */
    if (!near && strrchr(head, '.')) {
        *strrchr(head, '.') = '\0';
        near = diag_nearest(head, names);
    }
    if (near)
        expect_hint(p, "did you mean `%s`?", near);
    else
        expect_hint(p, "`vlab explain` lists them");
}

static bool read_stat(struct expect_parse *p, struct expect_node *n, const struct name_metric *m,
                      const char *stat, size_t from)
{
    const char *list = name_stats(m->kind);
    const char *second = p->second_stat ? name_second_stat(m->kind) : NULL;
    if (!stat) {
        n->stat = second ? second : arena_dup(p->r->a, list, strcspn(list, " "));
    } else if (name_has_stat(m->kind, stat)) {
        n->stat = arena_dup(p->r->a, stat, strlen(stat));
    } else {
        expect_error(p, from, strlen(stat), "`%s` has no stat `%.40s`", m->name, stat);
        expect_hint(p, "it has: %s", list);
        return false;
    }
    const char *unit = name_unit(m, n->stat);
    n->unit.s = !strcmp(unit, "s") ? 1 : strstr(unit, "/s") ? -1 : 0;
    n->unit.b = unit[0] == 'B';
    n->percent = !strcmp(n->stat, "share") && strcmp(m->name, "fairness") != 0;
    n->most = name_most(m, n->stat);
    return true;
}

static bool read_metric(struct expect_parse *p, struct expect_node *n, const char *rest, size_t from,
                        unsigned on)
{
    const struct name_metric *m = name_find(rest);
    const char *dot = strrchr(rest, '.'), *stat = NULL;
    n->metric = rest;
    if (!m && dot) {
        n->metric = arena_dup(p->r->a, rest, (size_t)(dot - rest));
        m = name_find(n->metric);
        stat = dot + 1;
    }
    if (!m || name_is_pattern(n->metric)) {
        unknown_metric(p, from, rest);
        return false;
    }
    if (m->later) {
        expect_error(p, from, strlen(rest), "`%s` is not supported yet", m->name);
        return false;
    }
    if (!(m->on & on)) {
        char words[80];
        expect_error(p, from, strlen(rest), "`%s` is not measured on this kind of entity", m->name);
        expect_hint(p, "it is on: %s", name_entities(m->on, words, sizeof words));
        return false;
    }
    const size_t reach = strlen("net.reach.");
    if (!strncmp(n->metric, "net.reach.", reach) && !expect_endpoint(p, n->metric + reach, from + reach))
        return false;
    return read_stat(p, n, m, stat, stat ? from + (size_t)(stat - rest) : from);
}

struct expect_node *expect_term(struct expect_parse *p, bool glob_ok)
{
    const char *s = p->text + p->at;
    size_t len = 0, from = p->at;
    struct expect_node *n = expect_node_new(p, EXPECT_TERM);
    while (isalnum((unsigned char)s[len]) || (s[len] && strchr("-_.*?", s[len])))
        len++;
    n->glob = memchr(s, '*', len) || memchr(s, '?', len);
    n->here = true;
    n->point = p->point;
    p->at += len;
    if (!len || len > 300) {
        expect_error(p, from, 1, "a metric is wanted here, as vm.NAME.latency.p99");
        return n;
    }
    if (n->glob && !glob_ok) {
        expect_error(p, from, len, "a pattern stands for several; write sum, mean, max or min around it");
        return n;
    }
    size_t entity;
    unsigned on = expect_entity(p, from, len, &entity);
    if (!on) return n;
    n->entity = arena_dup(p->r->a, s, entity);
    read_metric(p, n, arena_dup(p->r->a, s + entity + 1, len - entity - 1), from + entity + 1, on);
    return n;
}

/* --- points --- */

static bool is_taken(const struct scenario_file *f, const char *key)
{
    for (uint32_t i = 0; i < f->n_taken; i++)
        if (!strcmp(f->taken[i], key)) return true;
    return false;
}

static const struct axis *axis_of(const struct scenario_file *f, const char *key)
{
    for (uint32_t i = 0; i < f->n_axes; i++)
        for (uint32_t j = 0; j < f->axes[i].n_keys; j++)
            if (!strcmp(f->axes[i].keys[j], key)) return &f->axes[i];
    return NULL;
}

enum { AT_MAX = 16 };

struct places { /* the @s behind one term or call */
    struct sweep_at at[AT_MAX];
    size_t from[AT_MAX]; /* in the text */
    uint32_t n;
};

static void move(struct expect_parse *p, struct expect_node *n, const struct places *to)
{
    for (uint32_t i = 0; i < n->n_args; i++)
        move(p, n->args[i], to);
    if (n->kind != EXPECT_TERM || p->failed) return;
    /* At the only point there is, here and there are one place. */
    n->here = scenario_points(p->f) == 1;
    uint32_t bad = 0, which;
    if (sweep_move(p->f, &n->point, to->at, to->n, &bad)) return;
    const struct sweep_at *at = &to->at[bad];
    ASSUME(at->key);
    expect_error(p, to->from[bad], strlen(at->key) + 1 + strlen(at->value),
                 "the sweep has no point where %.100s is `%.60s`%s", at->key, at->value,
                 sweep_move(p->f, &n->point, at, 1, &which) ? " beside what stands before it" : "");
}

/* Whether the sweep has it; told where not. */
static bool swept(struct expect_parse *p, const char *key, size_t from)
{
    if (sweep_has(p->f, key)) return true;
    expect_error(p, from, strlen(key), "`%.100s` is not swept", key);
    for (uint32_t i = 0; i < p->sc->n_keys && i < 1; i++)
        expect_hint(p, "swept are: %s%s", p->sc->keys[0], p->sc->n_keys > 1 ? " ..." : "");
    return false;
}

void expect_points(struct expect_parse *p, struct expect_node *n)
{
    uint32_t told = 0; /* axes that are fixed; keys of one zip count once */
    const struct axis *seen[8];
    struct places to = {.n = 0};
    while (!p->failed && p->text[p->at] == '@') {
        size_t from = ++p->at;
        size_t klen = strcspn(p->text + from, "= @,)");
        if (p->text[from + klen] != '=' || !klen) {
            expect_error(p, from - 1, klen + 1,
                         "@ wants KEY=VALUE, a key of the sweep and one of its values");
            return;
        }
        const char *key = arena_dup(p->r->a, p->text + from, klen);
        size_t vlen = strcspn(p->text + from + klen + 1, " @,)");
        const char *value = arena_dup(p->r->a, p->text + from + klen + 1, vlen);
        p->at = from + klen + 1 + vlen;
        if (is_taken(p->f, key)) {
            p->skip = true;
        } else if (swept(p, key, from)) {
            if (to.n == AT_MAX) {
                expect_error(p, from - 1, p->at - from + 1, "more than %d keys behind one term", AT_MAX);
                return;
            }
            to.at[to.n] = (struct sweep_at){key, value};
            to.from[to.n++] = from;
        }
        const struct axis *x = axis_of(p->f, key);
        bool again = !x || told == 8;
        for (uint32_t i = 0; i < told && !again; i++)
            again = seen[i] == x;
        if (!again) seen[told++] = x;
    }
    if (to.n && !p->failed) move(p, n, &to);
    if (told < p->f->n_axes) p->all_fixed = false;
}
