// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/measure.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "kvm/runner/boot.h"
#include "kvm/runner/cgroup.h"
#include "kvm/runner/vmproc.h"

#define LIMIT_NS 20000000000 /* no measurement takes so long, but on a machine that stands still */

void measure_add(struct measure *m, double v)
{
    if (m->n < MEASURE_MAX) m->v[m->n++] = v;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void measure_sort(struct measure *m)
{
    qsort(m->v, m->n, sizeof m->v[0], by_value);
}

double measure_at(const struct measure *m, double share)
{
    return m->n == 0 ? (double)NAN : m->v[(uint32_t)(share * (m->n - 1) + 0.5)];
}

void measure_shelter(struct cgroups *groups, uint32_t i, int pid)
{
    char *ignored = NULL; /* without groups the figures are only noisier */
    if ((groups->version != 0 || cgroup_find(groups, &ignored)) &&
        cgroup_make(groups, i, CGROUP_MAX_WEIGHT, 0, 0, &ignored) == 0)
        cgroup_add(groups, i, pid, &ignored);
    free(ignored);
}

/* A guest that measures, in a group that keeps the host's other work away where that may be. */
static int start(const struct host *h, struct vmproc *p, struct cgroups *groups,
                 const struct boot_measure *what, char **why)
{
    int fd = boot_make_measure(h, what, why);
    if (fd < 0) return -1;
    struct vmproc_cfg cfg = {.name = "measure",
                             .n_vcpus = 1,
                             .memory = what->memory,
                             .boot_fd = fd,
                             .cpu = h->cpus[0],
                             .payload_fd = -1};
    int r = vmproc_start(p, h, &cfg, why);
    close(fd);
    if (r == 0 && (r = vmproc_wait_ready(p, cfg.name, why)) == 0) {
        host_pin((int)p->ctl->v[0].tid, h->cpus[0]);
        measure_shelter(groups, 0, p->pid);
    }
    if (r != 0) vmproc_stop(p);
    return r;
}

/* Runs a measuring guest to its end; t and n of each repeat. */
static int collect(const struct host *h, const struct boot_measure *what, double *ns, double *n, char **why)
{
    const uint32_t count = what->count;
    struct vmproc p;
    struct cgroups groups = {0};
    ASSERT(count <= MEASURE_MAX);
    if (start(h, &p, &groups, what, why) != 0) return -1;
    uint64_t tsc;
    int64_t now, until = host_now() + LIMIT_NS;
    host_clock_pair(&tsc, &now);
    vmproc_go(&p, now, tsc);
    while (!vmproc_all_ended(&p) && !vmproc_gone(&p) && host_now() < until)
        host_sleep_until(host_now() + 500000);
    const struct abi_log *l = vmproc_log(&p, 0);
    uint64_t got = __atomic_load_n(&l->head, __ATOMIC_ACQUIRE);
    int r = vmproc_all_ended(&p) && p.ctl->v[0].end.cause == CTL_EXIT && got == count ? 0 : -1;
    if (r != 0) *why = host_text("measuring failed: the guest did not come to its end");
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        ns[i] = (double)l->ring[i].t_ns;
        n[i] = (double)l->ring[i].value;
    }
    vmproc_stop(&p);
    cgroup_remove(&groups, 1);
    return r;
}

int measure_loop(const struct host *h, uint32_t count, int64_t target_ns, struct measure *out, char **why)
{
    double ns[MEASURE_MAX], n[MEASURE_MAX];
    const struct boot_measure what = {.mode = ABI_MEASURE, .count = count, .target_ns = target_ns};
    if (collect(h, &what, ns, n, why) != 0) return -1;
    for (uint32_t i = 0; i < count; i++)
        measure_add(out, n[i] / ns[i]);
    measure_sort(out);
    return 0;
}

/* ns each. */
static int measure_each(const struct host *h, const struct boot_measure *what, struct measure *out,
                        char **why)
{
    double ns[MEASURE_MAX], n[MEASURE_MAX];
    if (collect(h, what, ns, n, why) != 0) return -1;
    for (uint32_t i = 0; i < what->count; i++)
        measure_add(out, ns[i] / n[i]);
    measure_sort(out);
    return 0;
}

int measure_op(const struct host *h, uint32_t op, uint32_t count, struct measure *out, char **why)
{
    const struct boot_measure what = {.mode = ABI_MEASURE_OP, .count = count, .op = op};
    return measure_each(h, &what, out, why);
}

int measure_memory(const struct host *h, uint32_t count, uint64_t bytes, struct measure *fresh,
                   struct measure *refs, char **why)
{
    struct boot_measure what = {.mode = ABI_MEASURE_FRESH,
                                .count = count,
                                .memory = {.bytes = bytes, .mapped = bytes, .page = ABI_PAGE}};
    if (measure_each(h, &what, fresh, why) != 0) return -1;
    what.mode = ABI_MEASURE_REFS;
    return measure_each(h, &what, refs, why);
}

int measure_walk(const struct host *h, uint64_t bytes, uint32_t count, int64_t target_ns, struct measure *out,
                 char **why)
{
    const struct boot_measure what = {.mode = ABI_MEASURE_WALK,
                                      .count = count,
                                      .target_ns = target_ns,
                                      .walk_bytes = bytes,
                                      .memory = boot_walk_memory(bytes)};
    return measure_each(h, &what, out, why);
}
