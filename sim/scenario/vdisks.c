// SPDX-License-Identifier: GPL-3.0-or-later
/* A VM's disks: on which device each lies, what it is made of, and whether the pools hold what is there at
 * the start. A thick volume on a pool takes its size at once, a thin one (and a linked clone, whose original
 * has the blocks) what is written. */
#include <string.h>

#include "scenario/vms.h"

#define D "vms.disk."

enum { FRESH, UNDER_WAY, SETTLED }; /* vms_group.disk_marks */

static bool reached(const struct sc_disk *d, uint32_t host)
{
    if (d->host != SC_NONE) return d->host == host;
    for (uint32_t i = 0; i < d->n_hosts; i++)
        if (d->hosts[i] == host) return true;
    return false;
}

/* The device that the disk lies on; SC_NONE: told. */
static uint32_t read_on(struct vms *v, const struct vms_group *g, struct node *map)
{
    const struct scenario *sc = v->sc;
    const char *names[3] = {0};
    uint32_t host = g->like.host, n = 0, only = SC_NONE;
    struct got on = reader_get(v->r, map, D "on");
    if (host == UINT32_MAX || (on.stated && !on.node)) return SC_NONE;
    if (on.node) {
        uint32_t d = devices_disk(sc, host, on.word);
        if (d == SC_NONE) devices_no_disk(v->r, on.node, sc, host);
        return d;
    }
    for (uint32_t i = 0; i < sc->n_disks; i++) {
        if (!reached(&sc->disks[i], host)) continue;
        if (n < 2) names[n] = sc->disks[i].name;
        n++;
        only = i;
    }
    if (n == 1) return only;
    if (!n)
        tree_error(v->r->d, map, "host `%s` has no disk, and no store reaches it", sc->hosts[host].name);
    else if (tree_error(v->r->d, map, "on which disk? `on` is missing"))
        diag_hint(v->r->d, "host `%s` reaches `%s` and `%s`%s", sc->hosts[host].name, names[0], names[1],
                  n > 2 ? " and more" : "");
    return SC_NONE;
}

static void read_limit(struct reader *r, const struct node *map, struct sc_vdisk *out)
{
    const struct node *limit = reader_sub(map, "limit", NODE_MAP);
    struct got iops = reader_get(r, limit, D "limit.iops"), bw = reader_get(r, limit, D "limit.bandwidth");
    struct got burst = reader_get(r, limit, D "limit.burst");
    out->limit_u = iops.n;
    out->limit_bps = bw.n;
    out->limit_burst_bytes = burst.n;
    if (burst.node && burst.n && !bw.stated)
        tree_error(r->d, burst.node, "`burst` is saved up of a `bandwidth`, and there is none");
}

static void read_one(struct vms *v, struct vms_group *g, uint32_t i)
{
    struct reader *r = v->r;
    struct node *map = g->disk_maps[i];
    struct sc_vdisk *out = &g->disks[i];
    out->disk = read_on(v, g, map);
    out->from_vm = SC_NONE;
    out->weight = (uint32_t)reader_num(r, map, D "weight");
    out->cache_bytes = reader_num(r, map, D "cache");
    struct got size = reader_get(r, map, D "size"), used = reader_get(r, map, D "used");
    struct got thin = reader_get(r, map, D "provision"), res = reader_get(r, map, D "reservation");
    struct got from = reader_get(r, map, D "from"), clone = reader_get(r, map, D "clone");
    out->size_bytes = size.n;
    out->used_bytes = used.n;
    out->thin = !strcmp(thin.word, "thin");
    out->linked = clone.word[0] == 'l';
    out->reservation_u = res.n;
    read_limit(r, map, out);
    uint32_t image = from.node ? images_named(v->sc, from.word) : SC_NONE;
    if (image != SC_NONE && i == 0) g->like.image = image;
    if (image != SC_NONE && i > 0)
        tree_error(r->d, from.node, "a VM boots from its first disk; this is another");
    if (used.node && from.stated && image == SC_NONE)
        tree_error(r->d, used.node, "a clone has written what its original has; `used` is not its own");
    else if (used.node && size.node && used.n > size.n)
        tree_error(r->d, used.node, "more is used than the disk holds");
    if (out->linked && !from.stated) tree_error(r->d, clone.node, "linked to what? `from` is missing");
    if (res.node && out->limit_u && res.n > out->limit_u)
        tree_error(r->d, res.node, "reserves more than its own limit lets it have");
    if (out->disk == SC_NONE) return;
    const struct sc_disk *d = &v->sc->disks[out->disk];
    if (out->thin && !d->pool_bytes &&
        tree_error(r->d, thin.node, "`thin` takes blocks from a pool, and `%s` has none", d->name))
        diag_hint(r->d, "give `%s` a `pool`", d->name);
    if (res.node && res.n && strcmp(d->queue, "mclock") != 0 && strcmp(d->queue, "fair") != 0 &&
        tree_error(r->d, res.node, "the queue `%s` of `%s` knows no reservations", d->queue, d->name))
        diag_hint(r->d, "`queue: fair` and `queue: mclock` do");
    if (out->linked) out->thin = d->pool_bytes > 0;
}

void vdisks_read(struct vms *v, struct vms_group *g)
{
    struct node *n = tree_get(g->map, "disk", 4);
    if (!n || n->bad || n->kind == NODE_SCALAR) return;
    uint32_t count = n->kind == NODE_LIST ? n->n : 1;
    g->disks = arena_array(v->r->a, count + 1, sizeof *g->disks);
    g->disk_maps = arena_array(v->r->a, count + 1, sizeof(struct node *));
    g->disk_marks = arena_array(v->r->a, count + 1, 1);
    for (uint32_t i = 0; i < count; i++) {
        struct node *m = n->kind == NODE_LIST ? n->items[i] : n;
        if (m->kind != NODE_MAP || m->bad) return;
        g->disk_maps[i] = m;
        read_one(v, g, i);
    }
    g->like.disks = g->disks;
    g->like.n_disks = count;
}

static void settle_from(struct vms *v, struct vms_group *g, uint32_t i);

/* What disk i takes over from its original. */
static void take_over(struct vms *v, struct vms_group *g, uint32_t i, struct node *from)
{
    struct reader *r = v->r;
    struct sc_vdisk *out = &g->disks[i];
    uint32_t vm = vms_find(v->sc, from->text);
    if (images_named(v->sc, from->text) != SC_NONE) return;
    if (vm == UINT32_MAX) {
        if (tree_error(r->d, from, "there is no VM or image `%s` to make it of", from->text))
            vms_hint(r, v->sc, from->text, false);
        return;
    }
    struct vms_group *og = vms_group_of(v, vm);
    if (og == g) {
        tree_error(r->d, from, "it would be made of itself");
        return;
    }
    if (i >= og->like.n_disks) {
        tree_error(r->d, from, og->like.n_disks ? "`%s` has only %u disk%s" : "`%s` has no disk", from->text,
                   og->like.n_disks, og->like.n_disks == 1 ? "" : "s");
        return;
    }
    if (og->disk_marks[i] == UNDER_WAY) {
        tree_error(r->d, from, "it would be made of itself, by way of `%s`", from->text);
        return;
    }
    settle_from(v, og, i);
    const struct sc_vdisk *orig = &og->disks[i];
    if (out->disk == SC_NONE || orig->disk == SC_NONE) return;
    if (orig->disk != out->disk) {
        tree_error(r->d, from, "a clone lies where its original does; that of `%s` is on `%s`", from->text,
                   v->sc->disks[orig->disk].entity);
        return;
    }
    out->from_vm = vm;
    out->used_bytes = orig->used_bytes;
    if (!out->size_bytes) out->size_bytes = orig->size_bytes;
    struct node *size = reader_sub(g->disk_maps[i], "size", NODE_SCALAR);
    if (out->size_bytes < orig->size_bytes && size)
        tree_error(r->d, size, "smaller than the disk it is made of");
}

static void settle_from(struct vms *v, struct vms_group *g, uint32_t i)
{
    if (g->disk_marks[i] == SETTLED) return;
    g->disk_marks[i] = UNDER_WAY;
    struct node *from = reader_sub(g->disk_maps[i], "from", NODE_SCALAR);
    if (from) take_over(v, g, i, from);
    g->disk_marks[i] = SETTLED;
}

/* What the group's disk i takes of its pool at the start, all members together. */
static unsigned __int128 taken(const struct vms_group *g, uint32_t i, const struct sc_disk *d)
{
    const struct sc_vdisk *vd = &g->disks[i];
    if (vd->linked || g->like.there != SC_AT_START) return 0;
    uint64_t each = (uint64_t)(vd->thin ? vd->used_bytes : vd->size_bytes);
    uint64_t grain = d->grain_bytes > 0 ? (uint64_t)d->grain_bytes : 1;
    return (unsigned __int128)((each + grain - 1) / grain) * grain * g->members;
}

static void settle_pool(struct vms *v, struct vms_group *g, uint32_t i, unsigned __int128 *sums)
{
    struct reader *r = v->r;
    const struct sc_vdisk *vd = &g->disks[i];
    const struct sc_disk *d = &v->sc->disks[vd->disk];
    struct node *map = g->disk_maps[i], *at = reader_sub(map, vd->thin ? "used" : "size", NODE_SCALAR);
    char text[40];
    if (!d->pool_bytes) return;
    if (!vd->size_bytes) {
        bool told = tree_get(map, "size", 4) || tree_get(map, "from", 4);
        if (!told)
            tree_error(r->d, map, "how large is it? a volume on the pool of `%s` states its `size`", d->name);
        return;
    }
    unsigned __int128 *sum = &sums[vd->disk], more = taken(g, i, d);
    if (*sum + more > (uint64_t)d->pool_bytes) {
        unit_format(UNIT_SIZE, d->pool_bytes, text, sizeof text);
        if (tree_error(r->d, at ? at : map,
                       "the pool of `%s` has %s; what lies on it at the start takes more", d->name, text))
            diag_hint(r->d, "%.6g GiB here, %.6g GiB before%s", (double)more / 0x1p30, (double)*sum / 0x1p30,
                      vd->thin ? "" : "; a thick volume takes its size at once, `provision: thin` does not");
        return;
    }
    *sum += more;
}

static void settle_reserved(struct vms *v, struct vms_group *g, uint32_t i, unsigned __int128 *sums)
{
    const struct sc_vdisk *vd = &g->disks[i];
    const struct sc_disk *d = &v->sc->disks[vd->disk];
    struct node *at = reader_sub(g->disk_maps[i], "reservation", NODE_SCALAR);
    char has[40];
    if (!vd->reservation_u || !d->iops_u || !at) return;
    sums[vd->disk] += (unsigned __int128)(uint64_t)vd->reservation_u * g->members;
    if (sums[vd->disk] > (uint64_t)d->iops_u)
        tree_error(v->r->d, at, "disks reserve more than the %s that `%s` can do",
                   unit_format(UNIT_RATE, d->iops_u, has, sizeof has), d->name);
}

void vdisks_settle(struct vms *v)
{
    unsigned __int128 *pools = arena_array(v->r->a, v->sc->n_disks + 1, sizeof *pools);
    unsigned __int128 *reserved = arena_array(v->r->a, v->sc->n_disks + 1, sizeof *reserved);
    for (uint32_t g = 0; g < v->n_groups; g++)
        for (uint32_t i = 0; i < v->groups[g].like.n_disks; i++)
            settle_from(v, &v->groups[g], i);
    for (uint32_t k = 0; k < v->n_groups; k++) {
        struct vms_group *g = &v->groups[k];
        for (uint32_t i = 0; i < g->like.n_disks; i++) {
            if (g->disks[i].disk == SC_NONE) continue;
            settle_pool(v, g, i, pools);
            settle_reserved(v, g, i, reserved);
        }
    }
}
