// SPDX-License-Identifier: GPL-3.0-or-later
/* Blocks of the summary about what is above the hosts: VMs that were down, booted or moved, services, and
 * hosts with their power and cost. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "out/num.h"
#include "out/summary_inner.h"

enum { ROWS_MAX = 10, NAMES_MAX = 6 };

static const struct summary_column vm_columns[] = {
    {"available", "availability", "share", "", 12, true, false},
    {"failures", "events.failed", "total", "", 10, false, true},
    {"restarts", "events.restarted", "total", "", 10, false, true},
    {"boot", "boot.time", "total", "s", 9, false, false},
    {"moves", "events.migrated", "total", "", 8, false, true},
    {"took", "migration.time", "total", "s", 9, false, false},
    {"downtime", "migration.downtime", "total", "s", 10, false, false},
    {"copied", "migration.bytes", "total", "B", 10, false, true},
    {"aborted", "events.aborted", "total", "", 9, false, true},
};
static const struct summary_column host_columns[] = {
    {"power", "power", "mean", "W", 9, false, false},
    {"most", "power", "max", "W", 9, false, false},
    {"energy", "energy", "total", "J", 10, false, false},
    {"cost", "cost", "total", "", 10, false, false},
    {"rejected", "events.rejected", "total", "", 10, false, true},
};
#define LENGTH(a) (sizeof(a) / sizeof *(a))

static double amount(const struct summary_ctx *c, const char *entity, const char *metric)
{
    double x = summary_pick(c, entity, metric, "total");
    return isnan(x) ? 0 : x;
}

/* A VM that failed, booted or moved. One that merely begins later is not told of.
 */
static bool is_of_interest(const struct summary_ctx *c, const char *vm)
{
    static const char *const happened[] = {"events.failed",   "boot.time",     "events.migrated",
                                           "migration.bytes", "events.paused", "events.restarted"};
    bool any = false;
    for (size_t i = 0; i < LENGTH(happened) && !any; i++)
        any = amount(c, vm, happened[i]) > 0;
    return any;
}

static void find_services(const struct run_output *out, struct summary_table *t)
{
    const char *last = NULL;
    for (size_t i = 0; out && i < results_count(out->results); i++) {
        const char *e = results_at(out->results, i)->entity;
        if (strncmp(e, "service.", 8) == 0 && e != last) summary_add_row(t, e);
        last = e;
    }
}

static void find_hosts(const struct summary_ctx *c, struct summary_table *t)
{
    const char **hosts;
    size_t n = report_hosts(c->rp, 0, &hosts), powered = 0;
    for (size_t i = 0; i < n; i++) {
        bool has = amount(c, hosts[i], "energy") > 0 || amount(c, hosts[i], "cost") > 0;
        powered += has;
        if (has) summary_add_row(t, hosts[i]);
    }
    free(hosts);
    if (powered || amount(c, "cluster", "events.rejected") > 0) summary_add_row(t, "cluster");
}

/* Whose availability has no interval for want of failures. */
static void few(const struct summary_ctx *c, const struct summary_table *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct estimate e = report_pick(c->rp, 0, t->rows[i], "availability", "share");
        if (!e.few) continue;
        if (n < NAMES_MAX)
            fprintf(c->f, "%s%s",
                    n ? ", " : "  too few events for an interval of availability: ", t->rows[i]);
        n++;
    }
    if (n > NAMES_MAX) fprintf(c->f, " and %zu more", n - NAMES_MAX);
    if (n) fprintf(c->f, " (fewer than %d failures)\n", RESULTS_EVENTS);
}

void summary_cloud(const struct summary_ctx *c)
{
    struct summary_table vms = {"VM", vm_columns, LENGTH(vm_columns), NULL, 0, 0, ROWS_MAX, "VMs"};
    struct summary_table services = {"service", vm_columns, 2, NULL, 0, 0, ROWS_MAX, "services"};
    struct summary_table hosts = {"host", host_columns, LENGTH(host_columns), NULL, 0, 0, ROWS_MAX, "hosts"};
    const char **all;
    size_t n = report_vms(c->rp, 0, &all);
    for (size_t i = 0; i < n; i++)
        if (is_of_interest(c, all[i])) summary_add_row(&vms, all[i]);
    free(all);
    find_services(runset_get(c->rp->runs, 0, 0), &services);
    find_hosts(c, &hosts);
    summary_put_table(c, &vms);
    few(c, &vms);
    summary_put_table(c, &services);
    few(c, &services);
    summary_put_table(c, &hosts);
    free(vms.rows);
    free(services.rows);
    free(hosts.rows);
}
