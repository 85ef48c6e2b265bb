// SPDX-License-Identifier: GPL-3.0-or-later
/* Hosts and the files of calibrated machines that their `profile:` names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/names.h"
#include "scenario/reader.h"

#define H           "hosts."
#define P           KEY_PROFILE "."
#define MAX_PROFILE ((size_t)1 << 20)
#define MAX_MEMBERS 1000000u

/* What is wrong in the profile is told at the scenario's `profile:`, with the profile's own place. */
static void hand_on(struct reader *r, struct node *file, const char *path, struct diag *inner)
{
    for (size_t i = 0; i < inner->n; i++) {
        const struct diag_item *it = &inner->items[i];
        struct node again = *file;
        again.bad = false;
        tree_error(r->d, &again, "%.200s:%u:%u: %s", path, it->mark.line, it->mark.column, it->text);
        if (it->hint) diag_hint(r->d, "%s", it->hint);
    }
    file->bad = true;
}

static void take_profile(struct reader *r, struct node *root, struct sc_host *h)
{
    struct node *cpu = reader_sub(root, "cpu", NODE_MAP), *m = reader_sub(root, "measured", NODE_MAP);
    h->tick_ns = reader_num(r, cpu, P "cpu.tick");
    h->slice_ns = reader_num(r, cpu, P "cpu.slice");
    h->switch_ns = reader_num(r, cpu, P "cpu.switch_cost");
    h->measured.iters_per_ns = (double)reader_num(r, m, P "measured.iters_per_ns") / 1e9;
    h->measured.exit_ns = reader_num(r, m, P "measured.exit");
    h->measured.kick_ns = reader_num(r, m, P "measured.kick");
    h->measured.switch_ns = reader_num(r, m, P "measured.switch");
    h->measured.slice_ns = reader_num(r, m, P "measured.slice");
    h->measured.tick_ns = reader_num(r, m, P "measured.tick");
    h->measured.ref_ps = reader_num(r, m, P "measured.reference") / 1000000;
    const struct node *ops = reader_sub(m, "ops", NODE_MAP);
    for (uint32_t op = 0; ops && op < PROG_NOPS; op++) {
        char path[60];
        snprintf(path, sizeof path, P "measured.ops.%s", name_op(op));
        if (key_find(path)) h->measured.op_ps[op] = reader_num(r, ops, path) / 1000000;
    }
}

static void read_profile(struct reader *r, struct node *file, struct sc_host *h)
{
    const char *path;
    size_t len;
    const char *text = trace_slurp(r, file, MAX_PROFILE, &path, &len);
    if (!text) {
        if (file->text[0] != '/' && !strchr(file->text, '/') && !strchr(file->text, '.'))
            diag_hint(r->d, "`ideal`, `modern` and `era2003` are built in; any other profile is a file that "
                            "`vlab kvm calibrate` wrote");
        return;
    }
    struct diag inner;
    diag_init(&inner);
    struct reader sub = {.a = r->a, .d = &inner, .dir = r->dir};
    struct node *root = tree_read(r->a, text, len, "a host profile", &inner);
    if (root && !tree_get(root, "vlab_host", 9)) {
        diag_add(&inner, (struct diag_mark){1, 1, 1},
                 "this is not a host profile: `vlab_host: 1` is missing");
        diag_hint(&inner, "`vlab kvm calibrate` writes one");
    } else if (root) {
        reader_check(&sub, root, key_find(KEY_PROFILE));
    }
    if (diag_any(&inner))
        hand_on(r, file, path, &inner);
    else
        take_profile(&sub, root, h);
    h->profile = path;
    diag_done(&inner);
}

static void read_cpu(struct reader *r, const struct node *cpu, struct sc_host *h)
{
    struct got got;
    h->cores = (uint32_t)reader_num(r, cpu, H "cpu.cores");
    h->speed_ppm = (uint32_t)(reader_num(r, cpu, H "cpu.speed") / 1000);
    h->scheduler = reader_get(r, cpu, H "cpu.scheduler").word;
    h->threads_per_core = (uint32_t)reader_num(r, cpu, H "cpu.threads_per_core");
    h->cores *= h->threads_per_core;
    if ((got = reader_get(r, cpu, H "cpu.slice")).node) h->slice_ns = got.n;
    /* A measured tick is that of the host kernel's own scheduler; the policies that we gate have none. */
    if (strcmp(h->scheduler, "eevdf") != 0) h->tick_ns = 0;
    if ((got = reader_get(r, cpu, H "cpu.tick")).node) h->tick_ns = got.n;
    if ((got = reader_get(r, cpu, H "cpu.switch_cost")).node) h->switch_ns = got.n;
    const struct node *balance = reader_sub(cpu, "balance", NODE_MAP),
                      *cache = reader_sub(cpu, "cache", NODE_MAP);
    const struct node *credit = reader_sub(cpu, "credit", NODE_MAP);
    h->balance_idle = reader_get(r, balance, H "cpu.balance.idle").n;
    h->balance_every_ns = reader_num(r, balance, H "cpu.balance.every");
    h->cache_bytes = reader_num(r, cache, H "cpu.cache.share");
    h->cache_line_ns = reader_num(r, cache, H "cpu.cache.line");
    h->credit_debit_tick = reader_get(r, credit, H "cpu.credit.debit").word[0] == 't';
    struct node *stated = credit ? tree_key(cpu, "credit") : NULL;
    if (h->credit_debit_tick && stated && strcmp(h->scheduler, "credit") != 0)
        tree_error(r->d, stated, "`credit` is for the scheduler credit; this host has %s", h->scheduler);
}

static void read_host(struct reader *r, struct node *map, const struct scenario *sc, struct sc_host *h)
{
    *h = (struct sc_host){.profile = "ideal"};
    struct got profile = reader_get(r, map, H "profile");
    if (profile.node && key_has_word(key_find(H "profile")->words, profile.word, strlen(profile.word)))
        profiles_fill(r, map, h->profile = profile.word);
    else if (profile.node)
        read_profile(r, profile.node, h);
    read_cpu(r, reader_sub(map, "cpu", NODE_MAP), h);
    memory_read(r, map, h);
    prices_read(r, map, h);
    upkeep_read(r, map, sc, h);
}

/* NAME-12 is of group NAME, if it is of a count. */
uint32_t hosts_named(const struct scenario *sc, const char *name, uint32_t *first)
{
    char group[64];
    uint32_t i = order_host(sc, name, name), n = 0;
    *first = i;
    if (i != SC_NONE) return 1;
    if ((i = order_group(sc, name)) != SC_NONE) {
        *first = i;
        while (i + n < sc->n_hosts && !strcmp(sc->hosts[i + n].group, name))
            n++;
        return n;
    }
    const char *dash = strrchr(name, '-');
    if (!dash || (size_t)(dash - name) >= sizeof group) return 0;
    memcpy(group, name, (size_t)(dash - name));
    group[dash - name] = '\0';
    *first = order_host(sc, group, name);
    return *first != SC_NONE;
}

bool hosts_group(const struct reader *r, const char *name)
{
    for (uint32_t i = 0; r->hosts && i < r->hosts->n; i++) {
        const struct node *is = tree_get(r->hosts->items[i], "name", 4);
        if (is && tree_is(is, name)) return true;
    }
    return false;
}

void hosts_unknown(struct reader *r, struct node *n, const char *name, const struct scenario *sc)
{
    const char *names[65] = {0};
    if (!tree_error(r->d, n, "there is no host `%.63s`", name)) return;
    for (uint32_t i = 0; i < sc->n_hosts && i < 64; i++)
        names[i] = sc->hosts[i].name;
    const char *near = diag_nearest(name, names);
    if (near)
        diag_hint(r->d, "did you mean `%s`?", near);
    else if (sc->n_hosts == 1)
        diag_hint(r->d, "there is only `%s`", sc->hosts[0].name);
}

/* How many members the maps of a list make; told where they are too many. */
uint32_t hosts_members(struct reader *r, struct node *list, const char *count_key)
{
    uint64_t n = 0;
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct got count = reader_get(r, list->items[i], count_key);
        n += count.node ? (uint64_t)count.n : 1;
    }
    if (n <= MAX_MEMBERS) return (uint32_t)n;
    tree_error(r->d, list, "more than a million members");
    return 0;
}

bool hosts_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "hosts", NODE_LIST);
    uint32_t n = hosts_members(r, list, H "count"), at = 0;
    struct sc_host *hosts = arena_array(r->a, n ? n : 1, sizeof *hosts);
    upkeep_names(r, list, sc);
    for (uint32_t i = 0; n && i < list->n; i++) {
        struct node *map = list->items[i];
        if (map->kind != NODE_MAP) continue;
        struct got name = reader_get(r, map, H "name"), count = reader_get(r, map, H "count");
        struct sc_host h;
        read_host(r, map, sc, &h);
        h.group = name.word ? name.word : "";
        uint32_t members = count.node ? (uint32_t)count.n : 1;
        for (uint32_t j = 0; j < members; j++, at++) {
            hosts[at] = h;
            hosts[at].name = count.node ? arena_printf(r->a, "%s-%u", h.group, j) : h.group;
        }
    }
    order_hosts(hosts, at);
    sc->hosts = hosts;
    sc->n_hosts = at;
    r->hosts = list;
    devices_read(r, root, sc);
    memory_swap(r, root, hosts, sc);
    nets_read(r, root, sc);
    return true;
}
