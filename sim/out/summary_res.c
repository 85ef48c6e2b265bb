// SPDX-License-Identifier: GPL-3.0-or-later
/* Blocks of the summary about memory, disks and networks: a line a VM that has any, a line a device. A column
 * is there where a VM has what it tells of. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/num.h"
#include "out/phrase.h"
#include "out/summary_inner.h"

enum { ROWS_MAX = 10, DEVS_MAX = 8 };

static const struct summary_column vm_columns[] = {
    {"memory", "mem.resident", "mean", "B", 10, false, false},
    {"shared", "mem.shared", "mean", "B", 9, false, true},
    {"balloon", "mem.ballooned", "mean", "B", 9, false, true},
    {"swapped", "mem.swapped", "mean", "B", 9, false, true},
    {"faults", "mem.faults", "rate", "1/s", 9, false, true},
    {"requests", "disk.ops", "rate", "1/s", 10, false, true},
    {"disk p99", "disk.latency", "p99", "s", 10, false, false},
    {"net", "net.bytes", "rate", "B/s", 10, false, true},
    {"dropped", "net.drops", "rate", "1/s", 9, false, true},
};
static const struct summary_column disk_columns[] = {
    {"busy", "disk.util", "share", "", 7, true, false},
    {"queue", "disk.queue", "mean", "", 7, false, false},
    {"requests", "disk.ops", "rate", "1/s", 10, false, true},
    {"mean", "disk.latency", "mean", "s", 9, false, false},
    {"p99", "disk.latency", "p99", "s", 9, false, false},
    {"data", "disk.bytes", "rate", "B/s", 11, false, true},
};
static const struct summary_column net_columns[] = {
    {"frames", "net.frames", "rate", "1/s", 10, false, true},
    {"payload", "net.bytes", "rate", "B/s", 11, false, true},
    {"on the wire", "net.wire", "rate", "B/s", 13, false, true},
    {"dropped", "net.drops", "rate", "1/s", 9, false, true},
};
#define LENGTH(a) (sizeof(a) / sizeof *(a))

static double value(const struct summary_ctx *c, const char *entity, const struct summary_column *k)
{
    return summary_pick(c, entity, k->metric, k->stat);
}

static bool shown(const struct summary_ctx *c, const struct summary_table *t, const struct summary_column *k)
{
    for (size_t i = 0; i < t->n; i++) {
        double x = value(c, t->rows[i], k);
        if (k->dash ? x > 0 : !isnan(x)) return true;
    }
    return false;
}

/* "vm.db" is db, "host.h1.disk.ssd0" h1/ssd0, "storage.san" san. */
static void short_name(const char *entity, char *out, size_t size)
{
    const char *name = strchr(entity, '.') ? strchr(entity, '.') + 1 : entity; /* "cluster" */
    const char *dot = strchr(name, '.'), *last = strrchr(name, '.');
    if (dot && strncmp(entity, "host.", 5) == 0)
        snprintf(out, size, "%.*s/%s", (int)(dot - name), name, last + 1);
    else
        snprintf(out, size, "%s", name);
}

static bool is_nines(const struct summary_column *k)
{
    return strcmp(k->metric, "availability") == 0;
}

/* Of an availability the last digits matter: 99.960016%. */
static char *nines(char *buf, double share)
{
    if (!isfinite(share)) return strcpy(buf, "-");
    long millionths = lround(share * 1e8);
    snprintf(buf, NUM_LEN, "%ld.%06ld", millionths / 1000000, millionths % 1000000);
    if (share < .99 || millionths == 100000000) buf[strlen(buf) - 4] = '\0'; /* 96.15 */
    return strcat(buf, "%");
}

void summary_put_table(const struct summary_ctx *c, const struct summary_table *t)
{
    char name[160], num[NUM_LEN];
    size_t width = 8, rows = t->n > t->most ? t->most : t->n;
    bool any = false;
    for (size_t k = 0; k < t->n_columns && t->n; k++)
        any = any || shown(c, t, &t->columns[k]);
    if (!any) return;
    for (size_t i = 0; i < rows; i++) {
        short_name(t->rows[i], name, sizeof name);
        if (strlen(name) > width) width = strlen(name);
    }
    int w = (int)(width < SUMMARY_NAME_MAX ? width : SUMMARY_NAME_MAX);
    fprintf(c->f, "\n%s  %-*s ", term_ink(c->style, TERM_BOLD), w, t->title);
    for (size_t k = 0; k < t->n_columns; k++)
        if (shown(c, t, &t->columns[k])) fprintf(c->f, "%*s", t->columns[k].width, t->columns[k].head);
    fprintf(c->f, "%s\n", term_ink(c->style, TERM_PLAIN));
    for (size_t i = 0; i < rows; i++) {
        short_name(t->rows[i], name, sizeof name);
        fprintf(c->f, "  %-*.*s ", w, w, name);
        for (size_t k = 0; k < t->n_columns; k++) {
            const struct summary_column *col = &t->columns[k];
            if (!shown(c, t, col)) continue;
            double x = value(c, t->rows[i], col);
            summary_cell(c,
                         col->dash && x == 0.0 ? "-"
                         : is_nines(col)       ? nines(num, x)
                         : col->percent        ? num_percent(num, x)
                                               : num_metric(num, x, col->metric, col->unit),
                         col->width);
        }
        putc('\n', c->f);
    }
    if (rows < t->n)
        fprintf(c->f, "  %s and %zu more %s\n", c->style.utf8 ? "…" : "..", t->n - rows, t->more);
}

void summary_add_row(struct summary_table *t, const char *entity)
{
    t->rows = alloc_grow(t->rows, t->n, &t->cap, sizeof *t->rows);
    t->rows[t->n++] = entity;
}

static bool is(const struct result *r, const char *metric, const char *stat)
{
    return strcmp(r->metric, metric) == 0 && strcmp(r->stat, stat) == 0;
}

/* A VM that touches memory, has a disk or has a NIC. */
static void find_vms(const struct summary_ctx *c, struct summary_table *t)
{
    static const char *const has[] = {"mem.refs", "disk.ops", "net.frames"};
    const char **vms;
    size_t n = report_vms(c->rp, 0, &vms);
    for (size_t i = 0; i < n; i++) {
        bool any = false;
        for (size_t k = 0; k < LENGTH(has); k++)
            any = any || !isnan(summary_pick(c, vms[i], has[k], "total"));
        if (any) summary_add_row(t, vms[i]);
    }
    free(vms);
}

/* Disks and stores, which alone have disk.util; NICs and networks that carried anything. */
static void find_devices(const struct run_output *out, struct summary_table *disks,
                         struct summary_table *nets)
{
    for (size_t i = 0; out && i < results_count(out->results); i++) {
        const struct result *r = results_at(out->results, i);
        bool end = strncmp(r->entity, "vm.", 3) == 0 || strncmp(r->entity, "peer.", 5) == 0;
        if (is(r, "disk.util", "share")) summary_add_row(disks, r->entity);
        if (is(r, "net.frames", "total") && !end && r->value > 0) summary_add_row(nets, r->entity);
    }
}

void summary_resources(const struct summary_ctx *c)
{
    struct summary_table vms = {"VM", vm_columns, LENGTH(vm_columns), NULL, 0, 0, ROWS_MAX, "VMs"};
    struct summary_table disks = {"disk", disk_columns, LENGTH(disk_columns), NULL, 0, 0, DEVS_MAX, "disks"};
    struct summary_table nets = {"network", net_columns, LENGTH(net_columns), NULL, 0,
                                 0,         DEVS_MAX,    "NICs and networks"};
    find_vms(c, &vms);
    find_devices(runset_get(c->rp->runs, 0, 0), &disks, &nets);
    summary_put_table(c, &vms);
    summary_put_table(c, &disks);
    summary_put_table(c, &nets);
    summary_cloud(c);
    char text[200];
    if (*phrase_standout(c->rp, text, sizeof text)) fprintf(c->f, "\n  %s\n", text);
    free(vms.rows);
    free(disks.rows);
    free(nets.rows);
}
