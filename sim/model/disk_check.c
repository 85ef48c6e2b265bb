// SPDX-License-Identifier: GPL-3.0-or-later
/* Conservation of space, of requests and of dirty blocks. */
#include "model/disk_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct marks {
    unsigned char *seen; /* by number; bit 0: the pool's, bit 1: a thick volume's */
    uint64_t found;
};

static void mark(struct marks *w, const struct volume *v)
{
    if (v->thick && !v->map) {
        if (v->counted) w->found += v->n_grains; /* nobody shares it */
        return;
    }
    for (uint32_t i = 0; v->map && i < v->n_chunks; i++)
        for (uint32_t k = 0; v->map[i] && k < VOLUME_CHUNK; k++) {
            if (!v->map[i]->at[k]) continue;
            uint32_t grain = v->map[i]->at[k] - 1;
            unsigned char bit = grain & POOL_BESIDE ? 2 : 1, *at = &w->seen[grain & ~POOL_BESIDE];
            w->found += !(*at & bit);
            *at |= bit;
        }
}

static uint64_t reachable(const struct model *m, const struct disk_dev *dev)
{
    const struct disks *d = m->disks;
    uint32_t n = dev->pool.in.n > dev->pool.out.n ? dev->pool.in.n : dev->pool.out.n;
    struct marks w = {.seen = calloc(n ? n : 1, 1)};
    ASSERT(w.seen);
    for (uint32_t i = 0; i < d->first_vd[m->sc->n_vms]; i++) {
        const struct vdisk *vd = &d->vds[i];
        if (vd->dev != dev) continue;
        if (vd->attached) mark(&w, &vd->vol); /* its snapshots outlive it */
        for (uint32_t k = 0; k < vd->n_snaps; k++)
            mark(&w, &vd->snaps[k]);
    }
    free(w.seen);
    return w.found;
}

static int broken(char **why, const char *entity, const char *what, int64_t a, int64_t b)
{
    if (asprintf(why, "%s: %s: %" PRId64 " and %" PRId64, entity, what, a, b) < 0) *why = NULL;
    return -1;
}

static int check_dev(const struct model *m, const struct disk_dev *dev, char **why)
{
    const char *name = dev->sc->entity;
    int64_t owned = 0, given = (int64_t)(dev->pool.given + dev->pool.beside);
    int64_t found = (int64_t)reachable(m, dev), queued = dev->book->level[REC_L_DISK_QUEUE];
    for (uint32_t i = 0; i < dev->pool.n_accounts; i++)
        owned += (int64_t)dev->pool.accounts[i].owned;
    if (given != owned) return broken(why, name, "grains allocated and owned", given, owned);
    if (given != found) return broken(why, name, "grains allocated and in use", given, found);
    if (dev->issued - dev->done != queued)
        return broken(why, name, "requests not done and queued", dev->issued - dev->done, queued);
    return 0;
}

int disk_check(const struct model *m, char **why)
{
    const struct disks *d = m->disks;
    for (uint32_t i = 0; d && i < m->sc->n_disks; i++)
        if (check_dev(m, &d->devs[i], why)) return -1;
    for (uint32_t i = 0; d && i < d->first_vd[m->sc->n_vms]; i++) {
        const struct vdisk *vd = &d->vds[i];
        int64_t gone = vd->blocks_again + vd->blocks_back;
        if (vd->blocks_dirtied - gone != vd->cache.n_dirty)
            return broken(why, vd->dev->sc->entity, "blocks dirtied and not written back, and dirty ones",
                          vd->blocks_dirtied - gone, vd->cache.n_dirty);
    }
    return 0;
}
