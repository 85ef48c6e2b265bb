// SPDX-License-Identifier: GPL-3.0-or-later
#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "model/tlb.h"

Suite *tlb_suite(void);

/* The definition: sets of four ways, the first `entries mod sets` of one more (below eight entries one set of
 * all), each in the order of its last use. */
static bool naive_miss(uint32_t *used, uint32_t entries, uint32_t page, uint32_t now, uint32_t *pages)
{
    uint32_t sets = entries < 8 ? 1 : entries / 4, set = page % sets, begin = 0;
    uint32_t ways = entries / sets + (set < entries % sets), oldest;
    for (uint32_t s = 0; s < set; s++)
        begin += entries / sets + (s < entries % sets);
    oldest = begin;
    for (uint32_t i = begin; i < begin + ways; i++) {
        if (used[i] && pages[i] == page) {
            used[i] = now;
            return false;
        }
        if (used[i] < used[oldest]) oldest = i;
    }
    used[oldest] = now;
    pages[oldest] = page;
    return true;
}

START_TEST(as_defined)
{
    static const uint32_t sizes[] = {1, 2, 3, 4, 7, 8, 9, 11, 12, 15, 64, 65, 66, 67, 100, 1023, 1536};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint32_t n = sizes[k];
        struct tlb *t = tlb_new(n);
        uint32_t *used = calloc(n, sizeof *used), *pages = calloc(n, sizeof *pages);
        struct rng rng = rng_at(1, 2, n);
        for (uint32_t i = 1; i <= 20000; i++) {
            uint32_t page = rng_u32(&rng) % (n + n / 2 + 1);
            if (i % 16 == 0) page = rng_u32(&rng) >> 1; /* anywhere below 2^31 */
            ck_assert_msg(tlb_miss(t, page) == naive_miss(used, n, page, i, pages),
                          "%u entries, reference %u", n, i);
        }
        free(used);
        free(pages);
        free(t);
    }
}
END_TEST

Suite *tlb_suite(void)
{
    Suite *s = suite_create("tlb");
    TCase *t = tcase_create("tlb");
    tcase_add_test(t, as_defined);
    suite_add_tcase(s, t);
    return s;
}
