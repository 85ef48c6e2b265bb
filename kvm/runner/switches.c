// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/switches.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

#define PAGE       4096u
#define PAGES_MANY 256u /* 32768 records: a guest that waits for a disk makes 20000 and more a second */
#define PAGES_FEW  16u  /* 2048, where this user may lock no more */

int switches_open(struct switches *s, int tid)
{
    struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE,
                                .size = sizeof a,
                                .config = PERF_COUNT_SW_DUMMY,
                                .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
                                .context_switch = 1,
                                .sample_id_all = 1,
                                .use_clockid = 1,
                                .clockid = CLOCK_MONOTONIC,
                                .exclude_kernel = 1,
                                .exclude_hv = 1};
    *s = (struct switches){.fd = -1};
    s->fd = (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (s->fd < 0) return -errno;
    for (s->pages = PAGES_MANY;; s->pages = PAGES_FEW) {
        s->map = mmap(NULL, (1 + s->pages) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
        if (s->map != MAP_FAILED) return 0;
        if (s->pages == PAGES_FEW) break;
    }
    int r = -errno;
    s->map = NULL;
    switches_done(s);
    return r;
}

static void add(struct switches *s, struct switch_rec x)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 1024;
        s->v = realloc(s->v, s->cap * sizeof *s->v);
        ASSERT(s->v);
    }
    s->v[s->n++] = x;
}

/* Copies n bytes from place `at` of the ring. */
static void ring_read(const struct switches *s, uint64_t at, void *to, size_t n)
{
    const char *data = (const char *)s->map + PAGE;
    const uint64_t size = (uint64_t)s->pages * PAGE;
    for (size_t i = 0; i < n; i++)
        ((char *)to)[i] = data[(at + i) % size];
}

void switches_drain(struct switches *s)
{
    if (!s->map) return;
    struct perf_event_mmap_page *p = s->map;
    uint64_t head = __atomic_load_n(&p->data_head, __ATOMIC_ACQUIRE), tail = p->data_tail;
    while (tail < head) {
        struct {
            struct perf_event_header h;
            uint32_t pid, tid;
            uint64_t time;
            uint32_t cpu, pad;
        } e;
        ring_read(s, tail, &e.h, sizeof e.h);
        if (e.h.type == PERF_RECORD_SWITCH && e.h.size >= sizeof e) {
            ring_read(s, tail, &e, sizeof e);
            add(s, (struct switch_rec){.abs_ns = (int64_t)e.time,
                                       .cpu = (int32_t)e.cpu,
                                       .in = !(e.h.misc & PERF_RECORD_MISC_SWITCH_OUT),
                                       .preempted = (e.h.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0});
        }
        if (e.h.type == PERF_RECORD_LOST || e.h.size == 0) s->lost = true;
        if (e.h.size == 0) break;
        tail += e.h.size;
    }
    __atomic_store_n(&p->data_tail, tail, __ATOMIC_RELEASE);
}

void switches_done(struct switches *s)
{
    if (s->map) munmap(s->map, (1 + s->pages) * PAGE);
    if (s->fd >= 0) close(s->fd);
    free(s->v);
    *s = (struct switches){.fd = -1};
}
