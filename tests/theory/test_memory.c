// SPDX-License-Identifier: GPL-3.0-or-later
/* Misses of memory against what is known in closed form; the device is the test's own (memlab.h). */
#include <math.h>

#include "tests/memlab.h"

Suite *memory_suite(void);

/* One VM of one task with `frames` frames, its working set `pages`; no reference takes time, a hard fault
 * takes 1 us, so a run is so many faults. */
static struct lab *one(const char *replacement, int frames, int pages, const char *pattern, int write)
{
    return lab_open("vlab: 1\nname: t\nrun: {duration: 100s}\n"
                    "hosts: [{name: h, cpu: {cores: 1}, disks: [{name: d}], memory: {size: %dKiB, page: 4KiB,"
                    " reclaim: [swap], swap: d, replacement: %s}}]\n"
                    "vms: [{name: a, host: h, memory: 1GiB, workload: {kind: loop, steps: ["
                    "{touch: {pages: 1000, of: %dKiB, pattern: %s, write: %d%%}}, {cpu: 300us}]}}]\n",
                    4 * frames, replacement, 4 * pages, pattern, write);
}

struct misses {
    double miss; /* hard faults of a reference, after the warm-up */
    int64_t refs;
};

static struct misses miss_of(struct lab *lab, uint64_t seed, int64_t warm_us, int64_t us)
{
    struct memlab *l = memlab_new(lab, seed, 1000);
    memlab_to(l, warm_us * 1000);
    int64_t refs = memlab_count(l, 0, REC_N_MEM_REFS), faults = memlab_count(l, 0, REC_N_MEM_FAULTS);
    memlab_to(l, (warm_us + us) * 1000);
    refs = memlab_count(l, 0, REC_N_MEM_REFS) - refs;
    faults = memlab_count(l, 0, REC_N_MEM_FAULTS) - faults;
    memlab_free(l);
    ck_assert_int_gt(refs, 0);
    return (struct misses){(double)faults / (double)refs, refs};
}

/* Uniform references: 1 - R/W of them miss, whatever the policy. */
START_TEST(uniform_misses)
{
    static const int pages[] = {900, 1000, 1050, 1250, 1500, 2000};
    static const double want[] = {0, 0, .048, .20, .33, .50};
    static const char *const policies[] = {"lru", "fifo", "second-chance", "clock", "random"};
    for (int i = 0; i < 6; i++) {
        struct lab *lab = one(policies[_i], 1000, pages[i], "uniform", 30);
        ck_near(miss_of(lab, 3, 30000, 90000).miss, want[i], .01);
        lab_close(lab);
    }
}
END_TEST

START_TEST(cyclic_lru_jumps)
{
    struct lab *lab = one("lru", 1000, 1000, "cyclic", 0);
    ck_near(miss_of(lab, 1, 5000, 10000).miss, 0, 0);
    lab_close(lab);
    lab = one("lru", 1000, 1001, "cyclic", 0);
    ck_near(miss_of(lab, 1, 5000, 10000).miss, 1, 1e-3);
    lab_close(lab);
}
END_TEST

/* A hit ratio of independent references is a mean of correlated ones: its spread is that of batches. */
static void hits(const char *policy, int frames, int pages, const char *pattern, double want, int64_t warm_us,
                 int64_t us)
{
    double sum = 0, sum2 = 0;
    enum { N = 10 };
    struct lab *lab = one(policy, frames, pages, pattern, 0);
    for (uint64_t seed = 1; seed <= N; seed++) {
        double h = 1 - miss_of(lab, seed, warm_us, us).miss;
        sum += h;
        sum2 += h * h;
    }
    lab_close(lab);
    double mean = sum / N, se = sqrt((sum2 / N - mean * mean) / (N - 1));
    ck_assert_double_lt(se, .002);
    ck_near(mean, want, 4 * se);
}

/* King 1971, five pages zipf 1: exact. */
START_TEST(lru_by_king)
{
    static const double want[] = {.280729, .518885, .715588, .874441};
    hits("lru", _i + 1, 5, "{zipf: 1}", want[_i], 5000, 30000);
}
END_TEST

START_TEST(fifo_of_two)
{
    hits("fifo", 2, 5, "{zipf: 1}", .503650, 5000, 30000);
}
END_TEST

/* Che's approximation is good to a few 1e-4 here. */
START_TEST(lru_by_che)
{
    hits("lru", 1000, 10000, "{zipf: .8}", .43666, 400000, 40000);
}
END_TEST

/* C19. Uniform references over more pages than the TLB reaches miss it by 1 - reach / W; a walk is 4
 * references, with nested paging 24 (pages of 2 MiB: 3 and 15), and the time beyond the native walk is
 * overhead. */
static void walks(const char *mode, const char *page, int64_t page_kib, int pages, double miss, int refs)
{
    struct lab *lab = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 100s}\n"
        "hosts: [{name: h, hypervisor: {nested_paging: true}, cpu: {cores: 1}, tlb: {entries: 1536, walk: "
        "30ns},"
        " memory: {size: 64GiB, page: %s, ref_cost: 10ns}}]\n"
        "vms: [{name: a, host: h, mode: %s, guest: modified, memory: 16GiB, workload: {kind: loop, steps: ["
        "{touch: {pages: 1000000, of: %lldKiB}}]}}]\n",
        page, mode, (long long)(pages * page_kib));
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 5000000);
    int64_t n = memlab_count(l, 0, REC_N_MEM_REFS), m = memlab_count(l, 0, REC_N_MEM_TLBMISSES);
    memlab_to(l, 25000000);
    n = memlab_count(l, 0, REC_N_MEM_REFS) - n;
    m = memlab_count(l, 0, REC_N_MEM_TLBMISSES) - m;
    ck_near((double)m / (double)n, miss, .01);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_WALKREFS), refs * memlab_count(l, 0, REC_N_MEM_TLBMISSES));
    double each = 10 + miss * (refs < 5 ? 30. / 4 * refs
                                        : 30. / 4 * (refs == 24 ? 4 : 3) *
                                              lab_scenario(lab)->hosts[0].memory.tlb_nested_milli / 1000);
    ck_near(20000000. / (double)n, each, each * .02);
    memlab_free(l);
    lab_close(lab);
}

START_TEST(walks_of_four_and_twenty_four)
{
    walks("bare", "4KiB", 4, 1536, 0, 4);
    walks("bare", "4KiB", 4, 3072, .5, 4);
    walks("hardware", "4KiB", 4, 3072, .5, 24);
    walks("paravirtual", "4KiB", 4, 6144, .75, 4);
    walks("bare", "2MiB", 2048, 3072, .5, 3);
    walks("hardware", "2MiB", 2048, 3072, .5, 15);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("misses");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, uniform_misses, 0, 5);
    tcase_add_test(t, cyclic_lru_jumps);
    tcase_add_loop_test(t, lru_by_king, 0, 4);
    tcase_add_test(t, fifo_of_two);
    tcase_add_test(t, lru_by_che);
    tcase_add_test(t, walks_of_four_and_twenty_four);
    suite_add_tcase(s, t);
    return s;
}
