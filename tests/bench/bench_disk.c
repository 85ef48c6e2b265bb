// SPDX-License-Identifier: GPL-3.0-or-later
/* A disk request through the whole path, from the task that asks for it to the task that goes on: 1000 VMs on
 * one device, each always with one request out. The bare loop does what no fair queue can do without: of 1000
 * virtual times it takes the least and puts a later one back, 27 ns on the reference machine. A request may
 * take 500 ns there, so 18 times as much. */
#include "bare_heap.h"
#include "bench.h"
#include "path.h"

#define BOUND (500. / 27)

#define REQUEST_NS 10000 /* at 100,000 a second */

static void *disk_new(const char *disk, const char *vdisk, const char *steps)
{
    char yaml[1024];
    int len = snprintf(yaml, sizeof yaml,
                       "vlab: 1\nname: bench\nrun: {duration: 365d}\n"
                       "hosts: [{name: h, cpu: {cores: 1000}, disks: [{name: d, %s}]}]\n"
                       "vms: [{name: v, count: 1000, host: h, disk: {on: d, size: %s},\n"
                       "       workload: {kind: loop, steps: [%s]}}]\n",
                       disk, vdisk, steps);
    ASSERT(len > 0 && (size_t)len < sizeof yaml);
    return path_new(yaml, REQUEST_NS);
}

static void *fair_new(uint64_t size)
{
    (void)size;
    return disk_new("iops: 100000/s, queue: fair", "10GiB", "{disk: {read: 4KiB}}");
}

static void *fifo_new(uint64_t size)
{
    (void)size;
    return disk_new("iops: 100000/s, queue: fifo", "10GiB", "{disk: {read: 4KiB}}");
}

static void *mclock_new(uint64_t size)
{
    (void)size;
    return disk_new("iops: 100000/s, queue: mclock", "10GiB, reservation: 50/s, limit: 1000/s",
                    "{disk: {read: 4KiB}}");
}

/* Thin volumes on a pool, all written: each request looks up its grain. */
static void *thin_new(uint64_t size)
{
    (void)size;
    return disk_new("iops: 100000/s, queue: fair, pool: 1TiB, grain: 1MiB",
                    "10GiB, used: 1GiB, provision: thin", "{disk: {write: 4KiB, pattern: sequential}}");
}

/* What the guest's own cache holds: ten reads after each piece of CPU time, whose events are in the figure.
 */
static void *hit_new(uint64_t size)
{
    (void)size;
#define READ ", {disk: {read: 4KiB}}"
    return disk_new("iops: 100000/s", "64KiB, cache: 64KiB",
                    "{cpu: 100ms}" READ READ READ READ READ READ READ READ READ READ);
}

static void *bare_new(uint64_t size)
{
    struct bare_heap *q = malloc(sizeof *q);
    if (!q) abort();
    bare_heap_init(q, size + 1);
    for (uint64_t i = 0; i < size; i++)
        bare_heap_push(q, (struct bare_item){.at = i, .payload = i});
    return q;
}

static void bare_free(void *st)
{
    free(((struct bare_heap *)st)->block);
    free(st);
}

BENCH_NOINLINE static void bare_run(void *st, uint64_t n)
{
    struct bare_heap *q = st;
    uint64_t random = 1;
    while (n-- > 0) {
        struct bare_item x = bare_heap_pop(q);
        x.at += 1000 + bench_random(&random) % 16;
        bare_heap_push(q, x);
    }
}

#define FIGURE(what)                                                                                         \
    {                                                                                                        \
        .name = "disk-" #what, .own_new = what##_new, .own_run = path_run, .own_free = path_free,            \
        .bare_new = bare_new, .bare_run = bare_run, .bare_free = bare_free, .size = 1000, .n = 200000,       \
        .bound = BOUND, .stated_ns = 27                                                                      \
    }

static const struct bench_figure figures[] = {
    FIGURE(fair), FIGURE(fifo), FIGURE(mclock), FIGURE(thin), FIGURE(hit),
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, figures, sizeof figures / sizeof *figures);
}
