// SPDX-License-Identifier: GPL-3.0-or-later
/* What is done while it runs: each event's verb, its target, and what it says besides. */
#include <string.h>

#include "scenario/vms.h"

#define E "events."

#define BIT(kind) (1u << (kind))
#define ANY_THING (BIT(SC_T_RACK + 1) - 1)

static const struct verb {
    const char *name;
    unsigned on; /* what it may be done to */
} verbs[SC_NVERBS] = {
    [SC_FAIL] = {"fail", ANY_THING},
    [SC_REPAIR] = {"repair", ANY_THING},
    [SC_SET] = {"set", 0},
    [SC_MIGRATE] = {"migrate", BIT(SC_T_VM)},
    [SC_CLONE] = {"clone", BIT(SC_T_VM)},
    [SC_GROW] = {"grow", BIT(SC_T_DISK) | BIT(SC_T_POOL)},
    [SC_DRAIN] = {"drain", BIT(SC_T_HOST)},
    [SC_ADD] = {"add", 0},
    [SC_INSPECT] = {"inspect", BIT(SC_T_VM)},
    [SC_PAUSE] = {"pause", BIT(SC_T_VM)},
    [SC_START] = {"start", BIT(SC_T_VM)},
    [SC_STOP] = {"stop", BIT(SC_T_VM)},
    [SC_RESUME] = {"resume", BIT(SC_T_VM)},
    [SC_DESTROY] = {"destroy", BIT(SC_T_VM)},
    [SC_SNAPSHOT] = {"snapshot", BIT(SC_T_VM)},
    [SC_UNPLUG] = {"unplug", BIT(SC_T_VM)},
};

struct found {
    unsigned kinds; /* as what it was found */
    uint32_t target, n, part;
    uint8_t kind;
};

static void note(struct found *f, enum sc_target kind, uint32_t target, uint32_t n, uint32_t part)
{
    f->kinds |= BIT(kind);
    f->kind = (uint8_t)kind;
    f->target = target;
    f->n = n;
    f->part = part;
}

/* A VM, or those of a group that are there at the start. */
static void find_vms(const struct scenario *sc, const char *name, struct found *f)
{
    uint32_t one = SC_NONE, first = SC_NONE, n = 0;
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        if (!strcmp(sc->vms[i].name, name)) one = i;
        if (strcmp(sc->vms[i].group, name) != 0) continue;
        if (first != SC_NONE && sc->vms[i].there >= SC_BY_SCALE) continue;
        if (first == SC_NONE) first = i;
        n++;
    }
    if (one != SC_NONE)
        note(f, SC_T_VM, one, 1, 0);
    else if (n)
        note(f, SC_T_VM, first, n, 0);
}

static void find_one(const struct scenario *sc, const char *name, unsigned on, struct found *f)
{
    struct found all = {0};
    uint32_t first, n;
    find_vms(sc, name, &all);
    if ((n = hosts_named(sc, name, &first)) > 0) note(&all, SC_T_HOST, first, n, 0);
    struct sc_disk store = {.host = SC_NONE, .name = name};
    if ((first = order_disk(sc, &store)) != SC_NONE) note(&all, SC_T_DISK, first, 1, 0);
    if ((first = nets_named(sc, name)) != SC_NONE) note(&all, SC_T_NETWORK, first, 1, 0);
    if ((first = reader_index(sc->kernels, sc->n_kernels, name)) != SC_NONE)
        note(&all, SC_T_KERNEL, first, 1, 0);
    if ((first = reader_index(sc->racks, sc->n_racks, name)) != SC_NONE) note(&all, SC_T_RACK, first, 1, 0);
    if (!(all.kinds & on)) return;
    if (all.kinds & (all.kinds - 1)) { /* several: only those that the verb is for count */
        struct found vm = {0};
        find_vms(sc, name, &vm);
        if (on == BIT(SC_T_VM)) all = vm;
        if (on == BIT(SC_T_HOST) && (n = hosts_named(sc, name, &first)) > 0) {
            all = (struct found){0};
            note(&all, SC_T_HOST, first, n, 0);
        }
    }
    *f = all;
}

/* HOST/DISK, HOST/NIC, HOST/DISK/pool, STORAGE/pool, HOST/vmm/NAME */
static void find_part(const struct scenario *sc, const char *name, struct found *f)
{
    char head[64];
    const char *rest = strchr(name, '/') + 1, *last = strchr(rest, '/');
    memcpy(head, name, (size_t)(rest - name) - 1);
    head[rest - name - 1] = '\0';
    uint32_t host, n = hosts_named(sc, head, &host), i;
    struct sc_disk store = {.host = SC_NONE, .name = head};
    if (!strcmp(rest, "pool") && (i = order_disk(sc, &store)) != SC_NONE) note(f, SC_T_POOL, i, 1, 0);
    if (n != 1) return;
    if (!last) {
        if ((i = devices_disk(sc, host, rest)) != SC_NONE && sc->disks[i].host == host)
            note(f, SC_T_DISK, i, 1, 0);
        if ((i = devices_nic(sc, host, rest)) != SC_NONE) note(f, SC_T_NIC, i, 1, 0);
        return;
    }
    char middle[64];
    memcpy(middle, rest, (size_t)(last - rest));
    middle[last - rest] = '\0';
    if (!strcmp(middle, "vmm")) {
        const struct sc_host *h = &sc->hosts[host];
        if ((i = reader_index(h->vmms, h->n_vmms, last + 1)) != SC_NONE) note(f, SC_T_VMM, host, 1, i);
    } else if (!strcmp(last + 1, "pool")) {
        i = devices_disk(sc, host, middle);
        if (i != SC_NONE && sc->disks[i].host == host) note(f, SC_T_POOL, i, 1, 0);
    }
}

static void hint(struct reader *r, const struct scenario *sc, const char *name, unsigned on)
{
    const char *names[257] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; on & BIT(SC_T_VM) && i < sc->n_vms && n < 100; i++)
        names[n++] = sc->vms[i].name;
    for (uint32_t i = 0; on & BIT(SC_T_HOST) && i < sc->n_hosts && n < 160; i++)
        names[n++] = sc->hosts[i].name;
    for (uint32_t i = 0; on & BIT(SC_T_DISK) && i < sc->n_disks && n < 180; i++)
        names[n++] = sc->disks[i].host == SC_NONE
                         ? sc->disks[i].name
                         : arena_printf(r->a, "%s/%s", sc->hosts[sc->disks[i].host].name, sc->disks[i].name);
    for (uint32_t i = 0; on & BIT(SC_T_NIC) && i < sc->n_nics && n < 200; i++)
        names[n++] = arena_printf(r->a, "%s/%s", sc->hosts[sc->nics[i].host].name, sc->nics[i].name);
    for (uint32_t i = 0; on & BIT(SC_T_NETWORK) && i < sc->n_networks && n < 220; i++)
        names[n++] = sc->networks[i].name;
    for (uint32_t i = 0; on & BIT(SC_T_RACK) && i < sc->n_racks && n < 240; i++)
        names[n++] = sc->racks[i];
    for (uint32_t i = 0; on & BIT(SC_T_KERNEL) && i < sc->n_kernels && n < 256; i++)
        names[n++] = sc->kernels[i];
    const char *near = diag_nearest(name, names);
    if (near) diag_hint(r->d, "did you mean `%s`?", near);
}

/* Whether the file has a group of VMs or hosts of that name, empty at this point of a sweep: then nothing is
 * done, and nothing is wrong. */
static bool empty_group(const struct reader *r, const char *name, unsigned on)
{
    if (on & BIT(SC_T_HOST) && hosts_group(r, name)) return true;
    for (uint32_t i = 0; on & BIT(SC_T_VM) && r->vms && i < r->vms->n; i++) {
        const struct node *map = r->vms->items[i],
                          *is = map->kind == NODE_MAP ? tree_get(map, "name", 4) : NULL;
        if (is && tree_is(is, name)) return true;
    }
    return false;
}

static bool target(struct reader *r, const struct scenario *sc, struct node *n, enum sc_verb verb,
                   struct sc_event *e)
{
    struct found f = {0};
    unsigned on = verbs[verb].on;
    if (strchr(n->text, '/'))
        find_part(sc, n->text, &f);
    else
        find_one(sc, n->text, on, &f);
    if (!f.kinds && empty_group(r, n->text, on)) return false;
    if (!(f.kinds & on)) {
        if (tree_error(r->d, n,
                       on == BIT(SC_T_VM)     ? "there is no VM `%s`"
                       : on == BIT(SC_T_HOST) ? "there is no host `%s`"
                                              : "there is nothing called `%s` that could %s",
                       n->text, verbs[verb].name))
            hint(r, sc, n->text, on);
        return false;
    }
    if (f.kinds & (f.kinds - 1)) {
        if (tree_error(r->d, n, "`%s` is the name of several things", n->text))
            diag_hint(r->d, "rename all but one: VM, host, storage, network, kernel, rack");
        return false;
    }
    e->kind = f.kind;
    e->target = f.target;
    e->n = f.n;
    e->part = f.part;
    return true;
}

/* --- set --- */

static const struct {
    const char *suffix, *path;
    uint8_t setting;
    bool host;
} settings[] = {
    {"cpu.weight", "vms.cpu.weight", SC_SET_VM_WEIGHT, false},
    {"cpu.limit", "vms.cpu.limit", SC_SET_VM_LIMIT, false},
    {"cpu.reservation", "vms.cpu.reservation", SC_SET_VM_RESERVATION, false},
    {"migrate.dirty.rate", "vms.migrate.dirty.rate", SC_SET_VM_DIRTY, false},
    {"cpu.speed", "hosts.cpu.speed", SC_SET_HOST_SPEED, true},
};

static bool read_set(struct reader *r, const struct scenario *sc, struct node *map, struct node *n,
                     struct sc_event *e)
{
    char name[64];
    bool host = !strncmp(n->text, "hosts.", 6);
    const char *rest = host ? n->text + 6 : !strncmp(n->text, "vms.", 4) ? n->text + 4 : "";
    size_t len = strcspn(rest, ".");
    struct node *to = tree_get(map, "to", 2);
    const char *path = NULL;
    for (size_t i = 0; rest[len] && i < sizeof settings / sizeof *settings; i++)
        if (settings[i].host == host && !strcmp(rest + len + 1, settings[i].suffix)) {
            path = settings[i].path;
            e->setting = settings[i].setting;
        }
    if (!path || len == 0 || len >= sizeof name) {
        if (tree_error(r->d, n, "`%.80s` cannot be changed while it runs", n->text))
            diag_hint(r->d, "vms.NAME.cpu.weight, .cpu.limit, .cpu.reservation, .migrate.dirty.rate and "
                            "hosts.NAME.cpu.speed can");
        return false;
    }
    memcpy(name, rest, len);
    name[len] = '\0';
    struct found f = {0};
    find_one(sc, name, host ? BIT(SC_T_HOST) : BIT(SC_T_VM), &f);
    if (!f.kinds && empty_group(r, name, host ? BIT(SC_T_HOST) : BIT(SC_T_VM))) return false;
    if (!f.kinds) {
        if (tree_error(r->d, n, "there is no %s `%s`", host ? "host" : "VM", name))
            hint(r, sc, name, host ? BIT(SC_T_HOST) : BIT(SC_T_VM));
        return false;
    }
    struct got got = {0};
    if (!to) tree_error(r->d, map, "to what? `to` is missing");
    if (!to || !reader_scalar(r, to, key_find(path), &got)) return false;
    e->kind = f.kind;
    e->target = f.target;
    e->n = f.n;
    e->value = got.word ? 0 : e->setting == SC_SET_HOST_SPEED ? got.n / 1000 : got.n;
    for (uint32_t i = f.target; !host && i < f.target + f.n; i++) {
        const struct sc_host *h = &sc->hosts[sc->vms[i].host];
        if (e->setting == SC_SET_VM_WEIGHT && !strcmp(h->scheduler, "rr"))
            return tree_error(r->d, n, "`rr` takes no weights, and host `%s` runs it", h->name), false;
        if ((e->setting == SC_SET_VM_LIMIT || e->setting == SC_SET_VM_RESERVATION) &&
            e->value > (int64_t)sc->vms[i].vcpus * 1000000)
            return tree_error(r->d, to, "a VM of %u vCPU%s can run %u00%% at most", sc->vms[i].vcpus,
                              sc->vms[i].vcpus > 1 ? "s" : "", sc->vms[i].vcpus),
                   false;
    }
    return true;
}

/* --- what single verbs want besides --- */

static bool reaches(const struct scenario *sc, const struct sc_vm *vm, uint32_t host, const char **disk)
{
    for (uint32_t k = 0; k < vm->n_disks; k++) {
        if (vm->disks[k].disk == SC_NONE) continue;
        const struct sc_disk *d = &sc->disks[vm->disks[k].disk];
        bool there = d->host == host;
        for (uint32_t i = 0; d->host == SC_NONE && i < d->n_hosts; i++)
            there |= d->hosts[i] == host;
        *disk = d->name;
        if (!there) return false;
    }
    return true;
}

static bool read_migrate(struct reader *r, const struct scenario *sc, struct node *map, struct sc_event *e)
{
    struct node *to = tree_get(map, "to", 2);
    struct got got = {0};
    const char *disk = NULL;
    e->to = SC_NONE;
    if (!to) return true;
    if (!reader_scalar(r, to, key_find("vms.host"), &got)) return false;
    uint32_t first, n = hosts_named(sc, got.word, &first);
    if (n != 1) return hosts_unknown(r, to, got.word, sc), false;
    e->to = first;
    for (uint32_t i = e->target; i < e->target + e->n; i++) {
        const struct sc_vm *vm = &sc->vms[i];
        if (reaches(sc, vm, first, &disk)) continue;
        if (tree_error(r->d, to, "`%s` cannot go there: its disk is on `%s`, which host `%s` does not reach",
                       vm->name, disk, sc->hosts[first].name))
            diag_hint(r->d, "migration needs shared storage: `storage`, with both hosts in its `hosts`");
        return false;
    }
    if (!sc->moves && !sc->vms[e->target].placed && sc->vms[e->target].host == first && e->n == 1)
        return tree_error(r->d, to, "it is there already"), false;
    return true;
}

static bool read_grow(struct reader *r, const struct scenario *sc, struct node *map, struct node *n,
                      struct sc_event *e)
{
    struct got by = reader_get(r, map, E "by");
    if (!by.stated) tree_error(r->d, map, "by how much? `by` is missing");
    if (!by.node) return false;
    e->value = by.n;
    e->kind = SC_T_DISK;
    if (sc->disks[e->target].pool_bytes) return true;
    tree_error(r->d, n, "`%s` has no pool that could grow", sc->disks[e->target].name);
    return false;
}

/* The VM that an event brings: they are all there by now (vms.c). */
static bool brought(const struct scenario *sc, const char *name, enum sc_there there, uint32_t *first,
                    uint32_t *n)
{
    *n = 0;
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        if (strcmp(sc->vms[i].group, name) != 0 || sc->vms[i].there != there) continue;
        if (*n == 0) *first = i;
        ++*n;
    }
    return *n > 0;
}

static bool besides(struct reader *r, const struct scenario *sc, struct node *map, struct node *n,
                    struct sc_event *e)
{
    const struct node *as;
    uint32_t one;
    switch ((enum sc_verb)e->verb) {
    case SC_MIGRATE: return read_migrate(r, sc, map, e);
    case SC_GROW: return read_grow(r, sc, map, n, e);
    case SC_CLONE:
        as = tree_get(map, "as", 2);
        if (!as) tree_error(r->d, map, "what is it to be called? `as` is missing");
        if (e->n > 1) tree_error(r->d, n, "one VM can be cloned; `%s` are %u", n->text, e->n);
        e->linked = reader_get(r, map, E "kind").word[0] == 'l';
        return as && as->kind == NODE_SCALAR && e->n == 1 && brought(sc, as->text, SC_BY_CLONE, &e->to, &one);
    case SC_FAIL: e->for_ns = reader_num(r, map, E "for"); return true;
    case SC_REPAIR:
    case SC_SET:
    case SC_DRAIN:
    case SC_ADD:
    case SC_INSPECT:
    case SC_PAUSE:
    case SC_START:
    case SC_STOP:
    case SC_RESUME:
    case SC_DESTROY:
    case SC_SNAPSHOT:
    case SC_UNPLUG:
    case SC_NVERBS: break;
    }
    return true;
}

/* Keys that go with some verbs only. */
static void check_keys(struct reader *r, struct node *map, enum sc_verb verb)
{
    static const struct {
        const char *key;
        unsigned with;
    } keys[] = {{"for", BIT(SC_FAIL)},
                {"to", BIT(SC_SET) | BIT(SC_MIGRATE)},
                {"as", BIT(SC_CLONE)},
                {"kind", BIT(SC_CLONE)},
                {"by", BIT(SC_GROW)}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!(keys[i].with & BIT(verb)) && tree_get(map, keys[i].key, strlen(keys[i].key)))
            tree_error(r->d, tree_key(map, keys[i].key), "`%s` does not go with `%s`", keys[i].key,
                       verbs[verb].name);
}

/* --- when --- */

/* Whether it is there at this point of the sweep. */
static bool wanted(struct reader *r, const struct scenario *sc, struct node *when)
{
    const char *eq = when ? strchr(when->text, '=') : NULL;
    if (!when || when->kind != NODE_SCALAR) return true;
    if (!eq) {
        if (tree_error(r->d, when, "`%.80s` is not KEY=VALUE", when->text))
            diag_hint(r->d, "for example `vms.db.vcpus=2`, a key of the sweep and one of its values");
        return false;
    }
    for (uint32_t i = 0; i < sc->n_keys; i++)
        if (strlen(sc->keys[i]) == (size_t)(eq - when->text) &&
            !strncmp(sc->keys[i], when->text, strlen(sc->keys[i])))
            return !strcmp(sc->values[i], eq + 1);
    if (tree_error(r->d, when, "`%.*s` is not swept", (int)(eq - when->text), when->text))
        diag_hint(r->d, "`when` chooses among the points of a `sweep`");
    return false;
}

static bool read_one(struct reader *r, const struct scenario *sc, struct node *map, struct sc_event *e)
{
    struct got at = reader_get(r, map, E "at"), every = reader_get(r, map, E "every");
    struct node *n = NULL;
    int found = 0;
    for (uint32_t v = 0; v < SC_NVERBS; v++) {
        struct node *value = tree_get(map, verbs[v].name, strlen(verbs[v].name));
        if (!value) continue;
        n = value;
        e->verb = (uint8_t)v;
        found++;
    }
    if (found != 1) {
        tree_error(r->d, map,
                   found ? "an event does one thing; this one does %d"
                         : "what is done? an event needs a verb, such as `fail` or `migrate`",
                   found);
        return false;
    }
    check_keys(r, map, (enum sc_verb)e->verb);
    if (!at.stated && !every.stated) tree_error(r->d, map, "when? `at` or `every` is missing");
    e->at_ns = at.node ? at.n : every.n;
    e->every_ns = every.n;
    if (at.node && at.n > sc->run.duration_ns) tree_error(r->d, at.node, "after the end of the run");
    if (n->bad || (!at.node && !every.node)) return false;
    if (!wanted(r, sc, tree_get(map, "when", 4))) return false;
    if (e->verb == SC_ADD) {
        const struct node *name = n->kind == NODE_MAP ? tree_get(n, "name", 4) : NULL;
        e->kind = SC_T_VM;
        return name && name->kind == NODE_SCALAR && brought(sc, name->text, SC_BY_ADD, &e->target, &e->n);
    }
    if (n->kind != NODE_SCALAR) return false;
    if (e->verb == SC_SET) return read_set(r, sc, map, n, e);
    return target(r, sc, n, (enum sc_verb)e->verb, e) && besides(r, sc, map, n, e);
}

void events_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "events", NODE_LIST);
    r->vms = reader_sub(root, "vms", NODE_LIST);
    struct sc_event *events = arena_array(r->a, list ? list->n + 1 : 1, sizeof *events);
    for (uint32_t i = 0; list && i < list->n; i++) {
        if (list->items[i]->kind != NODE_MAP) continue;
        struct sc_event *e = &events[sc->n_events];
        *e = (struct sc_event){.to = SC_NONE};
        if (!read_one(r, sc, list->items[i], e)) continue;
        sc->n_events++;
        sc->moves |= e->verb == SC_MIGRATE || e->verb == SC_DRAIN;
    }
    sc->events = events;
}
