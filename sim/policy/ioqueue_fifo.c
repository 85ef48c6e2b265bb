// SPDX-License-Identifier: GPL-3.0-or-later
/* In order of arrival, whoever's they are: a flow gets what it asks for, as long as it asks for enough. */
#include "policy/ioqueue_class.h"

static void add(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    (void)f;
    ioqueue_list_add(ioqueue_own(q), r);
}

static struct ioqueue_req *take(struct ioqueue *q, int64_t now)
{
    struct ioqueue_list *all = ioqueue_own(q);
    struct ioqueue_req *r = all->first;
    (void)now;
    ioqueue_list_del(all, r);
    return r;
}

static void drop(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    (void)f;
    ioqueue_list_del(ioqueue_own(q), r);
}

const struct ioqueue_class ioqueue_fifo_class = {
    .name = "fifo",
    .about = "First in, first out: no weights, who asks for more gets more",
    .queue_bytes = sizeof(struct ioqueue_list),
    .add = add,
    .take = take,
    .drop = drop,
};
