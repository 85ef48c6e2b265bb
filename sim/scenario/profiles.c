// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/profiles_table.h"

#include <string.h>

#include "scenario/reader.h"

#define N_ROWS (sizeof profile_rows / sizeof profile_rows[0])

/* PROFILE_N: it is none of the table's (ideal, or a file). */
static unsigned find(const char *profile)
{
    unsigned p = 0;
    while (p < PROFILE_N && strcmp(profile_names[p], profile) != 0)
        p++;
    return p;
}

static const char *value_of(const struct profile_row *row, const char *profile)
{
    unsigned p = find(profile);
    return p < PROFILE_N ? row->value[p] : NULL;
}

const char *profiles_value(const char *profile, const char *path)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!strcmp(profile_rows[i].path, path)) return value_of(&profile_rows[i], profile);
    return NULL;
}

bool profiles_any(const char *path)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!strcmp(profile_rows[i].path, path)) return true;
    return false;
}

/* Puts a value at the rest of a path below `map`, unless something is there; into each member of a list. */
static void fill(struct reader *r, struct node *map, const char *path, const struct profile_row *row,
                 const char *value)
{
    size_t len = strcspn(path, ".");
    if (map->kind == NODE_LIST)
        for (uint32_t i = 0; i < map->n; i++)
            if (map->items[i]->kind == NODE_MAP) fill(r, map->items[i], path, row, value);
    if (map->kind != NODE_MAP) return;
    struct node *next = tree_get(map, path, len);
    const char *name = arena_dup(r->a, path, len);
    if (!path[len]) {
        if (!next) tree_put(r->a, map, name, tree_scalar(r->a, value, map->mark, NULL));
        return;
    }
    if (!next) {
        const struct key *k = key_find(arena_dup(r->a, row->path, (size_t)(path - row->path) + len));
        if (k->type != KEY_MAP) return;
        next = arena_alloc(r->a, sizeof *next);
        next->kind = NODE_MAP;
        next->mark = map->mark;
        tree_put(r->a, map, name, next);
    }
    fill(r, next, path + len + 1, row, value);
}

void profiles_fill(struct reader *r, struct node *host, const char *profile)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *value = value_of(&profile_rows[i], profile);
        if (value) fill(r, host, strchr(profile_rows[i].path, '.') + 1, &profile_rows[i], value);
    }
}

static int64_t price_of(const struct profile_price *row, enum sc_mode mode, bool nested)
{
    switch (mode) {
    case SC_BARE:
    case SC_CONTAINER: return row->native;
    case SC_EMULATION: return row->emulation;
    case SC_TRANSLATION: return row->translation;
    case SC_HARDWARE: return nested ? row->nested : row->shadow;
    case SC_PARAVIRTUAL: return row->paravirtual;
    case SC_NMODES: break;
    }
    return 0;
}

void profiles_prices(const struct sc_host *h, struct sc_modes *out)
{
    unsigned p = find(h->profile);
    for (unsigned mode = 0; mode < SC_NMODES; mode++) {
        unsigned exits = profile_exits[mode];
        if (mode == SC_HARDWARE && !h->nested_paging) exits |= EXITS_TABLES;
        for (unsigned op = 0; op < PROG_NOPS; op++) {
            struct sc_price *price = &out->price[mode][op];
            price->exits = exits >> op & 1;
            if (p < PROFILE_N)
                price->ps = price_of(&profile_prices[p][op], (enum sc_mode)mode, h->nested_paging);
        }
    }
    /* A calibrated file knows the price of an exit to user space and back, and may know more. */
    static const uint8_t exits[] = {OP_IO_PORT, OP_MMIO, OP_DOORBELL};
    for (size_t i = 0; i < sizeof exits; i++)
        if (h->measured.exit_ns) out->price[SC_HARDWARE][exits[i]].ps = h->measured.exit_ns * 1000;
    for (unsigned op = 0; op < PROG_NOPS; op++)
        if (h->measured.op_ps[op]) out->price[SC_HARDWARE][op].ps = h->measured.op_ps[op];
}
