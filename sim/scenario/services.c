// SPDX-License-Identifier: GPL-3.0-or-later
/* What several VMs provide together. */
#include <stdlib.h>
#include <string.h>

#include "scenario/vms.h"

static bool glob(const char *pattern, const char *name)
{
    for (; *pattern; pattern++, name++) {
        if (*pattern == '*') {
            for (; *name; name++)
                if (glob(pattern + 1, name)) return true;
            return glob(pattern + 1, name);
        }
        if (*pattern != *name) return false;
    }
    return !*name;
}

static void members_of(struct reader *r, struct node *of, const struct scenario *sc, struct sc_service *s)
{
    uint32_t *vms = arena_array(r->a, sc->n_vms + 1, sizeof *vms);
    bool *in = arena_array(r->a, sc->n_vms + 1, sizeof *in);
    for (uint32_t i = 0; i < of->n; i++) {
        struct node *n = of->items[i];
        uint32_t found = 0;
        if (n->kind != NODE_SCALAR || n->bad) continue;
        for (uint32_t k = 0; k < sc->n_vms; k++)
            if (glob(n->text, sc->vms[k].name) || !strcmp(n->text, sc->vms[k].group)) in[k] = true, found++;
        if (!found && tree_error(r->d, n, "there is no VM `%s`", n->text)) vms_hint(r, sc, n->text, false);
    }
    for (uint32_t k = 0; k < sc->n_vms; k++)
        if (in[k]) vms[s->n_vms++] = k;
    s->vms = vms;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sc_service *)a)->name, ((const struct sc_service *)b)->name);
}

void services_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "services", NODE_LIST);
    struct sc_service *services = arena_array(r->a, list ? list->n + 1 : 1, sizeof *services);
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct node *map = list->items[i], *of;
        if (map->kind != NODE_MAP) continue;
        struct sc_service *s = &services[sc->n_services];
        struct got name = reader_get(r, map, "services.name"), need = reader_get(r, map, "services.need");
        of = reader_sub(map, "of", NODE_LIST);
        if (!tree_get(map, "of", 2)) tree_error(r->d, map, "which VMs? `of` is missing");
        if (!name.node || !of) continue;
        s->name = name.word;
        s->entity = arena_printf(r->a, "service.%s", name.word);
        members_of(r, of, sc, s);
        s->need = need.node ? (uint32_t)need.n : s->n_vms;
        if (need.node && s->n_vms && s->need > s->n_vms)
            tree_error(r->d, need.node, "it has %u VM%s: it would never be there", s->n_vms,
                       s->n_vms == 1 ? "" : "s");
        sc->n_services++;
    }
    if (sc->n_services) qsort(services, sc->n_services, sizeof *services, by_name);
    sc->services = services;
}
