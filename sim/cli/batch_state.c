// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/batch_state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"

static char *text(const char *fmt, const char *a, const char *b)
{
    char *s = NULL;
    if (asprintf(&s, fmt, a, b) < 0) s = NULL;
    ASSERT(s);
    return s;
}

static char *of_path(const struct batch_state *s)
{
    return text("%s/%s", s->dir, "of");
}

/* What the runs are of. */
static void describe(struct buf *b, const struct report *rp)
{
    buf_printf(b, "vlab batch 1, version %s\n", rp->version);
    buf_add(b, rp->resolved, rp->resolved_len);
}

/* 1: it is kept of these very runs; 0: of others; -1: it is no such directory. */
static int is_of(const struct batch_state *s, const struct report *rp)
{
    char *path = of_path(s);
    FILE *f = fopen(path, "re");
    free(path);
    if (!f) return -1;
    struct buf want, got;
    buf_init(&want);
    buf_init(&got);
    describe(&want, rp);
    int e = buf_read(&got, f, (size_t)64 << 20);
    fclose(f);
    bool ours = e == 0 && strncmp(got.text, "vlab batch ", 11) == 0;
    int is = !ours ? -1 : got.len == want.len && memcmp(got.text, want.text, want.len) == 0;
    buf_done(&want);
    buf_done(&got);
    return is;
}

/* The files of a directory, and itself. */
static void sweep(const char *dir)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        char *path = text("%s/%s", dir, e->d_name);
        unlink(path);
        free(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

/* Whole under a name of its own first: of several who make it at once one wins, and the others use that. */
static int make(const struct batch_state *s, const struct report *rp, char **why)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    for (char *slash = s->dir; (slash = strchr(slash + 1, '/'));) { /* its parents */
        *slash = '\0';
        mkdir(s->dir, 0777);
        *slash = '/';
    }
    struct batch_state own = {.dir = text("%s.%s", s->dir, pid)};
    struct buf b;
    buf_init(&b);
    describe(&b, rp);
    char *path = of_path(&own);
    FILE *f = mkdir(own.dir, 0777) == 0 ? fopen(path, "we") : NULL;
    bool bad = !f || fwrite(b.text, 1, b.len, f) != b.len;
    if (f && fclose(f) != 0) bad = true;
    if (!bad && rename(own.dir, s->dir) != 0) bad = is_of(s, rp) != 1;
    if (bad) *why = text("%s: %s", s->dir, strerror(errno));
    sweep(own.dir); /* where it is still there */
    free(path);
    buf_done(&b);
    free(own.dir);
    return bad ? -1 : 0;
}

int batch_state_open(struct batch_state *s, const struct report *rp, const char *output, enum batch_open how,
                     char **why)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)rp->seed);
    char *target = output ? text("%s%s", output, "") : text("runs/%s-%s", rp->scenario, seed);
    while (strlen(target) > 1 && target[strlen(target) - 1] == '/')
        target[strlen(target) - 1] = '\0';
    s->dir = text("%s%s", target, ".partial");
    free(target);
    struct stat st;
    if (stat(s->dir, &st) != 0) return make(s, rp, why);
    int is = is_of(s, rp);
    if (is < 0) {
        *why = text("%s is in the way: it is not what a batch left%s", s->dir, "");
        return -1;
    }
    if (is == 1 && how == BATCH_GO_ON) return 0;
    if (how == BATCH_GO_ON) {
        *why = text("%s is of other runs: without --resume it is swept away, with another -o it stays%s",
                    s->dir, "");
        return -1;
    }
    sweep(s->dir);
    return make(s, rp, why);
}

char *batch_state_file(const struct batch_state *s, size_t run)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.run", run);
    return text("%s/%s", s->dir, name);
}

void batch_state_remove(struct batch_state *s)
{
    sweep(s->dir);
}

void batch_state_close(struct batch_state *s)
{
    free(s->dir);
    s->dir = NULL;
}
