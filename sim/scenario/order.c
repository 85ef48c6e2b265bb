// SPDX-License-Identifier: GPL-3.0-or-later
/* Entities stand in order of their names, whatever the order of the file: ties at equal times are broken by
 * index, so reordering a file must not change an index. The members of a group stand side by side, by number.
 */
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"

static int by_name(const char *group_a, const char *a, const char *group_b, const char *b)
{
    int c = strcmp(group_a, group_b);
    if (c) return c;
    size_t la = strlen(a), lb = strlen(b); /* NAME-9 before NAME-10 */
    return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

static int host_order(const void *a, const void *b)
{
    const struct sc_host *x = a, *y = b;
    return by_name(x->group, x->name, y->group, y->name);
}

static int vm_order(const void *a, const void *b)
{
    const struct sc_vm *x = a, *y = b;
    return by_name(x->group, x->name, y->group, y->name);
}

void order_hosts(struct sc_host *hosts, uint32_t n)
{
    qsort(hosts, n, sizeof *hosts, host_order);
}

void order_vms(struct sc_vm *vms, uint32_t n)
{
    qsort(vms, n, sizeof *vms, vm_order);
}
