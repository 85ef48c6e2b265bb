// SPDX-License-Identifier: GPL-3.0-or-later
/* Whom a term of an expectation is about: `vm.db`, `host.h1.pcpu0`, `host.h1.disk.ssd0`, `storage.san`. Names
 * may be patterns; who is not there at this point of the sweep may be at the one that @ moves to. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/expect_in.h"

/* Whether `name` is, or `glob` could be, one that the file's VMs or hosts make. */
static bool fits(const char *want, const char *name, const char *group, bool glob)
{
    char member[80];
    if (glob ? !fnmatch(want, name, 0) : !strcmp(want, name)) return true;
    if (!strcmp(name, group)) return false;
    /* A count that made one member may be called by the group's name. */
    snprintf(member, sizeof member, "%s-0", group);
    return !glob && !strcmp(want, group) && !strcmp(name, member);
}

static void no_entity(struct expect_parse *p, size_t from, size_t len, const char *kind, const char *name)
{
    const char *names[65] = {0};
    bool vm = kind[0] == 'v';
    uint32_t n = vm ? p->sc->n_vms : p->sc->n_hosts, group = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i < 64) names[i] = vm ? p->sc->vms[i].name : p->sc->hosts[i].name;
        group += !strcmp(vm ? p->sc->vms[i].group : p->sc->hosts[i].group, name);
    }
    char at[200] = "";
    for (uint32_t i = 0; i < p->sc->n_keys && strlen(at) < 120; i++)
        snprintf(at + strlen(at), sizeof at - strlen(at), "%s%.60s=%.20s", i ? ", " : " at ", p->sc->keys[i],
                 p->sc->values[i]);
    expect_error(p, from, len, "there is no %s `%.63s`%s", vm ? "VM" : "host", name, at);
    const char *near = diag_nearest(name, names);
    if (group)
        expect_hint(p, "there are %u of them: write sum, mean, max or min over `%s.%.63s-*`", group, kind,
                    name);
    else if (near)
        expect_hint(p, "did you mean `%s.%s`?", kind, near);
    else if (p->sc->n_keys)
        expect_hint(p,
                    "a line without @ holds at every point; `%s.NAME-*` in max, min, mean or sum passes over "
                    "what is not there",
                    kind);
}

/* Groups of the file, whatever their count is at this point: for globs and for other points. */
static bool group_fits(struct expect_parse *p, const char *list_key, const char *name, bool glob)
{
    const struct node *list = tree_get(p->f->root, list_key, strlen(list_key));
    for (uint32_t i = 0; list && list->kind == NODE_LIST && i < list->n; i++) {
        char member[80];
        const struct node *n = tree_get(list->items[i], "name", 4);
        if (!n || n->kind != NODE_SCALAR || n->len > 63) continue;
        size_t len = n->len;
        snprintf(member, sizeof member, "%s-0", n->text);
        if (glob && (!fnmatch(name, n->text, 0) || !fnmatch(name, member, 0))) return true;
        if (!glob && !strncmp(name, n->text, len)) {
            const char *rest = name + len;
            if (!*rest || (*rest == '-' && rest[1] && strspn(rest + 1, "0123456789") == strlen(rest + 1)))
                return true;
        }
    }
    return false;
}

struct part {
    const char *s;
    size_t len, at;
};

static bool numbered(const struct part *x, const char *word, bool glob_ok)
{
    size_t n = strlen(word);
    if (x->len <= n || strncmp(x->s, word, n) != 0) return false;
    for (size_t i = n; i < x->len; i++)
        if (!isdigit((unsigned char)x->s[i]) && !(glob_ok && strchr("*?", x->s[i]))) return false;
    return true;
}

/* Whether the VM or host is there at this point; told where not. */
static bool check_machine(struct expect_parse *p, const struct part *parts, unsigned on, bool glob)
{
    bool vm = on & (NAME_ON_VM | NAME_ON_VCPU), found = false, sub = on & (NAME_ON_VCPU | NAME_ON_PCPU);
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)parts[1].len, parts[1].s);
    uint32_t n = vm ? p->sc->n_vms : p->sc->n_hosts, members = 0, most = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *is = vm ? p->sc->vms[i].name : p->sc->hosts[i].name;
        const char *group = vm ? p->sc->vms[i].group : p->sc->hosts[i].group;
        uint32_t inside = vm ? p->sc->vms[i].vcpus : p->sc->hosts[i].cores;
        members += !strcmp(group, name) && strcmp(is, name) != 0;
        if (!fits(name, is, group, glob)) continue;
        found = true;
        if (inside > most) most = inside;
    }
    if (found && !glob && members > 1) found = false;
    bool digits = sub && parts[2].len > 4 && !memchr(parts[2].s, '*', parts[2].len) &&
                  !memchr(parts[2].s, '?', parts[2].len);
    if (found && digits && strtoul(parts[2].s + 4, NULL, 10) >= most) {
        expect_error(p, parts[2].at, parts[2].len, "%s `%s` has %u %s%s", vm ? "VM" : "host", name, most,
                     vm ? "vCPU" : "pCPU", most == 1 ? "" : "s");
        return false;
    }
    if (found) return true;
    /* At another point, or as a glob, it may be there: its group is. */
    bool elsewhere = p->text[p->at] == '@' || glob;
    if (elsewhere && group_fits(p, vm ? "vms" : "hosts", name, glob)) return true;
    no_entity(p, parts[1].at, parts[1].len, vm ? "vm" : "host", name);
    return false;
}

/* --- devices, networks and peers --- */

static const char *part_text(struct expect_parse *p, const struct part *x)
{
    return arena_dup(p->r->a, x->s, x->len);
}

static bool has_glob(const struct part *x)
{
    return memchr(x->s, '*', x->len) || memchr(x->s, '?', x->len);
}

/* Name i of a kind of entity, of the hosts that fit for disks and NICs; "" where another's. NULL: that was
 * the last. */
static const char *name_at_index(const struct scenario *sc, unsigned on, const char *host, bool host_glob,
                                 uint32_t i)
{
    uint32_t of = SC_NONE;
    const char *name;
    switch (on) {
    case NAME_ON_DISK:
    case NAME_ON_STORAGE:
        if (i >= sc->n_disks) return NULL;
        of = sc->disks[i].host;
        if ((of == SC_NONE) != (on == NAME_ON_STORAGE)) return "";
        name = sc->disks[i].name;
        break;
    case NAME_ON_NIC:
        if (i >= sc->n_nics) return NULL;
        of = sc->nics[i].host;
        name = sc->nics[i].name;
        break;
    case NAME_ON_NETWORK: return i < sc->n_networks ? sc->networks[i].name : NULL;
    case NAME_ON_SERVICE: return i < sc->n_services ? sc->services[i].name : NULL;
    default: return i < sc->n_peers ? sc->peers[i].name : NULL;
    }
    return of == SC_NONE || fits(host, sc->hosts[of].name, sc->hosts[of].group, host_glob) ? name : "";
}

/* A disk or NIC of a host whose members are none at this point. */
static bool stated_on_host(struct expect_parse *p, const char *leaf, const char *name, bool glob)
{
    const struct node *list = tree_get(p->f->root, "hosts", 5);
    for (uint32_t i = 0; list && list->kind == NODE_LIST && i < list->n; i++) {
        const struct node *devices = tree_get(list->items[i], leaf, strlen(leaf));
        for (uint32_t j = 0; devices && devices->kind == NODE_LIST && j < devices->n; j++) {
            const struct node *n = tree_get(devices->items[j], "name", 4);
            if (n && n->kind == NODE_SCALAR && (glob ? !fnmatch(name, n->text, 0) : !strcmp(name, n->text)))
                return true;
        }
    }
    return false;
}

/* What is at parts[0] (and, on a host, parts[2]). */
static bool check_device(struct expect_parse *p, const struct part *parts, unsigned on)
{
    static const struct {
        unsigned on;
        const char *what, *kind, *leaf; /* the list on a host */
    } kinds[] = {{NAME_ON_DISK, "disk", "disk", "disks"},     {NAME_ON_NIC, "NIC", "nic", "nics"},
                 {NAME_ON_STORAGE, "store", "storage", NULL}, {NAME_ON_NETWORK, "network", "network", NULL},
                 {NAME_ON_PEER, "peer", "peer", NULL},        {NAME_ON_SERVICE, "service", "service", NULL}};
    size_t k = 0;
    while (kinds[k].on != on)
        k++;
    const struct part *x = &parts[kinds[k].leaf ? 3 : 1];
    const char *host = kinds[k].leaf ? part_text(p, &parts[1]) : "", *name = part_text(p, x), *is;
    bool glob = has_glob(x), host_glob = kinds[k].leaf && has_glob(&parts[1]);
    const char *names[65] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; (is = name_at_index(p->sc, on, host, host_glob, i)); i++) {
        if (*is && (glob ? !fnmatch(name, is, 0) : !strcmp(name, is))) return true;
        if (*is && n < 64) names[n++] = is;
    }
    bool elsewhere = p->text[p->at] == '@' || glob || host_glob;
    if (elsewhere && kinds[k].leaf && stated_on_host(p, kinds[k].leaf, name, glob)) return true;
    if (kinds[k].leaf)
        expect_error(p, x->at, x->len, "host `%.63s` has no %s `%.63s`", host, kinds[k].what, name);
    else
        expect_error(p, x->at, x->len, "there is no %s `%.63s`", kinds[k].what, name);
    const char *near = diag_nearest(name, names);
    if (near && kinds[k].leaf)
        expect_hint(p, "did you mean `host.%.63s.%s.%s`?", host, kinds[k].kind, near);
    else if (near)
        expect_hint(p, "did you mean `%s.%s`?", kinds[k].kind, near);
    else if (n == 1)
        expect_hint(p, "there is only `%s`", names[0]);
    return false;
}

bool expect_endpoint(struct expect_parse *p, const char *name, size_t at)
{
    const char *names[65] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->sc->n_peers; i++) {
        if (!strcmp(p->sc->peers[i].name, name)) return true;
        if (n < 64) names[n++] = p->sc->peers[i].name;
    }
    for (uint32_t i = 0; i < p->sc->n_vms; i++) {
        if (!strcmp(p->sc->vms[i].name, name)) return true;
        if (n < 64) names[n++] = p->sc->vms[i].name;
    }
    if (p->text[p->at] == '@' && group_fits(p, "vms", name, false)) return true;
    expect_error(p, at, strlen(name), "there is no VM or peer `%.63s`", name);
    const char *near = diag_nearest(name, names);
    if (near) expect_hint(p, "did you mean `net.reach.%s`?", near);
    return false;
}

/* --- all kinds --- */

static size_t split(const char *s, size_t len, size_t at, struct part *parts, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i <= len && n < max;) {
        size_t k = i;
        while (k < len && s[k] != '.')
            k++;
        parts[n++] = (struct part){s + i, k - i, at + i};
        i = k + 1;
    }
    return n;
}

static bool is(const struct part *x, const char *word)
{
    return key_has_word(word, x->s, x->len);
}

static void no_kind(struct expect_parse *p, const struct part *x)
{
    static const char *const kinds[] = {"vm",   "host",    "storage", "network",
                                        "peer", "service", "cluster", NULL};
    expect_error(p, x->at, x->len, "`%.*s` is not a kind of entity", (int)(x->len > 40 ? 40 : x->len), x->s);
    const char *near = diag_nearest(part_text(p, x), kinds);
    if (near)
        expect_hint(p, "did you mean `%s`?", near);
    else
        expect_hint(p, "metrics begin with vm.NAME, host.NAME, storage.NAME, network.NAME, peer.NAME, "
                       "service.NAME or cluster");
}

unsigned expect_entity(struct expect_parse *p, size_t from, size_t len, size_t *used)
{
    struct part parts[8];
    const char *s = p->text + from;
    size_t n_parts = split(s, len, from, parts, 8), n = 2;
    unsigned on;
    if (is(&parts[0], "cluster")) {
        on = NAME_ON_CLUSTER, n = 1;
    } else if (is(&parts[0], "vm")) {
        bool sub = n_parts > 2 && numbered(&parts[2], "vcpu", true);
        on = sub ? NAME_ON_VCPU : NAME_ON_VM, n += sub;
    } else if (is(&parts[0], "host")) {
        bool sub = n_parts > 2 && numbered(&parts[2], "pcpu", true);
        on = sub ? NAME_ON_PCPU : NAME_ON_HOST, n += sub;
        /* host.h.disk.ssd0: the longer reading, as no host has metrics of disks or NICs. */
        if (n_parts > 2 && is(&parts[2], "disk nic"))
            on = is(&parts[2], "disk") ? NAME_ON_DISK : NAME_ON_NIC, n = 4;
    } else if (is(&parts[0], "storage network peer service")) {
        on = is(&parts[0], "storage")   ? NAME_ON_STORAGE
             : is(&parts[0], "network") ? NAME_ON_NETWORK
             : is(&parts[0], "peer")    ? NAME_ON_PEER
                                        : NAME_ON_SERVICE;
    } else {
        no_kind(p, &parts[0]);
        return 0;
    }
    if (n_parts <= n || (n > 1 && !parts[1].len)) {
        expect_error(p, from, len, "`%.*s` names no metric", (int)(len > 80 ? 80 : len), s);
        if (n == 4)
            expect_hint(p, "a disk's are `host.%.*s.disk.NAME.METRIC`",
                        (int)(parts[1].len > 63 ? 63 : parts[1].len), parts[1].s);
        return 0;
    }
    bool host = on & (NAME_ON_DISK | NAME_ON_NIC);
    bool machine = host || on & (NAME_ON_VM | NAME_ON_VCPU | NAME_ON_HOST | NAME_ON_PCPU);
    if (machine && !check_machine(p, parts, host ? NAME_ON_HOST : on, has_glob(&parts[1]))) return 0;
    if (!machine && on != NAME_ON_CLUSTER && !check_device(p, parts, on)) return 0;
    if (host && !check_device(p, parts, on)) return 0;
    *used = parts[n - 1].at + parts[n - 1].len - from;
    return on;
}
