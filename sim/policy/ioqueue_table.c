// SPDX-License-Identifier: GPL-3.0-or-later
/* The policies there are. */
#include <string.h>

#include "policy/ioqueue_class.h"

static const struct ioqueue_class *const ioqueue_classes[] = {
    &ioqueue_fifo_class,
    &ioqueue_deadline_class,
    &ioqueue_fair_class,
    &ioqueue_mclock_class,
};
enum { N_CLASSES = sizeof ioqueue_classes / sizeof ioqueue_classes[0] };

const struct ioqueue_class *ioqueue_class_at(size_t i)
{
    return i < N_CLASSES ? ioqueue_classes[i] : NULL;
}

const struct ioqueue_class *ioqueue_class_find(const char *name)
{
    for (size_t i = 0; i < N_CLASSES; i++)
        if (!strcmp(ioqueue_classes[i]->name, name)) return ioqueue_classes[i];
    return NULL;
}

const char *ioqueue_class_name(const struct ioqueue_class *c)
{
    return c->name;
}

const char *ioqueue_class_about(const struct ioqueue_class *c)
{
    return c->about;
}

bool ioqueue_class_weighted(const struct ioqueue_class *c)
{
    return c->weighted;
}

bool ioqueue_class_reserves(const struct ioqueue_class *c)
{
    return c->reserves;
}
