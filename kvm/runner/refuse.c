// SPDX-License-Identifier: GPL-3.0-or-later
/* What a scenario may ask for that real guests cannot give here: refused by name, never ignored. */
#include <string.h>

#include "kvm/runner/run.h"
#include "kvm/store/store.h"
#include "scenario/names.h"

#define CANNOT               "not possible on this backend: "
#define MAX_VOLUME           (INT64_C(8) << 40)
#define KERNEL_PERIOD_MIN_NS 1000000
#define KERNEL_PERIOD_MAX_NS 1000000000

static char *refuse_host(const struct sc_host *h)
{
    if (h->speed_ppm != 1000000)
        return host_text(CANNOT "hosts.%s.cpu.speed: a real pCPU is as fast as it is", h->group);
    if (h->type == 2)
        return host_text(CANNOT "hosts.%s.hypervisor.type: 2: guests run on this machine as it is", h->group);
    if (h->threads_per_core > 1)
        return host_text(CANNOT "hosts.%s.cpu.threads_per_core: which CPUs share a core is this machine's",
                         h->group);
    if (h->cores > CTL_PCPUS) return host_text(CANNOT "hosts.%s.cpu.cores: over %u", h->group, CTL_PCPUS);
    bool eevdf = strcmp(h->scheduler, "eevdf") == 0;
    if (eevdf && h->slice_ns != 0 && h->slice_ns != h->measured.slice_ns)
        return host_text(CANNOT
                         "hosts.%s.cpu.slice with scheduler eevdf: it is Linux's own, with its own slice",
                         h->group);
    return NULL;
}

/* A disk, and the VMs' parts of it. */
static char *refuse_disk(const struct scenario *sc, const struct sc_disk *d, uint32_t index)
{
    static const char *const models[] = {[SC_DISK_SSD] = "ssd", [SC_DISK_HDD] = "hdd"};
    uint32_t n = 0;
    if (d->model != SC_DISK_BUCKET)
        return host_text(CANNOT "%s.model: %s: a file here is as fast as this machine's disk, and a bucket "
                                "holds it back",
                         d->entity, models[d->model]);
    if (d->pool_bytes > 0)
        return host_text(CANNOT "%s.pool: files here take blocks from this machine's file system", d->entity);
    if (d->cache_bytes > 0)
        return host_text(CANNOT "%s.cache: files here are read past every cache", d->entity);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        for (uint32_t k = 0; k < sc->vms[i].n_disks; k++)
            n += sc->vms[i].disks[k].disk == index;
    if (n > STORE_MAX_VOLUMES)
        return host_text(CANNOT "%s: over %u VMs' disks are on it", d->entity, STORE_MAX_VOLUMES);
    return NULL;
}

static char *refuse_volumes(const struct scenario *sc, const struct sc_vm *v)
{
    for (uint32_t i = 0; i < v->n_disks; i++) {
        const struct sc_vdisk *d = &v->disks[i];
        if (refuse_keeps_pages(sc, d->disk))
            return host_text(CANNOT "vms.%s.disk: on %s: hosts.memory.swap takes it, for pages alone here",
                             v->group, sc->disks[d->disk].name);
        if (d->cache_bytes > 0)
            return host_text(CANNOT "vms.%s.disk.cache: guests here have no page cache", v->group);
        if (d->from_vm != SC_NONE)
            return host_text(CANNOT "vms.%s.disk.from: disks here begin empty", v->group);
        if (d->size_bytes > MAX_VOLUME) return host_text(CANNOT "vms.%s.disk.size: over 8TiB", v->group);
    }
    if (v->n_disks > ABI_MAX_DEVS)
        return host_text(CANNOT "vms.%s.disk: over %u disks", v->group, ABI_MAX_DEVS);
    return NULL;
}

/* The devices of a scenario. */
static char *refuse_devices(const struct scenario *sc)
{
    for (uint32_t i = 0; i < sc->n_disks; i++) {
        char *why = refuse_keeps_pages(sc, i) ? NULL : refuse_disk(sc, &sc->disks[i], i);
        if (why) return why;
    }
    return refuse_networks(sc);
}

/* Of `ops`, what a payload in ring 3 can do by itself. */
static bool has_op(uint32_t op)
{
    return op == OP_IO_PORT || op == OP_HLT || op == OP_MMIO || op == OP_DOORBELL || op == OP_CALL_RET;
}

/* What the payload has not learnt yet. */
static char *refuse_steps(const struct sc_vm *v)
{
    static const char *const kinds[STEP_NKINDS] = {[STEP_COVERT] = "covert"};
    const struct step *s = prog_steps(v->work.prog);
    for (uint32_t i = 0; i < v->work.prog->n_steps; i++) {
        if (kinds[s[i].kind])
            return host_text(CANNOT "vms.%s.workload.steps: guests here take no `%s` step yet", v->group,
                             kinds[s[i].kind]);
        if (s[i].kind == STEP_OPS && !has_op(s[i].how))
            return host_text(CANNOT "vms.%s.workload.steps: ops: %s: guests here run no kernel of their own",
                             v->group, name_op(s[i].how));
        if (s[i].kind == STEP_LOCK && s[i].how == PROG_YIELD)
            return host_text(
                CANNOT "vms.%s.workload.steps: lock with wait: yield: nobody here lends another its turn",
                v->group);
    }
    return NULL;
}

/* What is above the host; nobody here stops, moves or restarts guests. */
static char *refuse_cloud(const struct scenario *sc)
{
    const struct sc_host *h = &sc->hosts[0];
    if (sc->cloud.stated) return host_text(CANNOT "cloud: nobody here manages VMs");
    for (uint32_t i = 0; i < sc->n_events; i++)
        if (sc->events[i].verb != SC_INSPECT)
            return host_text(CANNOT
                             "events: nothing here is done to guests while they run, but for `inspect`");
    if (sc->n_services > 0) return host_text(CANNOT "services: what is up is not watched here");
    if (sc->n_images > 0) return host_text(CANNOT "images.%s: guests here start at once", sc->images[0].name);
    if (h->n_vmms > 0)
        return host_text(CANNOT "hosts.%s.vmm: each guest here has a process of its own", h->group);
    if (h->failures.stated)
        return host_text(CANNOT "hosts.%s.failures: this machine is not made to fail", h->group);
    if (h->power.stated) return host_text(CANNOT "hosts.%s.power: nothing here measures it", h->group);
    if (h->price_u > 0) return host_text(CANNOT "hosts.%s.price: it has none", h->group);
    if (h->fixed_slots)
        return host_text(CANNOT "hosts.%s.cpu.defence: the dispatcher here lets nobody wait", h->group);
    if (h->rack != SC_NONE) return host_text(CANNOT "hosts.%s.rack: nothing here fails", h->group);
    if (sc->n_features > 0)
        return host_text(CANNOT "hosts.%s.features: guests here see the CPU as it is", h->group);
    if (h->limit_ppm != 1000000) return host_text(CANNOT "hosts.%s.limit: nothing is placed here", h->group);
    return NULL;
}

static char *refuse_machine(const struct scenario *sc, const struct sc_vm *v)
{
    static const char *const modes[SC_NMODES] = {
        [SC_BARE] = "bare",
        [SC_CONTAINER] = "container",
        [SC_EMULATION] = "emulation",
        [SC_TRANSLATION] = "binary-translation",
        [SC_PARAVIRTUAL] = "paravirtual",
    };
    /* With a disk, the mode says by which path: port I/O, or a ring. */
    bool path = v->n_disks > 0 && (v->mode == SC_EMULATION || v->mode == SC_PARAVIRTUAL);
    if (v->mode == SC_EMULATION && v->vcpus > ABI_PIO_VCPUS)
        return host_text(CANNOT "vms.%s.vcpus: over %u with mode: emulation", v->group, ABI_PIO_VCPUS);
    if (v->mode != SC_HARDWARE && !path)
        return host_text(CANNOT "vms.%s.mode: %s: KVM virtualizes by hardware", v->group, modes[v->mode]);
    if (v->cosched != SC_COSCHED_NONE)
        return host_text(CANNOT "vms.%s.cpu.cosched: nothing here starts vCPUs together", v->group);
    if (v->placed) return host_text(CANNOT "vms.%s.place: this machine is the only host", v->group);
    if (v->n_with > 0 || v->n_apart > 0)
        return host_text(CANNOT "vms.%s.affinity: this machine is the only host", v->group);
    if (v->migrate.stated) return host_text(CANNOT "vms.%s.migrate: this machine is the only host", v->group);
    if (v->work.shared_queue)
        return host_text(CANNOT "vms.%s.workload.queue: shared: each guest has its own", v->group);
    return refuse_volumes(sc, v);
}

static char *refuse_work(const struct sc_vm *v)
{
    const struct sc_workload *w = &v->work;
    if (v->vcpus > ABI_MAX_VCPUS) return host_text(CANNOT "vms.%s.vcpus: over %u", v->group, ABI_MAX_VCPUS);
    if (v->vcpus > 1 && w->requests)
        return host_text(CANNOT "vms.%s.vcpus: a guest with a `requests` workload has one vCPU", v->group);
    if (v->vcpus > 1 && w->threads > v->vcpus)
        return host_text(CANNOT "vms.%s.workload.threads: with several vCPUs, at most one thread a vCPU",
                         v->group);
    if ((uint64_t)v->memory_bytes > ABI_MEMORY_MAX)
        return host_text(CANNOT "vms.%s.memory: over 64GiB", v->group);
    if (w->threads > ABI_MAX_TASKS)
        return host_text(CANNOT "vms.%s.workload.threads: over %u", v->group, ABI_MAX_TASKS);
    if (w->requests && w->arrivals == SC_CLOSED && w->clients > ABI_MAX_CLIENTS)
        return host_text(CANNOT "vms.%s.workload.clients: over %u", v->group, ABI_MAX_CLIENTS);
    return NULL;
}

static char *refuse_linux(const struct sc_vm *v)
{
    if (v->reservation_ppm != 0)
        return host_text(CANNOT "vms.%s.cpu.reservation with scheduler eevdf: Linux reserves nothing",
                         v->group);
    if (v->limit_ppm == 0) return NULL;
    if (v->period_ns < KERNEL_PERIOD_MIN_NS || v->period_ns > KERNEL_PERIOD_MAX_NS)
        return host_text(CANNOT "vms.%s.cpu.period with scheduler eevdf: Linux takes 1ms to 1s", v->group);
    if ((__int128)v->limit_ppm * v->period_ns / 1000000 < KERNEL_PERIOD_MIN_NS)
        return host_text(CANNOT
                         "vms.%s.cpu.limit with scheduler eevdf: under Linux's least quota, 1ms a period",
                         v->group);
    return NULL;
}

char *refuse_scenario(const struct scenario *sc)
{
    if (sc->n_hosts != 1)
        return host_text(CANNOT "hosts: this machine is one host, the scenario has %u", sc->n_hosts);
    char *why = refuse_host(&sc->hosts[0]);
    if (!why) why = refuse_memory(sc);
    if (!why) why = refuse_devices(sc);
    if (!why) why = refuse_cloud(sc);
    bool eevdf = strcmp(sc->hosts[0].scheduler, "eevdf") == 0;
    for (uint32_t i = 0; i < sc->n_vms && !why; i++) {
        why = refuse_machine(sc, &sc->vms[i]);
        if (!why) why = refuse_steps(&sc->vms[i]);
        if (!why) why = refuse_work(&sc->vms[i]);
        if (!why && eevdf) why = refuse_linux(&sc->vms[i]);
    }
    return why;
}
