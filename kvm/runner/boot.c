// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/rng.h"
#include "kvm/abi_dev.h"
#include "program/prog_disk.h"

/* Appends to the region; returns where, 8-aligned. */
static uint32_t append(char **region, uint64_t *bytes, const void *data, uint64_t n)
{
    uint64_t at = (*bytes + 7) / 8 * 8;
    char *r = realloc(*region, at + n);
    ASSERT(r);
    memset(r + *bytes, 0, at - *bytes);
    if (n > 0) memcpy(r + at, data, n);
    *region = r;
    *bytes = at + n;
    return (uint32_t)at;
}

static int to_file(const char *region, uint64_t bytes, char **why)
{
    int fd = memfd_create("vlab-boot", MFD_CLOEXEC);
    for (uint64_t done = 0; fd >= 0 && done < bytes;) {
        ssize_t n = write(fd, region + done, bytes - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            close(fd);
            fd = -1;
            break;
        }
        done += (uint64_t)n;
    }
    if (fd < 0) *why = host_text("cannot write a boot region: %s", strerror(errno));
    return fd;
}

static struct abi_boot head(const struct host *h)
{
    return (struct abi_boot){.magic = ABI_MAGIC,
                             .version = ABI_VERSION,
                             .n_vcpus = 1,
                             .log_step = (uint32_t)ABI_LOG_STEP,
                             .until = UINT64_MAX,
                             .ns_per_tsc_q32 = h->ns_per_tsc_q32};
}

static void put_memory(struct abi_boot *b, const struct boot_memory *memory)
{
    b->memory_bytes = memory->bytes;
    b->mapped_bytes = memory->mapped;
    b->page_bytes = (uint32_t)memory->page;
}

static void put_arrivals(struct abi_boot *b, char **region, uint64_t *bytes, const struct sc_workload *w)
{
    b->arrivals = w->arrivals == SC_CLOSED ? ABI_CLOSED : w->arrivals == SC_TRACE ? ABI_TRACE : ABI_STRETCHES;
    b->clients = w->arrivals == SC_CLOSED ? w->clients : 0;
    b->n_stretches = b->arrivals == ABI_STRETCHES ? w->n_stretches : 0;
    for (uint32_t i = 0; i < b->n_stretches; i++) {
        const struct sc_stretch *s = &w->stretches[i];
        struct abi_stretch a = {.periodic = s->kind == SC_PERIODIC, .gap_ns = s->gap_ns, .for_ns = s->for_ns};
        uint32_t at = append(region, bytes, &a, sizeof a);
        if (i == 0) b->stretch_at = at;
    }
    b->n_trace = b->arrivals == ABI_TRACE ? w->n_trace : 0;
    b->trace_at = append(region, bytes, w->trace_ns, b->n_trace * sizeof(int64_t));
    bool pooled = w->think.kind == DIST_EMPIRICAL || w->think.kind == DIST_SEQUENCE;
    b->think = w->think;
    b->n_think = b->arrivals == ABI_CLOSED && pooled ? w->think.at + w->think.n : 0;
    b->think_at = append(region, bytes, w->think_pool, b->n_think * sizeof(int64_t));
}

static void put_disks(struct abi_boot *b, const struct sc_vm *vm)
{
    b->n_devs = vm->n_disks;
    for (uint32_t i = 0; i < vm->n_disks; i++) {
        const struct sc_vdisk *d = &vm->disks[i];
        b->dev[i] =
            (struct abi_boot_dev){.kind = ABI_DEV_DISK,
                                  .flags = vm->mode == SC_EMULATION ? ABI_DEV_PIO : 0u,
                                  .window_bytes = ABI_DMA_STEP,
                                  .bytes = (uint64_t)(d->size_bytes ? d->size_bytes : PROG_DISK_VAGUE),
                                  .key = b->key_steps ^ PROG_DISK_KEY,
                                  .begin = d->used_bytes};
    }
}

static void put_nic(struct abi_boot *b, char **region, uint64_t *bytes, const struct boot_net *net)
{
    if (net->n_ends == 0) return;
    b->dev[b->n_devs++] = (struct abi_boot_dev){
        .kind = ABI_DEV_NIC, .window_bytes = net->window_bytes, .bytes = net->frame_max};
    b->n_ends = net->n_ends;
    b->end_self = net->self;
    b->end_at = append(region, bytes, net->ends, net->n_ends * sizeof *net->ends);
}

struct boot_memory boot_memory(const struct sc_vm *vm, const struct sc_host *host)
{
    struct boot_memory m = {.page = host->memory.page_bytes ? (uint64_t)host->memory.page_bytes : ABI_PAGE};
    const struct step *s = prog_steps(vm->work.prog);
    uint64_t pages = 0;
    for (uint32_t i = 0; i < vm->work.prog->n_steps; i++) {
        uint64_t n = s[i].kind == STEP_TOUCH ? (uint64_t)s[i].span : s[i].kind == STEP_ACCESS;
        if (n > pages) pages = n;
        if (s[i].kind == STEP_SECRET)
            m.secret = vm->memory_bytes ? (uint64_t)vm->memory_bytes : ABI_SECRET_MAX;
    }
    if (pages == 0) return (struct boot_memory){.secret = m.secret};
    m.mapped = pages * m.page;
    m.bytes = (uint64_t)vm->memory_bytes / m.page * m.page;
    if (m.bytes < m.mapped) m.bytes = m.mapped;
    return m;
}

int boot_make(const struct host *h, const struct sc_vm *vm, const struct boot_memory *memory,
              const struct boot_net *net, const struct sc_run *run, uint64_t seed, double iters_per_ns,
              char **why)
{
    const struct sc_workload *w = &vm->work;
    struct abi_boot b = head(h);
    uint64_t name = rng_hash_name(vm->draws, strlen(vm->draws)), bytes = sizeof b;
    b.mode = ABI_RUN;
    b.n_vcpus = vm->vcpus;
    b.iters_per_ns_q32 = (uint64_t)(iters_per_ns * 4294967296.0);
    b.start_ns = vm->start_ns;
    b.end_ns = run->duration_ns;
    b.key_steps = rng_key(seed, name, RNG_STEPS);
    b.key_arrival = rng_key(seed, name, RNG_ARRIVAL);
    b.key_think = rng_key(seed, name, RNG_THINK);
    b.requests = w->requests;
    b.threads = w->unlimited ? 0 : w->threads;
    b.queue_max = w->queue_max;
    b.until = w->until;
    b.quantum_ns = vm->guest_quantum_ns;
    put_memory(&b, memory);
    put_disks(&b, vm);
    b.secret_bytes = memory->secret;
    b.secret_guessed = vm->memory_bytes == 0;
    b.key_secret = rng_key(seed, name, RNG_SECRET);
    char *region = calloc(1, sizeof b);
    ASSERT(region);
    b.prog_bytes = w->prog->bytes;
    b.prog_at = append(&region, &bytes, w->prog, w->prog->bytes);
    if (w->requests) put_arrivals(&b, &region, &bytes, w);
    put_nic(&b, &region, &bytes, net);
    b.bytes = (uint32_t)bytes;
    memcpy(region, &b, sizeof b);
    int fd = -1;
    if (bytes <= ABI_BOOT_MAX)
        fd = to_file(region, bytes, why);
    else
        *why =
            host_text("vm.%s: its program and traces take %ju bytes, over %u", vm->name, bytes, ABI_BOOT_MAX);
    free(region);
    return fd;
}

struct boot_memory boot_walk_memory(uint64_t walk_bytes)
{
    const uint64_t page = UINT64_C(2) << 20;
    uint64_t bytes = (walk_bytes + page - 1) / page * page;
    return (struct boot_memory){.bytes = bytes, .mapped = bytes, .page = page};
}

int boot_make_measure(const struct host *h, const struct boot_measure *what, char **why)
{
    struct abi_boot b = head(h);
    b.mode = (uint32_t)what->mode;
    b.count = what->count;
    b.op = what->op;
    b.target_ns = what->target_ns;
    b.walk_bytes = what->walk_bytes;
    put_memory(&b, &what->memory);
    b.end_ns = INT64_MAX;
    b.bytes = sizeof b;
    return to_file((const char *)&b, sizeof b, why);
}
