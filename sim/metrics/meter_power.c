// SPDX-License-Identifier: GPL-3.0-or-later
/* How busy hosts are, and what power that takes.
 *
 * Load is the share of a host's pCPUs that are not idle. Time is cut into pieces: at each sample's end, at
 * the end of the warm-up, wherever the host goes up or down or changes its speed, and at the end of the run.
 * While it is up, a piece takes the power that belongs to its mean load: on a straight line from idle to
 * busy, or on the pieces of `curve`. For a straight line that is exact, whatever the load does within the
 * piece; for a curve it is as exact as a sample is short. While it is down it takes `off`.
 *
 * With K = length x pCPUs, b = busy time in the piece and a curve c[0..n-1]: k = floor(b (n-1) / K), and
 *
 *     energy x pCPUs = c[k] K + (c[k+1] - c[k]) (b (n-1) - k K)
 *
 * in mW ns, a whole number. A switch is known when it ends and belongs to the piece that it ends in; where
 * that piece is empty yet (the end of the run), the line's last stretch is continued. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "metrics/meter_inner.h"

void meter_power_init(struct meter *m)
{
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        m->powered = m->powered || (m->sc->hosts[h].power.stated && !m->opts.real_clock);
    if (m->powered || m->sc->moves) m->power = alloc_array(m->sc->n_hosts, sizeof *m->power);
}

/* Ends the piece at t_ns. */
static void cut(struct meter *m, uint32_t host, int64_t t_ns)
{
    struct power_meter *p = &m->power[host];
    const struct sc_host *h = &m->sc->hosts[host];
    const struct sc_power *w = &h->power;
    int64_t busy = p->busy_ns + p->running * (t_ns - p->since_ns);
    __int128 all = (__int128)(t_ns - p->piece_ns) * h->cores, x = busy - p->piece_busy;
    p->piece_ns = t_ns;
    p->piece_busy = busy;
    if (!w->stated) return;
    if (!p->up) {
        p->energy += all * w->off_mw;
        return;
    }
    int64_t line[2] = {w->idle_mw, w->busy_mw};
    const int64_t *c = w->n_curve ? w->curve_mw : line;
    uint32_t n = w->n_curve ? w->n_curve : 2;
    if (w->n_steps) {
        ASSERT(p->speed < w->n_steps);
        line[0] = w->steps[p->speed].idle_mw;
        line[1] = w->steps[p->speed].busy_mw;
        c = line;
        n = 2;
    }
    x *= n - 1;
    uint32_t k = n - 2;
    if (all > 0 && x / all < k) k = (uint32_t)(x / all);
    p->energy += c[k] * all + (c[k + 1] - c[k]) * (x - k * all);
}

/* Time goes on to t_ns: what was to hold after an earlier instant holds now. */
static void reach(struct meter *m, uint32_t host, int64_t t_ns)
{
    struct power_meter *p = &m->power[host];
    if (!p->changes || t_ns == p->change_ns) return;
    cut(m, host, p->change_ns);
    p->up = p->next_up;
    p->speed = p->next_speed;
    p->changes = false;
}

/* What is told at the instant of a change may still be of the time before it: a host is said to be down, then
 * what ran there ends. */
void meter_power_change(struct meter *m, const struct rec *r)
{
    struct power_meter *p = &m->power[r->host];
    reach(m, r->host, r->t_ns);
    if (!p->changes) {
        p->next_up = p->up;
        p->next_speed = p->speed;
        p->changes = true;
        p->change_ns = r->t_ns;
    }
    if (r->cause == REC_P_UP) p->next_up = r->value != 0;
    if (r->cause == REC_P_SPEED) p->next_speed = (uint32_t)r->value;
}

void meter_power_run(struct meter *m, uint32_t host, int64_t t_ns, int by)
{
    struct power_meter *p = &m->power[host];
    reach(m, host, t_ns);
    p->busy_ns += p->running * (t_ns - p->since_ns);
    p->since_ns = t_ns;
    if (by < 0 && p->running == 0)
        meter_broken(m, "host.%s: more stopped running there than ever began", m->sc->hosts[host].name);
    else
        p->running += (uint32_t)by;
}

void meter_power_busy(struct meter *m, uint32_t host, int64_t t_ns, int64_t ns)
{
    reach(m, host, t_ns);
    m->power[host].busy_ns += ns;
}

static double watts(const struct meter *m, uint32_t host, __int128 energy, int64_t ns)
{
    return (double)energy / ((double)ns * m->sc->hosts[host].cores * 1e3);
}

void meter_power_mark(struct meter *m, int64_t t_ns)
{
    double sum = 0;
    int64_t ns = t_ns - m->marked_ns;
    for (uint32_t h = 0; m->power && h < m->sc->n_hosts; h++) {
        struct power_meter *p = &m->power[h];
        reach(m, h, t_ns);
        cut(m, h, t_ns);
        double w = ns ? watts(m, h, p->energy - p->marked, ns) : 0;
        p->marked = p->energy;
        sum += w;
        if (m->warm) p->max_w = fmax(p->max_w, w);
    }
    m->marked_ns = t_ns;
    if (m->warm) m->max_w = fmax(m->max_w, sum);
}

/* Before m->warm is set: a piece that ends with the warm-up is not of the window. */
void meter_power_end_warmup(struct meter *m)
{
    ASSERT(!m->warm);
    meter_power_mark(m, m->warmup_ns);
    for (uint32_t h = 0; m->power && h < m->sc->n_hosts; h++)
        m->power[h].base = m->power[h].energy;
}

double meter_power_util(struct meter *m, uint32_t host, int64_t t_ns)
{
    struct power_meter *p = &m->power[host];
    int64_t busy = p->busy_ns + p->running * (t_ns - p->since_ns), before = p->busy_sampled;
    p->busy_sampled = busy;
    return (double)(busy - before) / ((double)m->sc->run.sample_ns * m->sc->hosts[host].cores);
}

double meter_power_sample(struct meter *m, uint32_t host)
{
    struct power_meter *p = &m->power[host];
    double w = watts(m, host, p->energy - p->sampled, m->sc->run.sample_ns);
    p->sampled = p->energy;
    return w;
}

double meter_power_joules(const struct meter *m, uint32_t host)
{
    const struct power_meter *p = &m->power[host];
    return (double)(p->energy - p->base) / (m->sc->hosts[host].cores * 1e12);
}
