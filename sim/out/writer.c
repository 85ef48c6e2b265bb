// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/writer.h"

#include "out/csv.h"
#include "out/figures.h"
#include "out/manifest.h"
#include "out/prom.h"
#include "out/rundir.h"
#include "out/trace.h"

static void write_one(struct rundir *rd, const char *name, void (*write)(FILE *, const struct report *),
                      const struct report *rp)
{
    FILE *f = rundir_file(rd, name);
    write(f, rp);
    rundir_close_file(rd, f);
}

static void write_scenario(FILE *f, const struct report *rp)
{
    if (rp->resolved) fwrite(rp->resolved, 1, rp->resolved_len, f);
}

static void write_trace(FILE *f, const struct report *rp)
{
    trace_json(f, rp->trace);
}

int writer_write(const struct report *rp, const char *dir, char **where, char **why)
{
    struct rundir *rd;
    int r = rundir_open(&rd, dir, rp->scenario, rp->seed, why);
    if (r < 0) return r;
    write_one(rd, "scenario.yaml", write_scenario, rp);
    write_one(rd, "summary.csv", csv_summary, rp);
    if (rp->per_entity) write_one(rd, "entities.csv", csv_entities, rp);
    write_one(rd, "series.csv", csv_series, rp);
    write_one(rd, "events.csv", csv_events, rp);
    write_one(rd, "metrics.prom", prom_report, rp);
    if (rp->trace && rp->trace_json) write_one(rd, "trace.json", write_trace, rp);
    figures_write(rd, rp);
    /* The manifest comes last: a directory that has one is whole. */
    FILE *f = rundir_file(rd, "manifest.json");
    rundir_note(rd, "manifest.json", manifest_write(f, rp));
    rundir_close_file(rd, f);
    return rundir_commit(rd, where, why);
}
