// SPDX-License-Identifier: GPL-3.0-or-later
/* What VMs boot from. */
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"

#define I "images."

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sc_image *)a)->name, ((const struct sc_image *)b)->name);
}

void images_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "images", NODE_LIST);
    struct sc_image *images = arena_array(r->a, list ? list->n + 1 : 1, sizeof *images);
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct node *map = list->items[i], *boot;
        if (map->kind != NODE_MAP) continue;
        struct got name = reader_get(r, map, I "name");
        boot = reader_sub(map, "boot", NODE_MAP);
        images[sc->n_images++] = (struct sc_image){
            .name = name.word ? name.word : "",
            .shared_bytes = reader_num(r, boot, I "boot.shared"),
            .own_bytes = reader_num(r, boot, I "boot.own"),
            .cpu_ns = reader_num(r, boot, I "boot.cpu"),
            .time_ns = reader_num(r, boot, I "boot.time"),
        };
    }
    if (sc->n_images) qsort(images, sc->n_images, sizeof *images, by_name);
    sc->images = images;
}

uint32_t images_named(const struct scenario *sc, const char *name)
{
    for (uint32_t i = 0; i < sc->n_images; i++)
        if (!strcmp(sc->images[i].name, name)) return i;
    return SC_NONE;
}
