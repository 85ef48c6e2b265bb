// SPDX-License-Identifier: GPL-3.0-or-later
/* The manager: what it may promise, what it looks after, which VMs come later. */
#include <stdlib.h>
#include <string.h>

#include "scenario/vms.h"

#define C "cloud."

static const struct node *of_root(const struct node *root)
{
    return reader_sub(root, "cloud", NODE_MAP);
}

const char *cloud_place(struct reader *r, const struct node *root)
{
    struct got place = reader_get(r, of_root(root), C "place");
    if (place.stated && !place.node) return "first-fit"; /* its mistake is told; VMs are placed all the same */
    return place.node ? place.word : NULL;
}

/* The entry of autoscale for that group. */
static struct node *scale_of(const struct node *root, const char *group)
{
    struct node *list = reader_sub(of_root(root), "autoscale", NODE_LIST);
    for (uint32_t i = 0; list && i < list->n; i++) {
        const struct node *name =
            list->items[i]->kind == NODE_MAP ? tree_get(list->items[i], "group", 5) : NULL;
        if (name && tree_is(name, group)) return list->items[i];
    }
    return NULL;
}

uint32_t cloud_more(struct reader *r, const struct node *root, const char *group, uint32_t count)
{
    struct node *map = scale_of(root, group);
    if (!map) return 0;
    struct got most = reader_get(r, map, C "autoscale.max");
    uint64_t add = (uint64_t)reader_num(r, map, C "autoscale.add"), all = 10 * (uint64_t)count;
    if (all < count + add) all = count + add;
    if (most.node) all = (uint64_t)most.n;
    return all > count ? (uint32_t)(all - count) : 0;
}

static void read_ratio(struct reader *r, const struct node *map, const char *path, uint32_t *milli)
{
    struct got got = reader_get(r, map, path);
    *milli = got.word ? 0 : (uint32_t)(got.n / 1000000);
}

static void read_quota(struct reader *r, const struct node *cloud, const struct scenario *sc,
                       struct sc_cloud *c)
{
    struct node *q = reader_sub(cloud, "quota", NODE_MAP);
    struct got vcpus = reader_get(r, q, C "quota.vcpus"), vms = reader_get(r, q, C "quota.vms");
    struct got memory = reader_get(r, q, C "quota.memory");
    uint64_t n_vcpus = 0, n_vms = 0;
    unsigned __int128 bytes = 0;
    char text[40];
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        if (sc->vms[i].there != SC_AT_START || sc->vms[i].start_ns > 0) continue;
        n_vms++;
        n_vcpus += sc->vms[i].vcpus;
        bytes += (uint64_t)sc->vms[i].memory_bytes;
    }
    c->quota_vcpus = vcpus.word ? 0 : (uint32_t)vcpus.n;
    c->quota_vms = vms.word ? 0 : (uint32_t)vms.n;
    c->quota_bytes = memory.word ? 0 : memory.n;
    if (vcpus.node && c->quota_vcpus && n_vcpus > c->quota_vcpus)
        tree_error(r->d, vcpus.node, "VMs that are there at the start have %llu vCPUs",
                   (unsigned long long)n_vcpus);
    if (vms.node && c->quota_vms && n_vms > c->quota_vms)
        tree_error(r->d, vms.node, "%llu VMs are there at the start", (unsigned long long)n_vms);
    if (memory.node && c->quota_bytes && bytes > (uint64_t)c->quota_bytes)
        tree_error(r->d, memory.node, "VMs that are there at the start have more than %s",
                   unit_format(UNIT_SIZE, c->quota_bytes, text, sizeof text));
}

static void read_ha(struct reader *r, const struct node *cloud, struct sc_cloud *c)
{
    struct node *ha = reader_sub(cloud, "ha", NODE_MAP), *balance = reader_sub(cloud, "balance", NODE_MAP);
    c->ha = ha != NULL;
    c->detect_ns = reader_num(r, ha, C "ha.detect");
    c->dispatch_ns = reader_num(r, ha, C "ha.dispatch");
    c->spares = ha ? (uint32_t)reader_num(r, ha, C "ha.spares") : 0;
    if (!balance) return;
    c->balance_every_ns = reader_num(r, balance, C "balance.every");
    c->balance_above_ppm = (uint32_t)reader_num(r, balance, C "balance.above");
}

/* The VMs [*first, *first + n) of a group. */
static uint32_t range_of(const struct scenario *sc, const char *group, uint32_t *first)
{
    uint32_t i = 0, n = 0;
    while (i < sc->n_vms && strcmp(sc->vms[i].group, group) != 0)
        i++;
    *first = i;
    while (i + n < sc->n_vms && !strcmp(sc->vms[i + n].group, group))
        n++;
    return n;
}

static int64_t millionths(struct got got)
{
    return got.word ? -1 : got.n / 1000;
}

static bool read_scale(struct reader *r, struct node *map, const struct scenario *sc, struct sc_autoscale *s)
{
    struct got group = reader_get(r, map, C "autoscale.group"),
               every = reader_get(r, map, C "autoscale.every");
    struct got above = reader_get(r, map, C "autoscale.above"),
               below = reader_get(r, map, C "autoscale.below");
    struct got target = reader_get(r, map, C "autoscale.target"),
               most = reader_get(r, map, C "autoscale.max");
    const char *metric = reader_get(r, map, C "autoscale.metric").word;
    if (!group.stated) tree_error(r->d, map, "which VMs? `group` is missing");
    if (!group.node) return false;
    s->n_vms = range_of(sc, group.word, &s->first_vm);
    if (s->n_vms == 0) {
        if (tree_error(r->d, group.node, "there is no VM `%s`", group.word))
            vms_hint(r, sc, group.word, false);
        return false;
    }
    for (uint32_t i = 0; i < s->n_vms; i++)
        s->n_start += sc->vms[s->first_vm + i].there == SC_AT_START;
    s->metric = metric[0] == 'b' ? SC_M_BACKLOG : metric[0] == 'c' ? SC_M_CPU : SC_M_LATENCY;
    s->above_u = millionths(above);
    s->below_u = millionths(below);
    s->target_u = millionths(target);
    s->add = (uint32_t)reader_num(r, map, C "autoscale.add");
    s->remove = (uint32_t)reader_num(r, map, C "autoscale.remove");
    s->every_ns = every.n;
    s->cooldown_ns = reader_num(r, map, C "autoscale.cooldown");
    bool both = s->target_u >= 0 && (s->above_u >= 0 || s->below_u >= 0);
    if (both) tree_error(r->d, target.node, "`target` takes the place of `above` and `below`");
    if (s->above_u < 0 && s->below_u < 0 && s->target_u < 0)
        tree_error(r->d, map, "when? `above`, `below` or `target` is missing");
    if (s->metric == SC_M_CPU && every.n == 0)
        tree_error(r->d, map, "how often? `metric: cpu` needs `every`: nothing happens when a load changes");
    if (s->below_u >= 0 && s->above_u >= 0 && s->below_u > s->above_u)
        tree_error(r->d, below.node, "`below` is more than `above`: it would grow and shrink at once");
    if (most.node && most.n < (int64_t)s->n_start)
        tree_error(r->d, most.node, "%u of them are there at the start", s->n_start);
    if (!sc->vms[s->first_vm].work.requests && s->metric != SC_M_CPU)
        tree_error(r->d, group.node, "`%s` has no requests to look at", group.word);
    return true;
}

static void read_scales(struct reader *r, const struct node *cloud, const struct scenario *sc,
                        struct sc_cloud *c)
{
    struct node *list = reader_sub(cloud, "autoscale", NODE_LIST);
    struct sc_autoscale *s = arena_array(r->a, list ? list->n + 1 : 1, sizeof *s);
    for (uint32_t i = 0; list && i < list->n; i++)
        if (list->items[i]->kind == NODE_MAP && read_scale(r, list->items[i], sc, &s[c->n_scales]))
            c->n_scales++;
    c->scales = s;
}

static void read_requests(struct reader *r, const struct node *cloud, const struct scenario *sc,
                          struct sc_cloud *c)
{
    struct node *map = reader_sub(cloud, "requests", NODE_MAP),
                *arrivals = reader_sub(map, "arrivals", NODE_MAP);
    struct node *list = reader_sub(map, "flavours", NODE_LIST),
                *life = map ? tree_get(map, "lifetime", 8) : NULL;
    struct sc_requests *q = &c->requests;
    struct pool pool = {0};
    if (!map) return;
    struct got poisson = reader_get(r, arrivals, C "requests.arrivals.poisson");
    struct got periodic = reader_get(r, arrivals, C "requests.arrivals.periodic");
    if (!poisson.node == !periodic.node && !poisson.stated && !periodic.stated)
        tree_error(r->d, map, "how often? `arrivals` is {poisson: 2/s} or {periodic: 10s}");
    else if (poisson.node && periodic.node)
        tree_error(r->d, arrivals, "`arrivals` is either `poisson` or `periodic`");
    q->poisson = poisson.node != NULL;
    q->gap_ns = poisson.node ? INT64_C(1000000000000000) / poisson.n : periodic.n;
    q->lifetime = (struct dist){.kind = DIST_CONST, .a = INT64_C(1) << 62};
    if (life && !life->bad && !dist_read(r, life, false, &q->lifetime, &pool)) return;
    if (!life && draw_make(&q->lifetime) != 0) return;
    q->pool = pool.v;
    struct sc_flavour *f = arena_array(r->a, list ? list->n + 1 : 1, sizeof *f);
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct node *vm =
            list->items[i]->kind == NODE_MAP ? reader_sub(list->items[i], "vm", NODE_MAP) : NULL;
        const struct node *name = vm ? tree_get(vm, "name", 4) : NULL;
        if (!vm && list->items[i]->kind == NODE_MAP)
            tree_error(r->d, list->items[i], "which VM? `vm` is missing");
        if (!name || name->kind != NODE_SCALAR) continue;
        f[q->n_flavours].n_vms = range_of(sc, name->text, &f[q->n_flavours].first_vm);
        f[q->n_flavours].chance = (uint32_t)reader_num(r, list->items[i], C "requests.flavours.chance");
        q->n_flavours += f[q->n_flavours].n_vms > 0;
    }
    if (!list || list->n == 0) tree_error(r->d, map, "VMs of which kind? `flavours` is missing");
    q->flavours = f;
    q->stated = q->n_flavours > 0 && q->gap_ns > 0;
}

void cloud_read(struct reader *r, struct node *root, struct scenario *sc)
{
    const struct node *cloud = of_root(root);
    struct sc_cloud *c = &sc->cloud;
    c->stated = cloud != NULL;
    c->place = cloud_place(r, root);
    const struct node *over = reader_sub(cloud, "overcommit", NODE_MAP);
    read_ratio(r, over, C "overcommit.cpu", &c->overcommit_cpu_m);
    read_ratio(r, over, C "overcommit.memory", &c->overcommit_mem_m);
    c->power_off = c->place && !strcmp(c->place, "pack-and-power-off");
    read_quota(r, cloud, sc, c);
    read_ha(r, cloud, c);
    read_scales(r, cloud, sc, c);
    read_requests(r, cloud, sc, c);
    sc->moves = c->ha || c->balance_every_ns || c->requests.stated || c->n_scales;
    for (uint32_t i = 0; i < sc->n_vms; i++)
        sc->moves |= sc->vms[i].placed;
}

/* --- services --- */

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
