// SPDX-License-Identifier: GPL-3.0-or-later
/* The policies there are, and what a policy needs to be one. */
#include <string.h>

#include "policy/sched_frame.h"

static const struct sched_class *const sched_classes[] = {
    &sched_rr_class,    &sched_credit_class, &sched_cfs_class,
    &sched_eevdf_class, &sched_stride_class, &sched_bvt_class,
};
enum { N_CLASSES = sizeof sched_classes / sizeof sched_classes[0] };

const struct sched_class *sched_class_at(size_t i)
{
    return i < N_CLASSES ? sched_classes[i] : NULL;
}

const struct sched_class *sched_class_find(const char *name)
{
    for (size_t i = 0; i < N_CLASSES; i++)
        if (!strcmp(sched_classes[i]->name, name)) return sched_classes[i];
    return NULL;
}

const char *sched_class_name(const struct sched_class *c)
{
    return c->name;
}

const char *sched_class_about(const struct sched_class *c)
{
    return c->about;
}

int64_t sched_class_slice_ns(const struct sched_class *c, uint32_t n_pcpus)
{
    return c->slice_ns(n_pcpus);
}

bool sched_class_weighted(const struct sched_class *c)
{
    return c->weighted;
}

int64_t sched_weighted(uint32_t weight, int64_t t_ns)
{
    if (weight == SCHED_WEIGHT_ONE) return t_ns;
    __int128 t = (__int128)t_ns * SCHED_WEIGHT_ONE;
    if (t > INT64_MAX) {
        t /= weight;
        return t > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)t;
    }
    return (int64_t)t / (int64_t)weight;
}

int64_t sched_cpu_scale(uint32_t n_pcpus)
{
    return 1 + (n_pcpus >= 8 ? 3 : n_pcpus >= 4 ? 2 : n_pcpus >= 2 ? 1 : 0);
}
