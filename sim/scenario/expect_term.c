// SPDX-License-Identifier: GPL-3.0-or-later
/* The leaves of an expectation: numbers, metrics of entities, and the points they are asked at. */
#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    struct expect_node *node = expect_node_new(p, EXPECT_NUM);
    bool minus = s[0] == '-';
    const char *unit = s + n, *digits = s + minus;
    size_t len = u - n, all = u - minus;
    p->at += u;
    if (n > 60 || len > 4) {
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

/* --- entities --- */

/* Whether `name` is, or `glob` could be, one that the file's VMs or hosts make. */
static bool fits(const char *want, const char *name, const char *group, bool glob)
{
    char member[80];
    if (glob ? !fnmatch(want, name, 0) : !strcmp(want, name)) return true;
    if (!strcmp(name, group)) return false;
    /* A count that made one member may be called by the group's name. */
    snprintf(member, sizeof member, "%s-0", group);
    return !glob && !strcmp(want, group) && !strcmp(name, member);
}

static void no_entity(struct expect_parse *p, size_t from, size_t len, const char *kind, const char *name)
{
    const char *names[65] = {0};
    bool vm = kind[0] == 'v';
    uint32_t n = vm ? p->sc->n_vms : p->sc->n_hosts, group = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i < 64) names[i] = vm ? p->sc->vms[i].name : p->sc->hosts[i].name;
        group += !strcmp(vm ? p->sc->vms[i].group : p->sc->hosts[i].group, name);
    }
    char at[200] = "";
    for (uint32_t i = 0; i < p->sc->n_keys && strlen(at) < 120; i++)
        snprintf(at + strlen(at), sizeof at - strlen(at), "%s%.60s=%.20s", i ? ", " : " at ", p->sc->keys[i],
                 p->sc->values[i]);
    expect_error(p, from, len, "there is no %s `%.63s`%s", vm ? "VM" : "host", name, at);
    const char *near = diag_nearest(name, names);
    if (group)
        expect_hint(p, "there are %u of them: write sum, mean, max or min over `%s.%.63s-*`", group, kind,
                    name);
    else if (near)
        expect_hint(p, "did you mean `%s.%s`?", kind, near);
    else if (p->sc->n_keys)
        expect_hint(p,
                    "a line without @ holds at every point; `%s.NAME-*` in max, min, mean or sum passes over "
                    "what is not there",
                    kind);
}

/* Groups of the file, whatever their count is at this point: for globs and for other points. */
static bool group_fits(struct expect_parse *p, const char *list_key, const char *name, bool glob)
{
    const struct node *list = tree_get(p->f->root, list_key, strlen(list_key));
    for (uint32_t i = 0; list && list->kind == NODE_LIST && i < list->n; i++) {
        char member[80];
        const struct node *n = tree_get(list->items[i], "name", 4);
        if (!n || n->kind != NODE_SCALAR || n->len > 63) continue;
        size_t len = n->len;
        snprintf(member, sizeof member, "%s-0", n->text);
        if (glob && (!fnmatch(name, n->text, 0) || !fnmatch(name, member, 0))) return true;
        if (!glob && !strncmp(name, n->text, len)) {
            const char *rest = name + len;
            if (!*rest || (*rest == '-' && rest[1] && strspn(rest + 1, "0123456789") == strlen(rest + 1)))
                return true;
        }
    }
    return false;
}

struct part {
    const char *s;
    size_t len, at;
};

static bool numbered(const struct part *x, const char *word, bool glob_ok)
{
    size_t n = strlen(word);
    if (x->len <= n || strncmp(x->s, word, n) != 0) return false;
    for (size_t i = n; i < x->len; i++)
        if (!isdigit((unsigned char)x->s[i]) && !(glob_ok && strchr("*?", x->s[i]))) return false;
    return true;
}

/* Whether the entity is there at this point; told where not. */
static bool check_entity(struct expect_parse *p, const struct part *parts, unsigned on, bool glob)
{
    bool vm = on & (NAME_ON_VM | NAME_ON_VCPU), found = false, sub = on & (NAME_ON_VCPU | NAME_ON_PCPU);
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)parts[1].len, parts[1].s);
    uint32_t n = vm ? p->sc->n_vms : p->sc->n_hosts, members = 0, most = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *is = vm ? p->sc->vms[i].name : p->sc->hosts[i].name;
        const char *group = vm ? p->sc->vms[i].group : p->sc->hosts[i].group;
        uint32_t inside = vm ? p->sc->vms[i].vcpus : p->sc->hosts[i].cores;
        members += !strcmp(group, name) && strcmp(is, name) != 0;
        if (!fits(name, is, group, glob)) continue;
        found = true;
        if (inside > most) most = inside;
    }
    if (found && !glob && members > 1) found = false;
    bool digits = sub && parts[2].len > 4 && !memchr(parts[2].s, '*', parts[2].len) &&
                  !memchr(parts[2].s, '?', parts[2].len);
    if (found && digits && strtoul(parts[2].s + 4, NULL, 10) >= most) {
        expect_error(p, parts[2].at, parts[2].len, "%s `%s` has %u %s%s", vm ? "VM" : "host", name, most,
                     vm ? "vCPU" : "pCPU", most == 1 ? "" : "s");
        return false;
    }
    if (found) return true;
    /* At another point, or as a glob, it may be there: its group is. */
    bool elsewhere = p->text[p->at] == '@' || glob;
    if (elsewhere && group_fits(p, vm ? "vms" : "hosts", name, glob)) return true;
    no_entity(p, parts[1].at, parts[1].len, vm ? "vm" : "host", name);
    return false;
}

/* --- metrics --- */

static void unknown_metric(struct expect_parse *p, size_t from, const char *rest)
{
    const char *names[128];
    size_t n = 0;
    for (size_t i = 0; i < name_count() && n < 127; i++)
        names[n++] = name_at(i)->name;
    names[n] = NULL;
    expect_error(p, from, strlen(rest), "there is no metric `%.80s`", rest);
    const char *near = diag_nearest(rest, names);
    char head[80];
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
    if (!m || !strcmp(n->metric, "events.KIND")) {
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
    return read_stat(p, n, m, stat, stat ? from + (size_t)(stat - rest) : from);
}

static size_t split(const char *s, size_t len, size_t at, struct part *parts, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i <= len && n < max;) {
        size_t k = i;
        while (k < len && s[k] != '.')
            k++;
        parts[n++] = (struct part){s + i, k - i, at + i};
        i = k + 1;
    }
    return n;
}

static bool later_entity(const struct part *x, const char *kinds)
{
    return key_has_word(kinds, x->s, x->len);
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
    struct part parts[8];
    size_t n_parts = split(s, len, from, parts, 8), used;
    p->at += len;
    unsigned on;
    if (!len || len > 300) {
        expect_error(p, from, 1, "a metric is wanted here, as vm.NAME.latency.p99");
        return n;
    }
    if (n->glob && !glob_ok) {
        expect_error(p, from, len, "a pattern stands for several; write sum, mean, max or min around it");
        return n;
    }
    bool vm = parts[0].len == 2 && !memcmp(parts[0].s, "vm", 2),
         host = parts[0].len == 4 && !memcmp(parts[0].s, "host", 4);
    if (parts[0].len == 7 && !memcmp(parts[0].s, "cluster", 7))
        on = NAME_ON_CLUSTER, used = 1;
    else if (vm || host) {
        bool sub = n_parts > 2 && numbered(&parts[2], vm ? "vcpu" : "pcpu", true);
        on = vm ? sub ? NAME_ON_VCPU : NAME_ON_VM : sub ? NAME_ON_PCPU : NAME_ON_HOST;
        used = sub ? 3 : 2;
    } else if (later_entity(&parts[0], "storage network peer service")) {
        expect_error(p, from, parts[0].len, "`%.*s` is not supported yet", (int)parts[0].len, parts[0].s);
        return n;
    } else {
        expect_error(p, from, parts[0].len, "`%.*s` is not a kind of entity",
                     (int)(parts[0].len > 40 ? 40 : parts[0].len), parts[0].s);
        const char *near = diag_nearest(arena_dup(p->r->a, parts[0].s, parts[0].len),
                                        (const char *const[]){"vm", "host", "cluster", NULL});
        if (near)
            expect_hint(p, "did you mean `%s`?", near);
        else
            expect_hint(p, "metrics begin with vm.NAME, host.NAME or cluster");
        return n;
    }
    if (host && n_parts > 3 && later_entity(&parts[2], "disk nic")) {
        expect_error(p, parts[2].at, parts[2].len, "`%.*s` is not supported yet", (int)parts[2].len,
                     parts[2].s);
        return n;
    }
    if (n_parts <= used || (used > 1 && !parts[1].len)) {
        expect_error(p, from, len, "`%.*s` names no metric", (int)(len > 80 ? 80 : len), s);
        return n;
    }
    size_t entity = parts[used - 1].at + parts[used - 1].len - from;
    n->entity = arena_dup(p->r->a, s, entity);
    const char *rest = arena_dup(p->r->a, s + entity + 1, len - entity - 1);
    if (on != NAME_ON_CLUSTER &&
        !check_entity(p, parts, on,
                      memchr(parts[1].s, '*', parts[1].len) || memchr(parts[1].s, '?', parts[1].len)))
        return n;
    read_metric(p, n, rest, from + entity + 1, on);
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

static void move(struct expect_parse *p, struct expect_node *n, const char *key, const char *value,
                 size_t from)
{
    for (uint32_t i = 0; i < n->n_args; i++)
        move(p, n->args[i], key, value, from);
    if (n->kind != EXPECT_TERM || p->failed) return;
    if (!sweep_has(p->f, key)) {
        expect_error(p, from, strlen(key), "`%.100s` is not swept", key);
        for (uint32_t i = 0; i < p->sc->n_keys && i < 1; i++)
            expect_hint(p, "swept are: %s%s", p->sc->keys[0], p->sc->n_keys > 1 ? " ..." : "");
        return;
    }
    /* At the only point there is, here and there are one place. */
    n->here = scenario_points(p->f) == 1;
    if (sweep_move(p->f, &n->point, key, value)) return;
    expect_error(p, from, strlen(key) + 1 + strlen(value), "the sweep has no point where %.100s is `%.60s`",
                 key, value);
}

void expect_points(struct expect_parse *p, struct expect_node *n)
{
    uint32_t told = 0; /* axes that are fixed; keys of one zip count once */
    const struct axis *seen[8];
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
        if (is_taken(p->f, key))
            p->skip = true;
        else
            move(p, n, key, value, from);
        const struct axis *x = axis_of(p->f, key);
        bool again = !x || told == 8;
        for (uint32_t i = 0; i < told && !again; i++)
            again = seen[i] == x;
        if (!again) seen[told++] = x;
    }
    if (told < p->f->n_axes) p->all_fixed = false;
}
