// SPDX-License-Identifier: GPL-3.0-or-later
/* What a disk request costs in a guest: by a ring against the bare machine, and by port I/O against a ring.
 */
#include <math.h>
#include <poll.h>

#include "disk_lab.h"
#include "kvm/store/engine.h"

Suite *disk_cost_suite(void);

#define FILE_BYTES (64 << 20)

/* Reads of 4 KiB from anywhere in a file like a VM's, `depth` at a time, for a while: ns each. */
static double native_ns(uint32_t depth, int64_t for_ns)
{
    const char *dir = getenv("TMPDIR");
    struct engine *e = engine_uring.make(NULL);
    struct rng r = rng_at(1, 2, 3);
    int fd = open(dir && dir[0] == '/' ? dir : "/tmp", O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    char *buf = aligned_alloc(4096, 1 << 20);
    ck_assert(e && fd >= 0 && buf);
    memset(buf, 0, 1 << 20);
    for (int i = 0; i < FILE_BYTES >> 20; i++)
        ck_assert_int_eq(write(fd, buf, 1 << 20), 1 << 20);
    struct engine_ask a = {.op = ENGINE_READ, .fd = fd, .len = 4096};
    int64_t began = host_now(), n = 0;
    while (host_now() - began < for_ns) {
        for (uint32_t i = 0; i < depth; i++) {
            a.buf = buf + 4096 * i;
            a.at = (uint64_t)(rng_u32(&r) % (FILE_BYTES / 4096)) * 4096;
            engine_uring.start(e, &a);
        }
        engine_uring.flush(e);
        for (uint32_t i = 0; i < depth; n++) {
            void *who;
            int64_t result;
            uint64_t count;
            if (engine_uring.take(e, &who, &result)) {
                ck_assert_int_eq(result, 4096);
                i++;
                continue;
            }
            struct pollfd p = {.fd = engine_uring.fd(e), .events = POLLIN};
            poll(&p, 1, -1);
            ck_assert_int_eq(read(p.fd, &count, sizeof count), sizeof count);
            n--;
        }
    }
    double ns = (double)(host_now() - began) / (double)n;
    close(fd);
    free(buf);
    return ns;
}

/* The same in a VM with so many tasks: ns a read, and reads a doorbell. */
static double guest_ns(const char *mode, int threads, double *a_bell)
{
    char vms[512];
    snprintf(
        vms, sizeof vms,
        "  - {name: a, host: h1, mode: %s, disk: {on: d0, size: 64MiB, used: 64MiB}, workload: {kind: loop, "
        "threads: %d, steps: [{cpu: 1us}, {disk: {read: 4KiB}}]}}\n",
        mode, threads);
    struct disk_lab *l = disk_lab_new("400ms", "eevdf", "", vms);
    disk_lab_kvm_well(l);
    ck_assert_uint_eq(l->rep.io_failed[0], 0);
    ck_assert_uint_gt(l->vm[0].ops, 0);
    double ns = 4e8 / (double)l->vm[0].ops;
    if (a_bell) *a_bell = (double)l->vm[0].ops / (double)l->vm[0].exits[OP_DOORBELL];
    disk_lab_free(l);
    return ns;
}

#define PAIRS 11 /* a median of so many, and its spread */
#define FEW   3

/* By turns; the median of the pairs' ratios, within 1.5 or twice its spread here and now. */
START_TEST(a_ring_with_many_requests_a_doorbell_is_near_native)
{
    double native[PAIRS], guest[PAIRS], bells[PAIRS], ratio[PAIRS], off[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        native[i] = native_ns(16, 100000000);
        guest[i] = guest_ns("hardware", 16, &bells[i]);
        ratio[i] = guest[i] / native[i];
    }
    double middle = lab_median(ratio, PAIRS);
    for (int i = 0; i < PAIRS; i++)
        off[i] = fabs(ratio[i] - middle);
    double spread = 1.2533 * 1.4826 * lab_median(off, PAIRS) / sqrt(PAIRS), bound = fmax(1.5, 1 + 2 * spread);
    double one = native_ns(1, 200000000), guest_one = guest_ns("hardware", 1, NULL);
    printf(
        "4 KiB reads, 16 at a time: native %.1f us each, ring %.1f us, %.2f times that (spread %.2f), with "
        "%.1f requests a doorbell (bound %.2f); one at a time: native %.1f us, ring %.1f us\n",
        lab_median(native, PAIRS) / 1e3, lab_median(guest, PAIRS) / 1e3, middle, spread,
        lab_median(bells, PAIRS), bound, one / 1e3, guest_one / 1e3);
    fflush(stdout);
    ck_assert_double_le(middle, bound);
}
END_TEST

/* A word a time, an exit each, against one doorbell. */
START_TEST(port_io_costs_an_exit_a_word)
{
    double ratio[FEW], exit_ns = 0;
    for (int i = 0; i < FEW; i++) {
        double ring = guest_ns("hardware", 1, NULL), words = guest_ns("emulation", 1, NULL);
        ratio[i] = words / ring;
        exit_ns = words / (4096 / 2 + 7);
    }
    printf("4 KiB reads one at a time: port I/O takes %.0f times what the ring does, %.1f us a word\n",
           lab_median(ratio, FEW), exit_ns / 1e3);
    ck_assert_double_ge(lab_median(ratio, FEW), 20);
}
END_TEST

Suite *disk_cost_suite(void)
{
    Suite *s = suite_create("disk_cost");
    if (!lab_usable("disk_cost")) return s;
    TCase *t = tcase_create("disk_cost");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_ring_with_many_requests_a_doorbell_is_near_native);
    tcase_add_test(t, port_io_costs_an_exit_a_word);
    suite_add_tcase(s, t);
    return s;
}
