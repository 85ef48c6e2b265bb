// SPDX-License-Identifier: GPL-3.0-or-later
/* What an expectation asks about, for whoever has to see to it that there is an answer. */
#include <string.h>

#include "scenario/expect.h"

static bool mentions(const struct expect_node *n, const char *metric)
{
    if (!n) return false;
    if (n->kind == EXPECT_TERM && strcmp(n->metric, metric) == 0) return true;
    for (uint32_t i = 0; i < n->n_args; i++)
        if (mentions(n->args[i], metric)) return true;
    return mentions(n->a, metric) || mentions(n->b, metric);
}

bool expect_mentions(const struct expect *e, const char *metric)
{
    return mentions(e->lhs, metric) || mentions(e->rhs, metric);
}
