// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The format of the directory; the file is known by this key and the next. */
#define MANIFEST_KEY "vlab_run_directory"

static json_t *whole(uint64_t x)
{
    /* JSON readers differ beyond 2^63; a string keeps every digit. */
    return x <= INT64_MAX ? json_integer((json_int_t)x) : json_sprintf("%llu", (unsigned long long)x);
}

static json_t *text(const char *s)
{
    json_t *t = json_string(s ? s : "");
    return t ? t : json_string("(not UTF-8)");
}

/* "model name" of /proc/cpuinfo: what a number measured here should be read with. */
static json_t *cpu_model(void)
{
    char line[256], name[200] = "";
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && !*name && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", 10) == 0) sscanf(line, "%*[^:]: %199[^\n]", name);
    if (f) fclose(f);
    return text(name);
}

static json_t *host(void)
{
    struct utsname u;
    if (uname(&u) != 0) return json_null();
    return json_pack("{s:o, s:s*, s:s*, s:s*, s:I}", "cpu", cpu_model(), "kernel", u.release, "system",
                     u.sysname, "machine", u.machine, "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
}

static json_t *runs(const struct report *rp)
{
    json_t *list = json_array();
    for (size_t point = 0; point < runset_points(rp->runs); point++) {
        for (size_t rep = 0; rep < runset_reps(rp->runs); rep++) {
            const struct run_output *out = runset_get(rp->runs, point, rep);
            if (!out) continue;
            json_t *one = json_pack("{s:I, s:I, s:o, s:I}", "point", (json_int_t)point, "rep",
                                    (json_int_t)rep, "seed", whole(runset_seed(rp->runs, point, rep)),
                                    "events_not_kept", (json_int_t)out->happenings_cut);
            json_array_append_new(list, one);
        }
    }
    return list;
}

static json_t *points(const struct report *rp)
{
    json_t *list = json_array();
    for (size_t i = 0; rp->points && i < runset_points(rp->runs); i++) {
        json_t *one = json_object();
        for (size_t k = 0; k < rp->points[i].n; k++)
            json_object_set_new(one, rp->points[i].keys[k], text(rp->points[i].values[k]));
        json_array_append_new(list, one);
    }
    return list;
}

int manifest_write(FILE *f, const struct report *rp)
{
    char when[32];
    struct tm tm;
    gmtime_r(&rp->started.tv_sec, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_t *command = json_array();
    for (int i = 0; i < rp->argc; i++)
        json_array_append_new(command, text(rp->argv[i]));
    json_t *m = json_object();
    json_object_set_new(m, MANIFEST_KEY, json_integer(1));
    json_object_set_new(m, "version", text(rp->version));
    json_object_set_new(m, "scenario", text(rp->scenario));
    json_object_set_new(m, "backend", text(rp->backend));
    json_object_set_new(m, "fidelity", text(rp->fidelity));
    json_object_set_new(m, "seed", whole(rp->seed));
    json_object_set_new(m, "replications", whole(runset_reps(rp->runs)));
    json_object_set_new(m, "points", points(rp));
    json_object_set_new(m, "runs", runs(rp));
    json_object_set_new(m, "command", command);
    json_object_set_new(m, "host", host());
    json_object_set_new(m, "started", json_string(when));
    json_object_set_new(m, "took_s", json_real(rp->took_s));
    int bad = json_dumpf(m, f, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(m);
    if (bad || putc('\n', f) == EOF) return errno ? -errno : -EIO;
    return 0;
}

bool manifest_is_ours(const char *dir)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/manifest.json", dir) >= (int)sizeof path) return false;
    json_t *m = json_load_file(path, 0, NULL);
    bool ours = m && json_is_integer(json_object_get(m, MANIFEST_KEY)) &&
                json_is_array(json_object_get(m, "command"));
    json_decref(m);
    return ours;
}
