// SPDX-License-Identifier: GPL-3.0-or-later
/* What is physical, and the networks on it: every key arrives, every mistake is told at its place, entities
 * are in order, and what one names another by is found. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/reading.h"

Suite *devices_suite(void);

static const char whole[] =
    "vlab: 1\n"
    "hosts:\n"
    "- name: h\n"
    "  count: 11\n"
    "  hypervisor: {type: 2, nested_paging: false, load: 50%, host_io: 7us, emulation: 100}\n"
    "  cpu: {cores: 3, threads_per_core: 2, scheduler: bvt}\n"
    "  memory: {size: 16GiB, page: 2MiB, reclaim: [balloon, share, swap], replacement: second-chance,\n"
    "    replacement_scope: vm, swap: b, free_target: 1GiB, tax: 50%, estimate: sampled,\n"
    "    share: {rate: 30MB/s, cost: 1us, break: 2us}, balloon: {rate: 50MB/s, max: 40%},\n"
    "    compress: {ratio: 2.5, cost: 5us}, ref_cost: 100ns}\n"
    "  disks:\n"
    "  - {name: b, iops: 20000/s, bandwidth: 500MB/s, latency: 80us, burst: 1GB, peak: 1GB/s, queue: "
    "mclock,\n"
    "     pool: 100GiB, grain: 1MiB, cache: 1GiB}\n"
    "  - {name: a, model: ssd, channels: 4, dies: 2, read: {exponential: 70us}, program: 500us, erase: 2ms, "
    "spare: "
    "7%, queue: fifo}\n"
    "  - {name: d, model: hdd, preset: sata7200, queue: deadline}\n"
    "  nics: [{name: eth1}, {name: eth0, bandwidth: 10Gb/s, latency: 50us, mtu: 9000, packet_cost: 1us, "
    "rx_queue: "
    "512}]\n"
    "  tlb: {entries: 64, walk: 30ns, nested: 6}\n"
    "  mode_costs: {io_port: 2us, exec: 0s}\n"
    "- {name: g, memory: {size: 4GiB, swap: san}, nics: [{name: e}]}\n"
    "storage:\n"
    "- {name: san, hosts: [g, h-3, h-10], iops: 8000/s, bandwidth: 1GB/s, latency: 1ms, burst: 1MB, peak: "
    "2GB/s, "
    "queue: mclock, pool: 1TB, grain: 4KiB, cache: 4GiB, divide: flat}\n"
    "- {name: all}\n"
    "networks:\n"
    "- {name: out, kind: nat, nics: [h-0/eth0], ports: 100, rewrite: 1us, hold: 5s, latency: 3us}\n"
    "- {name: lan, nics: [h/eth0, g/e], uplink: core, latency: 10us, bandwidth: 1Gb/s}\n"
    "- {name: core}\n"
    "- {name: dmz, kind: bridge, nics: [h-0/eth1, h-10/eth1], uplink: isp}\n"
    "- {name: priv, kind: host-only, hosts: [h-1, g]}\n"
    "peers: [{name: web, on: outside}, {name: pc, on: lan}, {name: far}]\n";

static const struct sc_disk *disk_of(const struct scenario *sc, const char *entity)
{
    for (uint32_t i = 0; i < sc->n_disks; i++)
        if (!strcmp(sc->disks[i].entity, entity)) return &sc->disks[i];
    ck_abort_msg("there is no %s", entity);
    return NULL;
}

static const struct sc_network *network_of(const struct scenario *sc, const char *name)
{
    for (uint32_t i = 0; i < sc->n_networks; i++)
        if (!strcmp(sc->networks[i].name, name)) return &sc->networks[i];
    ck_abort_msg("there is no network %s", name);
    return NULL;
}

static void done(struct scenario_file *f, struct scenario *sc, struct diag *d)
{
    scenario_free(sc);
    scenario_close(f);
    diag_done(d);
}

START_TEST(hosts_arrive)
{
    struct diag d;
    struct scenario_file *f = parse(whole, &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_host *h = host_of(sc, "h-10"), *g = host_of(sc, "g");
    const struct sc_memory *m = &h->memory;
    ck_assert_uint_eq(h->cores, 6);
    ck_assert_uint_eq(h->threads_per_core, 2);
    ck_assert_str_eq(h->scheduler, "bvt");
    ck_assert(h->type == 2 && !h->nested_paging);
    ck_assert_uint_eq(h->load_ppm, 500000);
    ck_assert_int_eq(h->modes->host_io_ps, 7000000);
    ck_assert_uint_eq(h->modes->emulation_milli, 100000);
    ck_assert_int_eq(m->page_bytes, 2 << 20);
    ck_assert_uint_eq(m->n_reclaim, 3);
    ck_assert(m->reclaim[0] == SC_BALLOON && m->reclaim[1] == SC_SHARE && m->reclaim[2] == SC_SWAP);
    ck_assert_str_eq(m->replacement, "second-chance");
    ck_assert(m->per_vm && m->sampled);
    ck_assert_str_eq(sc->disks[m->swap].entity, "host.h-10.disk.b");
    ck_assert_int_eq(m->free_target_bytes, 1 << 30);
    ck_assert_uint_eq(m->tax_ppm, 500000);
    ck_assert_int_eq(m->share_bps, 240000000);
    ck_assert_int_eq(m->share_cost_ns, 1000);
    ck_assert_int_eq(m->break_ns, 2000);
    ck_assert_int_eq(m->balloon_bps, 400000000);
    ck_assert_uint_eq(m->balloon_max_ppm, 400000);
    ck_assert_uint_eq(m->compress_milli, 2500);
    ck_assert_int_eq(m->compress_ns, 5000);
    ck_assert_int_eq(m->ref_ps, 100000);
    ck_assert_uint_eq(m->tlb_entries, 64);
    ck_assert_int_eq(m->tlb_walk_ns, 30);
    ck_assert_uint_eq(m->tlb_nested_milli, 6000);
    for (unsigned mode = 0; mode < SC_NMODES; mode++) {
        ck_assert_int_eq(h->modes->price[mode][OP_IO_PORT].ps, mode == SC_BARE ? 0 : 2000000);
        ck_assert_int_eq(h->modes->price[mode][OP_EXEC].ps, 0);
    }
    /* What is not stated costs nothing. */
    m = &g->memory;
    ck_assert(g->type == 1 && g->nested_paging && !g->load_ppm && !g->modes->host_io_ps);
    ck_assert_uint_eq(g->modes->emulation_milli, 1000);
    ck_assert_int_eq(m->page_bytes, 4096);
    ck_assert(m->n_reclaim == 1 && m->reclaim[0] == SC_SWAP);
    ck_assert_str_eq(sc->disks[m->swap].entity, "storage.san");
    ck_assert_str_eq(m->replacement, "clock");
    ck_assert(!m->per_vm && !m->sampled && m->tax_ppm == 750000 && m->balloon_max_ppm == 650000);
    ck_assert_int_eq(m->free_target_bytes | m->share_cost_ns | m->break_ns | m->balloon_bps | m->compress_ns |
                         m->ref_ps | m->tlb_walk_ns,
                     0);
    ck_assert(m->share_bps == 160000000 && m->compress_milli == 3000 && m->tlb_entries == 0 &&
              m->tlb_nested_milli == 1500);
    done(f, sc, &d);
}
END_TEST

START_TEST(disks_arrive)
{
    struct diag d;
    struct scenario_file *f = parse(whole, &d);
    struct scenario *sc = at(f, 0, &d);
    ck_assert_uint_eq(sc->n_disks, 35);
    /* Host by host, each by name, stores last. */
    ck_assert_str_eq(sc->disks[0].entity, "host.h-0.disk.a");
    ck_assert_str_eq(sc->disks[4].entity, "host.h-1.disk.b");
    ck_assert_str_eq(sc->disks[6].entity, "host.h-2.disk.a");
    ck_assert_str_eq(sc->disks[33].entity, "storage.all");
    ck_assert_str_eq(scenario_dev_entity(sc, 34), "storage.san");
    const struct sc_disk *b = disk_of(sc, "host.h-2.disk.b"), *a = b - 1, *hd = b + 1;
    ck_assert_str_eq(sc->hosts[b->host].name, "h-2");
    ck_assert(b->model == SC_DISK_BUCKET && a->model == SC_DISK_SSD && hd->model == SC_DISK_HDD);
    ck_assert_str_eq(b->queue, "mclock");
    ck_assert_int_eq(b->iops_u, INT64_C(20000000000));
    ck_assert_int_eq(b->bandwidth_bps, INT64_C(4000000000));
    ck_assert_int_eq(b->latency_ns, 80000);
    ck_assert_int_eq(b->burst_bytes, 1000000000);
    ck_assert_int_eq(b->peak_bps, INT64_C(8000000000));
    ck_assert_int_eq(b->pool_bytes, INT64_C(100) << 30);
    ck_assert_int_eq(b->grain_bytes, 1 << 20);
    ck_assert_int_eq(b->cache_bytes, 1 << 30);
    ck_assert_str_eq(a->queue, "fifo");
    ck_assert(a->channels == 4 && a->dies == 2 && a->erase_ns == 2000000 && a->spare_ppm == 70000);
    ck_assert(a->read.kind == DIST_EXPONENTIAL && a->read.a == 70000);
    ck_assert(a->program.kind == DIST_CONST && a->program.a == 500000);
    ck_assert(hd->preset == SC_SATA7200);
    ck_assert_str_eq(hd->queue, "deadline");
    const struct sc_disk *san = disk_of(sc, "storage.san"), *all = disk_of(sc, "storage.all");
    ck_assert(san->host == SC_NONE && san->flat && san->model == SC_DISK_BUCKET && !all->flat);
    ck_assert_uint_eq(san->n_hosts, 3);
    ck_assert_str_eq(sc->hosts[san->hosts[0]].name, "g");
    ck_assert_str_eq(sc->hosts[san->hosts[1]].name, "h-3");
    ck_assert_str_eq(sc->hosts[san->hosts[2]].name, "h-10");
    ck_assert_int_eq(san->grain_bytes, 4096);
    ck_assert_int_eq(san->cache_bytes, INT64_C(4) << 30);
    ck_assert_uint_eq(all->n_hosts, 12);
    ck_assert_str_eq(all->queue, "fair");
    ck_assert_int_eq(all->iops_u | all->bandwidth_bps | all->latency_ns | all->burst_bytes | all->peak_bps |
                         all->pool_bytes | all->cache_bytes,
                     0);
    done(f, sc, &d);
}
END_TEST

START_TEST(networks_arrive)
{
    struct diag d;
    struct scenario_file *f = parse(whole, &d);
    struct scenario *sc = at(f, 0, &d);
    ck_assert_uint_eq(sc->n_nics, 23);
    ck_assert_str_eq(sc->nics[0].entity, "host.g.nic.e");
    ck_assert_str_eq(sc->nics[21].entity, "host.h-10.nic.eth0");
    const struct sc_nic *n = &sc->nics[21];
    ck_assert(n->bandwidth_bps == INT64_C(10000000000) && n->latency_ns == 50000 && n->mtu == 9000 &&
              n->packet_cost_ns == 1000 && n->rx_queue == 512);
    ck_assert(n[1].bandwidth_bps == 0 && n[1].mtu == 1500 && n[1].rx_queue == 256 && !n[1].packet_cost_ns);
    static const char *const order[] = {"core", "dmz", "lan", "out", "priv"};
    ck_assert_uint_eq(sc->n_networks, 5);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_str_eq(sc->networks[i].name, order[i]);
    const struct sc_network *lan = network_of(sc, "lan"), *out = network_of(sc, "out"),
                            *dmz = network_of(sc, "dmz"), *priv = network_of(sc, "priv"),
                            *core = network_of(sc, "core");
    ck_assert_str_eq(lan->entity, "network.lan");
    ck_assert_uint_eq(lan->n_nics, 12);
    ck_assert_uint_eq(lan->n_hosts, 12);
    ck_assert_str_eq(sc->nics[lan->nics[0]].entity, "host.g.nic.e");
    for (uint32_t i = 0; i < lan->n_nics; i++)
        ck_assert_uint_eq(sc->nics[lan->nics[i]].host, lan->hosts[i]);
    ck_assert_ptr_eq(&sc->networks[lan->up], core);
    ck_assert(lan->kind == SC_NET_BRIDGE && lan->latency_ns == 10000 && lan->bandwidth_bps == 1000000000);
    ck_assert(core->up == SC_NONE && !core->uplink && core->n_nics == 0);
    ck_assert(out->kind == SC_NET_NAT && out->ports == 100 && out->rewrite_ns == 1000 &&
              out->hold_ns == INT64_C(5000000000));
    ck_assert(dmz->up == SC_NONE && !strcmp(dmz->uplink, "isp") && dmz->n_nics == 2);
    ck_assert(priv->kind == SC_NET_HOST_ONLY && priv->n_hosts == 2 && priv->n_nics == 0);
    ck_assert_str_eq(sc->hosts[priv->hosts[1]].name, "h-1");
    ck_assert_uint_eq(sc->n_peers, 3);
    ck_assert_str_eq(sc->peers[0].name, "far");
    ck_assert_uint_eq(sc->peers[0].network, SC_NONE);
    ck_assert_str_eq(sc->peers[1].entity, "peer.pc");
    ck_assert_ptr_eq(&sc->networks[sc->peers[1].network], lan);
    ck_assert_uint_eq(sc->peers[2].network, SC_NONE);
    ck_assert_uint_eq(scenario_n_devs(sc), 35 + 23 + 5 + 3);
    done(f, sc, &d);
}
END_TEST

static char *dump_of(const char *text)
{
    struct diag d;
    struct scenario_file *f = parse(text, &d);
    scenario_free(at(f, 0, &d));
    char *out = scenario_dump(f, NULL);
    scenario_close(f);
    diag_done(&d);
    return out;
}

START_TEST(the_resolved_copy_says_the_same)
{
    char *once = dump_of(whole), *twice = dump_of(once);
    ck_assert_str_eq(once, twice);
    ck_assert_ptr_nonnull(strstr(once, "reclaim: [balloon, share, swap]\n"));
    ck_assert_ptr_nonnull(strstr(once, "read: {exponential: 70us}\n"));
    ck_assert_ptr_nonnull(strstr(once, "nics: [h/eth0, g/e]\n"));
    ck_assert_ptr_nonnull(strstr(once, "hold: 5s\n"));
    free(once);
    free(twice);
}
END_TEST

/* --- what is refused --- */

#define H "hosts:\n- name: h\n  "                      /* line 3, column 3 */
#define D H "disks: [{name: d, "                       /* a key of the disk at 3:22 */
#define N H "nics: [{name: n}]\nnetworks: [{name: w, " /* a key of the network at 4:22 */

static const struct refusal refusals[] = {
    /* memory */
    {H "memory: {page: 8KiB}\n", 3, 18, "`8KiB` is not known; `page` is `4KiB` or `2MiB`", NULL},
    {H "memory: {page: 4}\n", 3, 18, "`page` is `4KiB` or `2MiB`", NULL},
    {H "memory: {reclaim: swap}\n", 3, 21, "wants a list", NULL},
    {H "memory: {reclaim: [baloon]}\n", 3, 22, "`baloon` is not known", "did you mean `balloon`?"},
    {H "memory: {reclaim: [share, share]}\n", 3, 29, "`share` is here twice", NULL},
    {H "memory: {reclaim: [[share]]}\n", 3, 22, "is a list", NULL},
    {H "memory: {reclaim: [share, swap]}\n", 3, 29, "needs a disk to swap to", "`swap: DISK`"},
    {H "disks: [{name: d}]\n  memory: {reclaim: [share], swap: d}\n", 4, 36, "`swap` is not in `reclaim`",
     NULL},
    {H "disks: [{name: ssd0}]\n  memory: {swap: ssd1}\n", 4, 18, "host `h` has no disk `ssd1`",
     "did you mean `ssd0`?"},
    {H "memory: {swap: d}\n", 3, 18, "host `h` has no disk `d`", "it has none"},
    {H "memory: {swap: s}\n- name: g\nstorage: [{name: s, hosts: [g]}]\n", 3, 18,
     "does not reach the store `s`", "`hosts`"},
    {H "memory: {swap: 5}\n", 3, 18, "is not a name", NULL},
    {H "memory: {replacement: lru2}\n", 3, 25, "`lru2` is not known", NULL},
    {H "memory: {replacement_scope: guest}\n", 3, 31, "`guest` is not known", NULL},
    {H "memory: {size: 4095B}\n", 3, 18, "less than one page", NULL},
    {H "memory: {size: 1MiB, page: 2MiB}\n", 3, 18, "less than one page", NULL},
    {H "memory: {free_target: 5%}\n", 3, 25, "is a share; a size is wanted", NULL},
    {H "memory: {size: 1GiB, free_target: 2GiB}\n", 3, 37, "more than the host has", NULL},
    {H "memory: {tax: 100%}\n", 3, 17, "out of range: 0% to 99%", NULL},
    {H "memory: {estimate: guess}\n", 3, 22, "`guess` is not known", NULL},
    {H "memory: {share: {rate: 20MB}}\n", 3, 26, "is a size; a bandwidth is wanted",
     "did you mean `20MB/s`?"},
    {H "memory: {share: 0B/s}\n", 3, 19, "out of range", NULL},
    {H "memory: {share: {cost: 5}}\n", 3, 26, "has no unit", NULL},
    {H "memory: {share: {breek: 5us}}\n", 3, 20, "unknown key `breek`", "did you mean `break`?"},
    {H "memory: {balloon: {max: 101%}}\n", 3, 27, "out of range: 0% to 100%", NULL},
    {H "memory: {balloon: {rate: 5/s}}\n", 3, 28, "is a rate; a bandwidth is wanted", NULL},
    {H "memory: {compress: {ratio: 1}}\n", 3, 30, "out of range", NULL},
    {H "memory: {compress: {cost: 5s}}\n", 3, 29, "out of range", NULL},
    {H "memory: {ref_cost: 100}\n", 3, 22, "has no unit", "`100s` or `100ms`"},
    {H "tlb: {entries: -1}\n", 3, 18, "negative", NULL},
    {H "tlb: {walk: 2s}\n", 3, 15, "out of range", NULL},
    {H "tlb: {nested: 0.5}\n", 3, 17, "out of range", NULL},
    /* hypervisor */
    {H "hypervisor: {type: 3}\n", 3, 22, "out of range: 1 to 2", NULL},
    {H "hypervisor: {nested_paging: yes}\n", 3, 31, "true or false", "write `true`"},
    {H "hypervisor: {load: 101%}\n", 3, 22, "out of range", NULL},
    {H "hypervisor: {emulation: 0}\n", 3, 27, "out of range", NULL},
    {H "mode_costs: {ioport: 2us}\n", 3, 16, "unknown key `ioport`", "did you mean `io_port`?"},
    {H "mode_costs: {io_port: 2}\n", 3, 25, "has no unit", NULL},
    {H "mode_costs: 2us\n", 3, 15, "wants a map of keys", NULL},
    {H "cpu: {threads_per_core: 9}\n", 3, 27, "out of range: 1 to 8", NULL},
    {H "profile: mordern\n", 3, 12, "cannot open `mordern`", "built in"},
    /* disks */
    {H "disks: {name: d}\n", 3, 10, "wants a list", NULL},
    {H "disks: [{model: ssd}]\n", 3, 11, "has no `name`", NULL},
    {D "model: floppy}]\n", 3, 28, "`floppy` is not known", NULL},
    {D "iops: 5b}]\n", 3, 27, "", NULL},
    {D "bandwidth: 500MB}]\n", 3, 32, "is a size; a bandwidth is wanted", "did you mean `500MB/s`?"},
    {D "burst: 5MB/s, bandwidth: 5MB/s}]\n", 3, 28, "is a bandwidth; a size is wanted",
     "did you mean `5MB`?"},
    {D "burst: 5MB}]\n", 3, 28, "saved up from a `bandwidth`", NULL},
    {D "bandwidth: 5MB/s, peak: 1MB/s}]\n", 3, 45, "`peak` is below the `bandwidth`", NULL},
    {D "queue: fcfs}]\n", 3, 28, "`fcfs` is not known", NULL},
    {D "pool: 1KiB}]\n", 3, 27, "no room for a single block", NULL},
    {D "grain: 0B}]\n", 3, 28, "out of range", NULL},
    {D "dies: 4}]\n", 3, 21, "`dies` is for model `ssd`; here it is `bucket`", NULL},
    {D "channels: 4}]\n", 3, 21, "`channels` is for model `ssd`", NULL},
    {D "read: 4us}]\n", 3, 21, "`read` is for model `ssd`", NULL},
    {D "program: 4us}]\n", 3, 21, "`program` is for model `ssd`", NULL},
    {D "erase: 4us}]\n", 3, 21, "`erase` is for model `ssd`", NULL},
    {D "spare: 7%}]\n", 3, 21, "`spare` is for model `ssd`", NULL},
    {D "preset: sata7200}]\n", 3, 21, "`preset` is for model `hdd`", NULL},
    {D "model: ssd, iops: 5/s}]\n", 3, 33, "`iops` is for model `bucket`; here it is `ssd`", NULL},
    {D "model: ssd, bandwidth: 5MB/s}]\n", 3, 33, "`bandwidth` is for model `bucket`", NULL},
    {D "model: hdd, burst: 5B}]\n", 3, 33, "`burst` is for model `bucket`", NULL},
    {D "model: hdd, peak: 5B/s}]\n", 3, 33, "`peak` is for model `bucket`", NULL},
    {D "model: ssd, dies: 0}]\n", 3, 39, "out of range", NULL},
    {D "model: ssd, read: {uniform: [1us, 2us]}}]\n", 3, 39, "`read` is a constant or exponential", NULL},
    {D "model: ssd, read: {exponential: 5}}]\n", 3, 53, "has no unit", NULL},
    {D "model: ssd, spare: 91%}]\n", 3, 40, "out of range", NULL},
    {D "model: hdd, preset: floppy}]\n", 3, 41, "`floppy` is not known", NULL},
    {H "disks: [{name: d}, {name: d}]\n", 3, 29, "the name `d` is there twice", NULL},
    /* NICs */
    {H "nics: [{name: n, bandwidth: 10Gb}]\n", 3, 31, "is not a unit of a bandwidth",
     "did you mean `10Gb/s`?"},
    {H "nics: [{name: n, mtu: 67}]\n", 3, 25, "out of range: 68 to 65535", NULL},
    {H "nics: [{name: n, packet_cost: 1}]\n", 3, 33, "has no unit", NULL},
    {H "nics: [{name: n, rx_queue: 0}]\n", 3, 30, "out of range", NULL},
    {H "nics: [{name: n}, {name: n}]\n", 3, 28, "the name `n` is there twice", NULL},
    /* storage */
    {"hosts: [{name: h}]\nstorage: [{name: s, hosts: [g]}]\n", 2, 29, "there is no host `g`", "only `h`"},
    {"hosts: [{name: h}]\nstorage: [{name: s, hosts: h}]\n", 2, 28, "wants a list", NULL},
    {"hosts: [{name: h, count: 2}]\nstorage: [{name: s, hosts: [h, h-1]}]\n", 2, 32,
     "host `h-1` is here twice", NULL},
    {"storage: [{name: s, model: ssd}]\n", 1, 21, "unknown key `model`", NULL},
    {"storage: [{name: s, divide: equal}]\n", 1, 29, "`equal` is not known", NULL},
    {"storage: [{name: s, burst: 1MB}]\n", 1, 28, "saved up from a `bandwidth`", NULL},
    {"storage: [{name: s}, {name: s}]\n", 1, 29, "the name `s` is there twice", NULL},
    /* networks */
    {N "kind: brigde, nics: [h/n]}]\n", 4, 28, "`brigde` is not known", "did you mean `bridge`?"},
    {N "kind: bridge}]\n", 4, 12, "`w` is a bridge and needs a NIC", "`nics: [HOST/NIC]`"},
    {N "kind: nat, nics: []}]\n", 4, 39, "`w` is nat and needs a NIC", NULL},
    {N "nics: h/n}]\n", 4, 28, "wants a list", NULL},
    {N "nics: [n]}]\n", 4, 29, "is not HOST/NIC", "`h1/eth0`"},
    {N "nics: [h/n/x]}]\n", 4, 29, "is not HOST/NIC", NULL},
    {N "nics: [g/n]}]\n", 4, 29, "there is no host `g`", NULL},
    {N "nics: [h/eth]}]\n", 4, 29, "host `h` has no NIC `eth`", "it has `n`"},
    {N "nics: [h/n, h/n]}]\n", 4, 34, "one NIC of a host", NULL},
    {N "kind: host-only, nics: [h/n]}]\n", 4, 39,
     "`nics` is for kind `bridge` or `nat`; here it is `host-only`", NULL},
    {N "kind: host-only, uplink: x}]\n", 4, 39, "`uplink` is for kind `bridge` or `nat`", NULL},
    {N "hosts: [h], nics: [h/n]}]\n", 4, 22, "`hosts` is for kind `host-only`; here it is `bridge`", NULL},
    {N "nics: [h/n], ports: 5}]\n", 4, 35, "`ports` is for kind `nat`", NULL},
    {N "nics: [h/n], rewrite: 5us}]\n", 4, 35, "`rewrite` is for kind `nat`", NULL},
    {N "nics: [h/n], hold: 5s}]\n", 4, 35, "`hold` is for kind `nat`", NULL},
    {N "kind: nat, nics: [h/n], ports: 65536}]\n", 4, 53, "out of range: 1 to 65535", NULL},
    {N "nics: [h/n], uplink: w}]\n", 4, 43, "leads back to `w` itself", NULL},
    {N "nics: [h/n], uplink: p}, {name: p, kind: host-only}]\n", 4, 43,
     "`p` is host-only: nothing leads up to it", NULL},
    {N "nics: [h/n], uplink: p}, {name: p, uplink: q}, {name: q}]\n", 4, 43, "two levels", "`w` lead to `q`"},
    {N "nics: [h/n], bandwidth: 5}]\n", 4, 46, "has no unit", NULL},
    {H "nics: [{name: n}]\nnetworks: [{name: outside, nics: [h/n]}]\n", 4, 19, "cannot name one", NULL},
    {N "nics: [h/n]}, {name: w, nics: [h/n]}]\n", 4, 43, "the name `w` is there twice", NULL},
    /* peers */
    {N "nics: [h/n]}]\npeers: [{name: p, on: v}]\n", 5, 23, "there is no network `v`", NULL},
    {N "kind: host-only}]\npeers: [{name: p, on: w}]\n", 5, 23, "a peer cannot hang on it", NULL},
    {"peers: [{name: p}, {name: p}]\n", 1, 27, "the name `p` is there twice", NULL},
    {"peers: [{on: outside}]\n", 1, 9, "has no `name`", NULL},
    {H "cpu: 1\nvms: [{name: p}]\npeers: [{name: p}]\n", 5, 16, "there is a VM `p` too", NULL},
};

START_TEST(is_refused_at_its_place)
{
    ck_text_refused(&refusals[_i]);
}
END_TEST

/* What looks much like the above and is right. */
static const char *const accepted[] = {
    H "memory: {reclaim: []}\n",
    H "memory: {reclaim: [share]}\n",
    H "memory: 4GiB\n  disks: []\n  nics: []\n",
    H "hypervisor: 2\n  tlb: 64\n",
    H "hypervisor: {type: 1, load: 50%}\n",
    H "mode_costs: {}\n",
    D "bandwidth: 5MB/s, peak: 5MB/s, burst: 1B}]\n",
    D "model: ssd, read: 0s, program: {exponential: 1us}}]\n",
    D "model: bucket, iops: 0/s, burst: 0B}]\n",
    D "model: hdd, latency: 5us}]\n",
    N "kind: nat, nics: [h/n]}]\npeers: [{name: p, on: w}]\n",
    "hosts: [{name: h, count: 0, disks: [{name: d}], memory: {swap: d}, nics: [{name: n}]}]\n"
    "storage: [{name: s, hosts: [h]}]\nnetworks: [{name: w, nics: [h/n]}]\n",
    "hosts: [{name: h, count: 1, nics: [{name: n}]}]\nnetworks: [{name: w, nics: [h-0/n]}, {name: v, nics: "
    "[h/n]}]\n",
    "hosts: [{name: h, disks: [{name: d}]}, {name: g, disks: [{name: d}]}]\nstorage: [{name: d}]\n",
    "networks: [{name: p, kind: host-only, hosts: []}]\n",
    N "nics: [h/n]}, {name: x, kind: nat, nics: [h/n], uplink: w}]\n",
    H "disks: [{name: d}]\nsweep: {hosts.h.disks.d.model: [bucket, ssd, hdd]}\n",
    H "nics: [{name: n}]\nsweep: {hosts.h.nics.n.mtu: [1500, 500], hosts.h.memory.reclaim: [[share], [share, "
      "balloon]]}\n",
};

START_TEST(is_accepted)
{
    struct diag d;
    struct scenario_file *f = parse(accepted[_i], &d);
    for (size_t p = 0; p < scenario_points(f); p++)
        scenario_free(at(f, p, &d));
    scenario_close(f);
    diag_done(&d);
    char *once = dump_of(accepted[_i]), *twice = dump_of(once);
    ck_assert_str_eq(once, twice);
    free(once);
    free(twice);
}
END_TEST

Suite *devices_suite(void)
{
    Suite *s = suite_create("devices");
    TCase *t = tcase_create("devices");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, hosts_arrive);
    tcase_add_test(t, disks_arrive);
    tcase_add_test(t, networks_arrive);
    tcase_add_test(t, the_resolved_copy_says_the_same);
    tcase_add_loop_test(t, is_refused_at_its_place, 0, (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_loop_test(t, is_accepted, 0, (int)(sizeof accepted / sizeof accepted[0]));
    suite_add_tcase(s, t);
    return s;
}
