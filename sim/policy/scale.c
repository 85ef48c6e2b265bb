// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/scale.h"

static int64_t wanted(const struct scale_cfg *cfg, uint32_t n, int64_t metric_u)
{
    if (cfg->target_u > 0) {
        __int128 most = (__int128)n * metric_u;
        most = (most + cfg->target_u - 1) / cfg->target_u;
        return most > cfg->most ? cfg->most : (int64_t)most;
    }
    if (cfg->above_u >= 0 && metric_u > cfg->above_u) return (int64_t)n + cfg->add;
    if (cfg->below_u >= 0 && metric_u < cfg->below_u) return (int64_t)n - cfg->remove;
    return n;
}

int64_t scale_decide(struct scale *s, const struct scale_cfg *cfg, uint32_t n, int64_t metric_u, int64_t now)
{
    if (s->changed_ns >= 0 && now - s->changed_ns < cfg->cooldown_ns) return 0;
    int64_t want = wanted(cfg, n, metric_u);
    if (want > cfg->most) want = cfg->most;
    if (want < cfg->least) want = cfg->least;
    if (want == n) return 0;
    s->changed_ns = now;
    return want - n;
}
