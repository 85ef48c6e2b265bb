// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "out/manifest.h"

struct rundir {
    char *target; /* where it goes; without -N yet where numbered */
    char *asked;  /* the same as the caller named it; NULL where numbered */
    char *hidden; /* where it is made */
    bool numbered;
    int error; /* the first, as -errno */
    char *error_name;
};

__attribute__((format(printf, 2, 3))) static void say(char **why, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(why, fmt, ap) < 0) *why = NULL;
    va_end(ap);
    ASSERT(*why != NULL);
}

__attribute__((format(printf, 1, 2))) static char *text(const char *fmt, ...)
{
    char *s;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    return s;
}

/* -errno with the path and the action in *why. */
static int failed(char **why, const char *action, const char *path)
{
    int e = errno ? errno : EIO;
    say(why, "cannot %s %s: %s", action, path, strerror(e));
    return -e;
}

/* 1: absent or empty, free to take; 0: ours, to be replaced; -errno: refused or not to be read. */
static int look(const char *dir, char **why)
{
    DIR *d = opendir(dir);
    if (!d && errno == ENOENT) return 1;
    if (!d) return failed(why, "write the results to", dir);
    bool empty = true;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) empty = false;
    closedir(d);
    if (empty) return 1;
    if (manifest_is_ours(dir)) return 0;
    say(why,
        "%s is not empty and not a vlab run directory (it has no manifest.json of ours); it is left alone",
        dir);
    return -EEXIST;
}

int rundir_check(const char *dir, char **why)
{
    if (!*dir) {
        say(why, "the name of the run directory is empty");
        return -EINVAL;
    }
    int got = look(dir, why);
    return got < 0 ? got : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int remove_tree(const char *path)
{
    /* FTW_PHYS: a link inside is removed, never followed. */
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* mkdir -p of all above `path`. */
static int make_parents(const char *path, char **why)
{
    char *p = alloc_copy(path);
    int r = 0;
    for (char *slash = strchr(p + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(p, 0777) != 0 && errno != EEXIST) r = failed(why, "make the directory", p);
        *slash = '/';
    }
    free(p);
    return r;
}

/* Of writers into the same target that died: ".NAME.vlab-PID" with no such process. */
static void sweep(const char *parent, const char *base)
{
    DIR *d = opendir(parent);
    if (!d) return;
    char *prefix = text(".%s.vlab-", base);
    size_t len = strlen(prefix);
    for (struct dirent *e; (e = readdir(d));) {
        if (strncmp(e->d_name, prefix, len) != 0) continue;
        char *end;
        long pid = strtol(e->d_name + len, &end, 10);
        if (*end || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH) continue;
        char *path = text("%s/%s", parent, e->d_name);
        remove_tree(path);
        free(path);
    }
    free(prefix);
    closedir(d);
}

/* The name itself, without slashes behind it; an existing one without links in it, so that what is
 * replaced is the directory and not the link to it. */
static char *clean_name(const char *dir)
{
    char *real = realpath(dir, NULL);
    if (real) return real;
    char *p = alloc_copy(dir);
    for (size_t n = strlen(p); n > 1 && p[n - 1] == '/'; n--)
        p[n - 1] = '\0';
    return p;
}

int rundir_open(struct rundir **out, const char *dir, const char *name, uint64_t seed, char **why)
{
    int r = dir ? rundir_check(dir, why) : 0;
    if (r < 0) return r;
    struct rundir *rd = alloc_array(1, sizeof *rd);
    rd->numbered = !dir;
    rd->asked = dir ? alloc_copy(dir) : NULL;
    for (size_t n = dir ? strlen(dir) : 0; n > 1 && dir[n - 1] == '/'; n--)
        rd->asked[n - 1] = '\0';
    rd->target = dir ? clean_name(dir) : text("runs/%s-%" PRIu64, name, seed);
    r = make_parents(rd->target, why);
    char *slash = strrchr(rd->target, '/');
    const char *base = slash ? slash + 1 : rd->target;
    char *parent = slash == rd->target ? alloc_copy("/")
                   : slash             ? strndup(rd->target, (size_t)(slash - rd->target))
                                       : alloc_copy(".");
    sweep(parent, base);
    rd->hidden = text("%s/.%s.vlab-%ld", parent, base, (long)getpid());
    free(parent);
    char *plots = text("%s/plots", rd->hidden);
    if (r == 0) remove_tree(rd->hidden);
    if (r == 0 && (mkdir(rd->hidden, 0777) != 0 || mkdir(plots, 0777) != 0))
        r = failed(why, "make the directory", rd->hidden);
    free(plots);
    if (r < 0)
        rundir_abort(rd);
    else
        *out = rd;
    return r;
}

void rundir_note(struct rundir *rd, const char *name, int error)
{
    if (error == 0 || rd->error) return;
    rd->error = error;
    rd->error_name = alloc_copy(name);
}

FILE *rundir_file(struct rundir *rd, const char *name)
{
    char *path = text("%s/%s", rd->hidden, name);
    FILE *f = fopen(path, "we");
    if (!f) {
        rundir_note(rd, name, errno ? -errno : -EIO);
        f = fopen("/dev/null", "we"); /* the writer need not know: the commit will fail */
        ASSERT(f != NULL);
    }
    free(path);
    return f;
}

void rundir_close_file(struct rundir *rd, FILE *f)
{
    errno = 0;
    bool bad = ferror(f);
    if (fclose(f) != 0 || bad) rundir_note(rd, "a file", errno ? -errno : -EIO);
}

/* Two directories change places at once; where the file system cannot, one after the other. */
static int put_in_place(struct rundir *rd, int state, char **why)
{
    if (state == 1) {
        if (rename(rd->hidden, rd->target) == 0)
            return 0; /* an empty directory is replaced by rename itself */
        return failed(why, "put the results in their place,", rd->target);
    }
    if (renameat2(AT_FDCWD, rd->hidden, AT_FDCWD, rd->target, RENAME_EXCHANGE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return failed(why, "replace the earlier results in", rd->target);
    char *old = text("%s-old", rd->hidden);
    int r = 0;
    if (rename(rd->target, old) != 0) {
        r = failed(why, "move aside", rd->target);
    } else if (rename(rd->hidden, rd->target) != 0) {
        r = failed(why, "put the results in their place,", rd->target);
        if (rename(old, rd->target) != 0) r = failed(why, "move back", rd->target);
    } else if (rename(old, rd->hidden) != 0) {
        r = failed(why, "remove the earlier results in", old);
    }
    free(old);
    return r;
}

static int take_number(struct rundir *rd, char **why)
{
    char *stem = rd->target;
    for (unsigned n = 1; n < 1000000; n++) {
        rd->target = n == 1 ? alloc_copy(stem) : text("%s-%u", stem, n);
        struct stat st;
        /* NOREPLACE: of two runs that end together each gets a directory of its own. */
        int r = renameat2(AT_FDCWD, rd->hidden, AT_FDCWD, rd->target, RENAME_NOREPLACE);
        if (r != 0 && (errno == EINVAL || errno == ENOSYS) && lstat(rd->target, &st) != 0)
            r = rename(rd->hidden, rd->target);
        if (r == 0 || (errno != EEXIST && errno != EINVAL && errno != ENOSYS)) {
            free(stem);
            return r == 0 ? 0 : failed(why, "put the results in their place,", rd->target);
        }
        free(rd->target);
    }
    rd->target = stem;
    errno = EEXIST;
    return failed(why, "find a free number for", stem);
}

int rundir_commit(struct rundir *rd, char **path, char **why)
{
    int r = rd->error;
    if (r < 0) {
        say(why, "cannot write %s of %s: %s", rd->error_name, rd->target, strerror(-r));
    } else if (rd->numbered) {
        r = take_number(rd, why);
    } else {
        /* Looked at again: the run may have taken an hour, and the directory may not be what it was. */
        r = look(rd->target, why);
        if (r >= 0) r = put_in_place(rd, r, why);
    }
    if (r == 0) *path = alloc_copy(rd->asked ? rd->asked : rd->target);
    rundir_abort(rd); /* what is under the hidden name now is the old one, or nothing */
    return r;
}

void rundir_abort(struct rundir *rd)
{
    if (!rd) return;
    if (rd->hidden) remove_tree(rd->hidden);
    free(rd->hidden);
    free(rd->target);
    free(rd->asked);
    free(rd->error_name);
    free(rd);
}
