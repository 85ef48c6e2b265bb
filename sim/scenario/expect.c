// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/file.h"

void expect_read(struct reader *r, const struct scenario_file *f, size_t point, struct node *list, struct scenario *sc)
{
    (void)r, (void)f, (void)point, (void)list;
    sc->n_expects = 0;
}
