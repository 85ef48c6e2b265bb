// SPDX-License-Identifier: GPL-3.0-or-later
/* reading.h - for tests of the reader: a text that must be right, its points, and who is in them by name. */
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

#endif
