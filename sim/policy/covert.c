// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/covert.h"

enum { FIRST = 32, OWN = 64, OTHER = 256 };

void covert_begin(struct covert *c)
{
    *c = (struct covert){0};
}

static int64_t middle(int64_t a, int64_t b)
{
    return a + (b - a) / 2;
}

int64_t covert_border(const struct covert *c)
{
    if (c->heard < FIRST) return middle(c->least_ns, c->most_ns);
    return middle(c->mean_ns[1], c->mean_ns[0]);
}

static void extremes(struct covert *c, int64_t got_ns)
{
    if (c->heard == 0 || got_ns < c->least_ns) c->least_ns = got_ns;
    if (c->heard == 0 || got_ns > c->most_ns) c->most_ns = got_ns;
    c->heard++;
    c->mean_ns[0] = c->most_ns;
    c->mean_ns[1] = c->least_ns;
}

bool covert_hear(struct covert *c, int64_t got_ns)
{
    if (c->heard < FIRST) {
        extremes(c, got_ns);
        return got_ns < middle(c->least_ns, c->most_ns);
    }
    bool bit = got_ns < covert_border(c);
    /* The mean begins as one slot, the extreme one. */
    if (c->members[bit] < OWN - 1) c->members[bit]++;
    c->mean_ns[bit] += (got_ns - c->mean_ns[bit]) / (c->members[bit] + 1);
    c->mean_ns[!bit] += (got_ns - c->mean_ns[!bit]) / OTHER;
    return bit;
}
