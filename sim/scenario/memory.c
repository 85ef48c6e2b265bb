// SPDX-License-Identifier: GPL-3.0-or-later
/* A host's memory: how big, and how more than that can be promised. */
#include <string.h>

#include "scenario/reader.h"

#define M "hosts.memory."

static const char *const ways[SC_NRECLAIMS] = {
    [SC_SHARE] = "share", [SC_BALLOON] = "balloon", [SC_COMPRESS] = "compress", [SC_SWAP] = "swap"};

static void read_reclaim(struct reader *r, const struct node *map, struct sc_memory *m)
{
    struct node *list = reader_sub(map, "reclaim", NODE_LIST), *swap = reader_sub(map, "swap", NODE_SCALAR);
    if (!list) {
        if (swap) m->reclaim[m->n_reclaim++] = SC_SWAP;
        return;
    }
    unsigned seen = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        struct got got = {0};
        if (!reader_scalar(r, list->items[i], key_find(M "reclaim"), &got)) continue;
        unsigned way = reader_which(got.word, ways, sizeof ways / sizeof ways[0]);
        if (seen >> way & 1) {
            tree_error(r->d, list->items[i], "`%s` is here twice", got.word);
            continue;
        }
        seen |= 1u << way;
        m->reclaim[m->n_reclaim++] = (uint8_t)way;
        if (way == SC_SWAP && !tree_get(map, "swap", 4) &&
            tree_error(r->d, list->items[i], "`reclaim: swap` needs a disk to swap to"))
            diag_hint(r->d, "state `swap: DISK` beside `reclaim`, a disk of this host or a store");
    }
    if (swap && !(seen >> SC_SWAP & 1) &&
        tree_error(r->d, swap, "nothing would ever be swapped: `swap` is not in `reclaim`"))
        diag_hint(r->d, "add `swap` to `reclaim`");
}

void memory_read(struct reader *r, const struct node *host, struct sc_host *h)
{
    const struct node *map = reader_sub(host, "memory", NODE_MAP),
                      *share = reader_sub(map, "share", NODE_MAP),
                      *balloon = reader_sub(map, "balloon", NODE_MAP),
                      *compress = reader_sub(map, "compress", NODE_MAP),
                      *tlb = reader_sub(host, "tlb", NODE_MAP);
    struct sc_memory *m = &h->memory;
    m->bytes = reader_num(r, map, M "size");
    m->page_bytes = reader_get(r, map, M "page").word[0] == '4' ? 4096 : 2 << 20;
    read_reclaim(r, map, m);
    m->replacement = reader_get(r, map, M "replacement").word;
    m->per_vm = reader_get(r, map, M "replacement_scope").word[0] == 'v';
    m->swap = SC_NONE;
    m->free_target_bytes = reader_num(r, map, M "free_target");
    m->tax_ppm = (uint32_t)reader_num(r, map, M "tax");
    m->sampled = reader_get(r, map, M "estimate").word[0] == 's';
    m->share_bps = reader_num(r, share, M "share.rate");
    m->share_cost_ns = reader_num(r, share, M "share.cost");
    m->break_ns = reader_num(r, share, M "share.break");
    m->balloon_bps = reader_num(r, balloon, M "balloon.rate");
    m->balloon_max_ppm = (uint32_t)reader_num(r, balloon, M "balloon.max");
    m->compress_milli = (uint32_t)(reader_num(r, compress, M "compress.ratio") / 1000000);
    m->compress_ns = reader_num(r, compress, M "compress.cost");
    struct got ref = reader_get(r, map, M "ref_cost");
    m->ref_ps = ref.node ? ref.n * 1000 : h->measured.ref_ps;
    m->tlb_entries = (uint32_t)reader_num(r, tlb, "hosts.tlb.entries");
    m->tlb_walk_ns = reader_num(r, tlb, "hosts.tlb.walk");
    m->tlb_nested_milli = (uint32_t)(reader_num(r, tlb, "hosts.tlb.nested") / 1000000);
    struct node *target = reader_sub(map, "free_target", NODE_SCALAR);
    if (m->bytes && target && m->free_target_bytes > m->bytes)
        tree_error(r->d, target, "`free_target` is more than the host has");
    struct node *size = reader_sub(map, "size", NODE_SCALAR);
    if (size && !size->bad && m->bytes < m->page_bytes)
        tree_error(r->d, size, "less than one page: there is nothing for a VM to use");
}

void memory_swap(struct reader *r, struct node *root, struct sc_host *hosts, const struct scenario *sc)
{
    struct node *list = reader_sub(root, "hosts", NODE_LIST);
    for (uint32_t i = 0; list && i < list->n; i++) {
        const struct node *map = list->items[i];
        struct node *swap = reader_sub(reader_sub(map, "memory", NODE_MAP), "swap", NODE_SCALAR);
        const struct node *name = reader_sub(map, "name", NODE_SCALAR);
        uint32_t first, n = swap && name ? hosts_named(sc, name->text, &first) : 0;
        for (uint32_t j = 0; j < n && !swap->bad; j++) {
            uint32_t disk = devices_disk(sc, first + j, swap->text);
            if (disk == SC_NONE) devices_no_disk(r, swap, sc, first + j);
            hosts[first + j].memory.swap = disk;
        }
    }
}
