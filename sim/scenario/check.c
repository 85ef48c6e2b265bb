// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"

struct member {
    const char *name;
    struct node *node; /* the `name` in the file */
    uint32_t order;
};

static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : x->order < y->order ? -1 : 1;
}

/* Every name that the list makes, `count` included, may be there once. */
static void check_names(struct reader *r, struct node *list, const char *name_key, const char *count_key)
{
    if (!list) return;
    uint32_t n = hosts_members(r, list, count_key), at = 0;
    struct member *all = arena_array(r->a, n + list->n + 1, sizeof *all);
    for (uint32_t i = 0; n && i < list->n; i++) {
        struct got name = reader_get(r, list->items[i], name_key),
                   count = reader_get(r, list->items[i], count_key);
        uint32_t members = count.node ? (uint32_t)count.n : 1;
        for (uint32_t j = 0; name.node && j < members; j++, at++)
            all[at] = (struct member){count.node ? arena_printf(r->a, "%s-%u", name.word, j) : name.word,
                                      name.node, at};
    }
    qsort(all, at, sizeof *all, by_name);
    for (uint32_t i = 1; i < at; i++) {
        if (strcmp(all[i].name, all[i - 1].name) != 0 || all[i].node == all[i - 1].node) continue;
        if (tree_error(r->d, all[i].node, "the name `%s` is there twice", all[i].name))
            diag_hint(r->d, "the first is at line %u, column %u", all[i - 1].node->mark.line,
                      all[i - 1].node->mark.column);
    }
}

/* Two groups of one name could not be told apart, even where one is empty. */
static void check_groups(struct reader *r, struct node *list, const char *name_key)
{
    if (!list) return;
    struct member *all = arena_array(r->a, list->n + 1, sizeof *all);
    uint32_t at = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        struct got name = reader_get(r, list->items[i], name_key);
        if (name.node) all[at] = (struct member){name.word, name.node, at}, at++;
    }
    qsort(all, at, sizeof *all, by_name);
    for (uint32_t i = 1; i < at; i++)
        if (!strcmp(all[i].name, all[i - 1].name) &&
            tree_error(r->d, all[i].node, "the name `%s` is there twice", all[i].name))
            diag_hint(r->d, "the first is at line %u, column %u", all[i - 1].node->mark.line,
                      all[i - 1].node->mark.column);
}

static void check_run(struct reader *r, struct node *root, const struct scenario *sc)
{
    const struct node *run = reader_sub(root, "run", NODE_MAP);
    struct got warmup = reader_get(r, run, "run.warmup"), sample = reader_get(r, run, "run.sample");
    if (warmup.node && sc->run.warmup_ns >= sc->run.duration_ns)
        tree_error(r->d, warmup.node, "the warm-up leaves nothing of the run to measure");
    if (sample.node && sc->run.duration_ns / sc->run.sample_ns > 1000000 &&
        tree_error(r->d, sample.node, "more than a million samples in a run"))
        diag_hint(r->d, "left out, it is 1/600 of the duration");
}

static void check_devices(struct reader *r, struct node *hosts)
{
    for (uint32_t i = 0; hosts && i < hosts->n; i++) {
        check_groups(r, reader_sub(hosts->items[i], "disks", NODE_LIST), "hosts.disks.name");
        check_groups(r, reader_sub(hosts->items[i], "nics", NODE_LIST), "hosts.nics.name");
    }
}

/* `net: {send, to}` names a VM or a peer: it must be clear which. */
static void check_peers(struct reader *r, struct node *list, const struct scenario *sc)
{
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct node *name = reader_sub(list->items[i], "name", NODE_SCALAR);
        for (uint32_t v = 0; name && v < sc->n_vms; v++)
            if (tree_is(name, sc->vms[v].name))
                tree_error(r->d, name, "there is a VM `%s` too: who sends to it could mean either",
                           name->text);
    }
}

void check_scenario(struct reader *r, struct node *root, const struct scenario *sc)
{
    struct node *hosts = reader_sub(root, "hosts", NODE_LIST), *vms = reader_sub(root, "vms", NODE_LIST);
    check_groups(r, hosts, "hosts.name");
    check_groups(r, vms, "vms.name");
    check_names(r, hosts, "hosts.name", "hosts.count");
    check_names(r, vms, "vms.name", "vms.count");
    check_devices(r, hosts);
    check_groups(r, reader_sub(root, "storage", NODE_LIST), "storage.name");
    check_groups(r, reader_sub(root, "networks", NODE_LIST), "networks.name");
    check_groups(r, reader_sub(root, "peers", NODE_LIST), "peers.name");
    check_peers(r, reader_sub(root, "peers", NODE_LIST), sc);
    check_run(r, root, sc);
}
