// SPDX-License-Identifier: GPL-3.0-or-later
/* Lines of `expect:`, top down: comparison, sum, product, factor. */
#include "scenario/expect.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "scenario/expect_in.h"

const char *expect_op_text(enum expect_op op)
{
    static const char *const ops[] = {"<", "<=", "==", ">=", ">"};
    return ops[op];
}

const char *expect_unit_text(struct expect_unit u, char *out, size_t size)
{
    if (!u.s && !u.b) return "";
    if (!u.b && u.s == 1) return "s";
    if (!u.b && u.s == -1) return "1/s";
    if (u.b == 1 && !u.s) return "B";
    if (u.b == 1 && u.s == -1) return "B/s";
    snprintf(out, size, "s^%d B^%d", u.s, u.b);
    return out;
}

void expect_error(struct expect_parse *p, size_t from, size_t len, const char *fmt, ...)
{
    if (p->failed) return;
    p->failed = true;
    if (p->quiet) return;
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    /* Inside a scalar of one line, as it stands in the file, the place is exact. */
    struct node *n = p->node;
    struct diag_mark m = n->mark;
    unsigned quote = n->plain ? 0 : 1;
    if (m.length == n->len + 2 * (size_t)quote) {
        m.column += quote + (unsigned)from;
        m.length = (unsigned)len;
    }
    struct diag_mark whole = n->mark;
    n->mark = m;
    tree_error(p->r->d, n, "%s", text);
    n->mark = whole;
}

void expect_hint(struct expect_parse *p, const char *fmt, ...)
{
    if (p->quiet) return;
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    diag_hint(p->r->d, "%s", text);
}

struct expect_node *expect_node_new(struct expect_parse *p, enum expect_kind kind)
{
    struct expect_node *n = arena_alloc(p->r->a, sizeof *n);
    n->kind = kind;
    if (++p->nodes > EXPECT_MAX_NODES)
        expect_error(p, 0, 1, "an expectation of more than %u parts", EXPECT_MAX_NODES);
    return n;
}

static void blanks(struct expect_parse *p)
{
    while (p->text[p->at] == ' ' || p->text[p->at] == '\n')
        p->at++;
}

static bool same_unit(struct expect_unit a, struct expect_unit b)
{
    return a.s == b.s && a.b == b.b;
}

static const char *unit_words(struct expect_unit u, char *out, size_t size)
{
    const char *t = expect_unit_text(u, out, size);
    return !*t                 ? "a plain number or share"
           : !strcmp(t, "s")   ? "a time"
           : !strcmp(t, "1/s") ? "a rate"
           : !strcmp(t, "B")   ? "a size"
           : !strcmp(t, "B/s") ? "a bandwidth"
                               : t;
}

static void mixed(struct expect_parse *p, size_t from, const struct expect_node *a,
                  const struct expect_node *b)
{
    char x[40], y[40];
    bool already = p->failed;
    expect_error(p, from, p->at - from, "the units differ: %s and %s", unit_words(a->unit, x, sizeof x),
                 unit_words(b->unit, y, sizeof y));
    if (already) return;
    p->mixed = true;
    if (a->any_unit || b->any_unit) expect_hint(p, "give the number its unit");
}

static struct expect_node *call(struct expect_parse *p, enum expect_kind kind, size_t from)
{
    struct expect_node *args[32], *n = expect_node_new(p, kind);
    do {
        p->at++; /* the parenthesis or the comma */
        blanks(p);
        if (n->n_args == 32) {
            expect_error(p, from, 3, "more than 32 terms");
            return n;
        }
        size_t start = p->at;
        args[n->n_args] = expect_term(p, true);
        if (p->failed) return n;
        expect_points(p, args[n->n_args]);
        if (n->n_args && !same_unit(args[0]->unit, args[n->n_args]->unit))
            mixed(p, start, args[0], args[n->n_args]);
        n->n_args++;
        blanks(p);
    } while (!p->failed && p->text[p->at] == ',');
    if (p->text[p->at] != ')')
        expect_error(p, p->at, 1, "`)` is missing");
    else
        p->at++;
    struct expect_node **kept = arena_array(p->r->a, n->n_args, sizeof *kept);
    memcpy(kept, args, n->n_args * sizeof *kept);
    n->args = kept;
    n->unit = args[0]->unit;
    n->percent = args[0]->percent;
    if (!p->failed) expect_points(p, n);
    return n;
}

static struct expect_node *sum(struct expect_parse *p);

static struct expect_node *factor(struct expect_parse *p)
{
    static const struct {
        const char *name;
        enum expect_kind kind;
    } calls[] = {{"sum(", EXPECT_SUM}, {"mean(", EXPECT_MEAN}, {"max(", EXPECT_MAX}, {"min(", EXPECT_MIN}};
    blanks(p);
    const char *s = p->text + p->at;
    size_t from = p->at;
    for (size_t i = 0; i < 4; i++) {
        size_t len = strlen(calls[i].name);
        if (strncmp(s, calls[i].name, len) != 0) continue;
        p->at += len - 1;
        return call(p, calls[i].kind, from);
    }
    if (*s == '(') {
        p->at++;
        if (++p->depth > EXPECT_MAX_DEPTH) expect_error(p, from, 1, "parentheses nested too deep");
        struct expect_node *n = p->failed ? NULL : sum(p);
        p->depth--;
        blanks(p);
        if (p->text[p->at] != ')')
            expect_error(p, p->at, 1, "`)` is missing");
        else
            p->at++;
        return n;
    }
    if (isdigit((unsigned char)*s) || *s == '.' || *s == '-') return expect_number(p, NULL, 0);
    if (isalpha((unsigned char)*s)) {
        struct expect_node *n = expect_term(p, false);
        if (!p->failed) expect_points(p, n);
        return n;
    }
    expect_error(p, p->at, 1,
                 *s ? "a number or a metric is wanted here"
                    : "the line ends where a number or a metric is wanted");
    return NULL;
}

static struct expect_node *product(struct expect_parse *p)
{
    struct expect_node *a = factor(p);
    for (;;) {
        blanks(p);
        char op = p->text[p->at];
        if (p->failed || (op != '*' && op != '/')) return a;
        p->at++;
        struct expect_node *b = factor(p), *n = expect_node_new(p, op == '*' ? EXPECT_MUL : EXPECT_DIV);
        if (p->failed) return a;
        int sign = op == '*' ? 1 : -1;
        int s = a->unit.s + sign * b->unit.s, by = a->unit.b + sign * b->unit.b;
        if (s < -20 || s > 20 || by < -20 || by > 20) {
            expect_error(p, p->at, 1, "the unit of this makes no sense");
            return a;
        }
        n->unit = (struct expect_unit){(int8_t)s, (int8_t)by};
        /* A factor of a share is a share: 0.9 * 50%. */
        n->percent = op == '*' ? a->percent || b->percent : a->percent && !b->percent;
        n->a = a;
        n->b = b;
        a = n;
    }
}

/* EXPR */
static struct expect_node *sum(struct expect_parse *p)
{
    size_t from = p->at;
    struct expect_node *a = product(p);
    for (;;) {
        blanks(p);
        char op = p->text[p->at];
        if (p->failed || (op != '+' && op != '-')) return a;
        p->at++;
        struct expect_node *b = product(p), *n = expect_node_new(p, op == '+' ? EXPECT_ADD : EXPECT_SUB);
        if (p->failed) return a;
        if (!same_unit(a->unit, b->unit)) mixed(p, from, a, b);
        n->unit = a->unit;
        n->percent = a->percent || b->percent;
        n->a = a;
        n->b = b;
        a = n;
    }
}

static bool operator(struct expect_parse *p, enum expect_op *op)
{
    blanks(p);
    const char *s = p->text + p->at;
    bool eq = s[0] && s[1] == '=';
    if (*s == '<')
        *op = eq ? EXPECT_LE : EXPECT_LT;
    else if (*s == '>')
        *op = eq ? EXPECT_GE : EXPECT_GT;
    else if (*s == '=' && eq)
        *op = EXPECT_EQ;
    else {
        bool near = *s == '=' || *s == '!';
        expect_error(p, p->at, near && eq ? 2 : 1, "one of < <= == >= > is wanted here");
        if (*s == '=') expect_hint(p, "did you mean `==`?");
        return false;
    }
    p->at += eq ? 2 : 1;
    return true;
}

static void within(struct expect_parse *p, struct expect *e)
{
    char suffix[8] = "";
    p->at += 6;
    blanks(p);
    size_t from = p->at;
    struct expect_node *n = expect_number(p, suffix, sizeof suffix);
    if (p->failed) return;
    if (n->num < 0) expect_error(p, from, p->at - from, "a tolerance is not negative");
    e->within = n->num;
    e->relative = !strcmp(suffix, "%");
    e->within_pp = !strcmp(suffix, "pp");
    if (!e->relative && !same_unit(n->unit, e->lhs->unit)) mixed(p, from, e->lhs, n);
}

static bool parse_line(struct expect_parse *p, struct expect *e)
{
    size_t from = 0;
    e->text = p->text;
    e->point = p->point;
    blanks(p);
    from = p->at;
    e->lhs = sum(p);
    size_t end = p->at;
    while (end > from && p->text[end - 1] == ' ')
        end--;
    e->left = arena_dup(p->r->a, p->text + from, end - from);
    if (p->failed || !operator(p, &e->op)) return false;
    e->rhs = sum(p);
    if (p->failed) return false;
    if (!same_unit(e->lhs->unit, e->rhs->unit)) mixed(p, from, e->lhs, e->rhs);
    blanks(p);
    if (!p->failed && !strncmp(p->text + p->at, "within", 6)) within(p, e);
    blanks(p);
    if (!p->failed && p->text[p->at]) {
        expect_error(p, p->at, strlen(p->text + p->at), "this does not belong to the expectation");
        if (strchr("<>=", p->text[p->at])) expect_hint(p, "one comparison a line");
    }
    e->fixed = p->all_fixed;
    const char *why = p->failed || p->skip ? NULL : expect_unbreakable(e);
    if (why) expect_error(p, 0, strlen(p->text), "no run can break this: %s", why);
    return !p->failed;
}

/* A state's default stat is its share; against a time it is its total. */
static bool read_line(struct expect_parse p, struct expect *e, bool *skip)
{
    struct expect_parse first = p, second = p;
    first.quiet = true;
    if (!parse_line(&first, e) && first.mixed) {
        second.quiet = second.second_stat = true;
        if (parse_line(&second, e)) return *skip = second.skip, true;
    }
    bool ok = parse_line(&p, e);
    *skip = p.skip;
    return ok;
}

void expect_read(struct reader *r, const struct scenario_file *f, size_t point, struct node *list,
                 struct scenario *sc)
{
    uint32_t n = list ? list->n : 0, at = 0;
    const struct expect **all = arena_array(r->a, n + 1, sizeof *all);
    for (uint32_t i = 0; i < n; i++) {
        struct node *m = list->items[i];
        struct expect *e = arena_alloc(r->a, sizeof *e);
        bool skip = false;
        if (m->kind != NODE_SCALAR || m->bad) continue;
        struct expect_parse p = {
            .r = r, .f = f, .sc = sc, .node = m, .text = m->text, .point = point, .all_fixed = true};
        if (read_line(p, e, &skip) && !skip) all[at++] = e;
    }
    sc->expects = all;
    sc->n_expects = at;
}
