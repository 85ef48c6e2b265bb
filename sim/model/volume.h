// SPDX-License-Identifier: GPL-3.0-or-later
/* volume.h - a VM's disk as its guest sees it, `size` bytes in a row, and where each grain of them lies.
 *
 * Thick: every grain is reserved from the start and writing never needs space. Thin: a grain is taken from
 * the pool when it is first written; after w uniform writes of one grain into B grains the volume holds B *
 * (1 - (1 - 1/B)^w), about B * (1 - exp(-w/B)), of them. A snapshot or linked clone shares every grain with
 * its source, and the first of the two to write a shared grain takes one of its own, copying what the write
 * does not cover. A full clone has grains of its own for all that its source has. Destroying any of them, in
 * any order, frees a grain only when nobody else has it.
 *
 * The map from a volume's grains to the pool's is kept in chunks of 1024, allocated when first needed. Clones
 * share whole chunks until one of them changes an entry (as btrfs shares the nodes of its trees), so a clone
 * costs a pointer for each 1024 grains. In what follows an offset and a length are bytes, offset + length at
 * most `size`; nothing here takes time. */
#ifndef VLAB_MODEL_VOLUME_H
#define VLAB_MODEL_VOLUME_H

#include "model/pool.h"

#define VOLUME_CHUNK 1024u

struct volume_chunk {
    uint32_t refs;             /* volumes that have it */
    uint32_t used;             /* entries that are not 0 */
    uint32_t at[VOLUME_CHUNK]; /* the pool's grain + 1; 0: none */
};

struct volume {
    struct pool *pool;
    int64_t size, grain_bytes;
    uint32_t account; /* of the pool */
    uint64_t n_grains;
    uint32_t n_chunks;
    bool thick;
    bool counted;               /* thick: its grains take space */
    bool ever_shared;           /* some grain may have more than one reference */
    int64_t place;              /* thick and never shared: where it begins; there is no map */
    struct volume_chunk **map;  /* [n_chunks]; NULL: nothing yet, or thick and never shared */
    int64_t trim_from, trim_to; /* what was trimmed last, in one piece */
};

/* What a write of these bytes asks of the pool and of the device. */
struct volume_need {
    uint32_t grains;      /* to be taken */
    uint32_t copies;      /* shared grains of which a part must be copied: 0, 1 or 2 */
    int64_t copy_from[2]; /* their places */
    int64_t copy_bytes;   /* read from each (a grain); */
    int64_t extra_bytes;  /* and written with the write, beside its own bytes */
};

/* thick: reserves all of it. */
void volume_init(struct volume *v, struct pool *p, int64_t size, bool thick);
/* Thick, but of no size that anybody stated: it takes no space, until it is shared. */
void volume_init_vague(struct volume *v, struct pool *p, int64_t size);
/* Drops all it has. */
void volume_done(struct volume *v);
/* Its first `bytes` are in use from the start; a thin volume takes their grains, be there room or not. */
void volume_fill(struct volume *v, int64_t bytes);
/* A snapshot is a twin that nobody writes. */
void volume_snapshot(struct volume *snap, struct volume *src);
/* v becomes a clone of src: linked, a twin; full, with own grains where src has some, be there room or not.
 */
void volume_clone(struct volume *v, struct volume *src, bool linked);

struct volume_need volume_needs(const struct volume *v, int64_t at, int64_t len);
/* The write happens in the maps: every grain in it is the volume's own from now on. */
void volume_write(struct volume *v, int64_t at, int64_t len);
/* Gives back the grains that lie wholly in these bytes, or in them and those that the trims just before it
 * covered without a gap: small trims add up as long as they go on where the last one ended. Returns how many
 * of its grains the volume let go. A thick volume keeps its own. */
uint32_t volume_trim(struct volume *v, int64_t at, int64_t len);
/* Where on the device a byte lies; a hole of a thin volume lies nowhere: -1. */
int64_t volume_place(const struct volume *v, int64_t at);
/* Whether the volume's grain g takes space. */
bool volume_has(const struct volume *v, uint64_t g);

#endif
