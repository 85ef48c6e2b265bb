// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/memstate.h"

struct memstate_marks memstate_marks(int64_t target_pages)
{
    static const int percent[MEMSTATE_N] = {6, 4, 2, 1};
    struct memstate_marks m;
    for (int i = 0; i < MEMSTATE_N; i++)
        m.pages[i] = (int64_t)(((__int128)target_pages * percent[i] + 99) / 100);
    return m;
}

enum memstate memstate_next(const struct memstate_marks *m, enum memstate was, int64_t free_pages)
{
    int st = (int)was;
    while (st > MEMSTATE_HIGH && free_pages >= m->pages[st - 1])
        st--;
    for (int lower = st + 1; lower < MEMSTATE_N; lower++)
        if (free_pages < m->pages[lower]) st = lower;
    return (enum memstate)st;
}
