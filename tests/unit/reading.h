// SPDX-License-Identifier: GPL-3.0-or-later
/* reading.h - for tests of the reader: a text that must be right, its points, and who is in them by name; and
 * a text that must be refused, at one place, with these words. */
#ifndef VLAB_TESTS_READING_H
#define VLAB_TESTS_READING_H

#include <check.h>
#include <string.h>

#include "scenario/scenario.h"

static inline struct scenario_file *parse(const char *text, struct diag *d)
{
    diag_init(d);
    struct scenario_file *f = scenario_parse("dir/some-file.yaml", text, strlen(text), d);
    if (diag_any(d)) diag_print(d, stderr, false);
    ck_assert_ptr_nonnull(f);
    return f;
}

static inline struct scenario *at(struct scenario_file *f, size_t point, struct diag *d)
{
    struct scenario *sc = scenario_at(f, point, d);
    if (diag_any(d)) diag_print(d, stderr, false);
    ck_assert_ptr_nonnull(sc);
    return sc;
}

/* What is written, where the one mistake in it is, and what is said of it. */
struct refusal {
    const char *text;
    unsigned line, column;
    const char *says;
    const char *hint; /* NULL: not looked at */
};

static inline void ck_refused(struct diag *d, const struct refusal *x)
{
    if (d->n != 1) diag_print(d, stderr, false);
    ck_assert_msg(d->n == 1, "%zu diagnostics instead of one for:\n%s", d->n, x->text);
    const struct diag_item *it = &d->items[0];
    ck_assert_msg(strstr(it->text, x->says) != NULL, "said \"%s\", wanted \"%s\", for:\n%s", it->text,
                  x->says, x->text);
    ck_assert_msg(it->mark.line == x->line && it->mark.column == x->column,
                  "at %u:%u, wanted %u:%u, \"%s\", for:\n%s", it->mark.line, it->mark.column, x->line,
                  x->column, it->text, x->text);
    if (x->hint)
        ck_assert_msg(it->hint && strstr(it->hint, x->hint), "hint \"%s\", wanted \"%s\", for:\n%s",
                      it->hint ? it->hint : "none", x->hint, x->text);
    ck_assert(!d->usage);
}

static inline const struct sc_vm *vm_of(const struct scenario *sc, const char *name)
{
    for (uint32_t i = 0; i < sc->n_vms; i++)
        if (!strcmp(sc->vms[i].name, name)) return &sc->vms[i];
    ck_abort_msg("there is no VM %s", name);
    return NULL;
}

static inline const struct sc_host *host_of(const struct scenario *sc, const char *name)
{
    for (uint32_t i = 0; i < sc->n_hosts; i++)
        if (!strcmp(sc->hosts[i].name, name)) return &sc->hosts[i];
    ck_abort_msg("there is no host %s", name);
    return NULL;
}

/* The text is read, all its points, until something is said: that one thing. */
static inline void ck_text_refused(const struct refusal *x)
{
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_parse("case.yaml", x->text, strlen(x->text), &d);
    for (size_t p = 0; f && p < scenario_points(f) && !diag_any(&d); p++)
        scenario_free(scenario_at(f, p, &d));
    ck_refused(&d, x);
    scenario_close(f);
    diag_done(&d);
}

/* As many points as it has are read without a word. */
static inline void ck_text_accepted(const char *text)
{
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_parse("case.yaml", text, strlen(text), &d);
    for (size_t p = 0; f && p < scenario_points(f) && !diag_any(&d); p++)
        scenario_free(scenario_at(f, p, &d));
    if (diag_any(&d)) diag_print(&d, stderr, false);
    ck_assert_msg(!diag_any(&d), "refused:\n%s", text);
    scenario_close(f);
    diag_done(&d);
}

#endif
