// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/gnuplot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

extern char **environ;

bool gnuplot_found(void)
{
    const char *path = getenv("PATH");
    char *list = alloc_copy(path ? path : "/usr/bin:/bin"), *rest = list, *dir;
    bool found = false;
    while (!found && (dir = strsep(&rest, ":"))) {
        char file[4096];
        int n = snprintf(file, sizeof file, "%s/gnuplot", *dir ? dir : ".");
        found = n < (int)sizeof file && access(file, X_OK) == 0;
    }
    free(list);
    return found;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int gnuplot_list(const char *run, char ***names, char **why)
{
    char path[4096];
    size_t n = 0, cap = 0;
    *names = NULL;
    snprintf(path, sizeof path, "%s/plots", run);
    DIR *d = opendir(path);
    if (!d) {
        int e = errno;
        if (asprintf(why, "cannot read %s: %s", path, strerror(e)) < 0) *why = NULL;
        return -e;
    }
    for (struct dirent *e; (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        if (len <= 3 || strcmp(e->d_name + len - 3, ".gp") != 0 || strcmp(e->d_name, "style.gp") == 0)
            continue;
        *names = alloc_grow(*names, n, &cap, sizeof **names);
        (*names)[n] = alloc_copy(e->d_name);
        (*names)[n++][len - 3] = '\0';
    }
    closedir(d);
    if (n) qsort(*names, n, sizeof **names, by_name);
    return (int)n;
}

void gnuplot_free_list(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* Reads both until both have ended, so that neither can block the writer. */
static void drain(int out, int err, char **said[2])
{
    struct pollfd p[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    FILE *to[2];
    size_t len[2];
    for (int i = 0; i < 2; i++) {
        to[i] = open_memstream(said[i], &len[i]);
        ASSERT(to[i] != NULL);
    }
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR) break;
        for (int i = 0; i < 2; i++) {
            if (p[i].fd < 0 || !p[i].revents) continue;
            char buf[4096];
            ssize_t n = read(p[i].fd, buf, sizeof buf);
            if (n > 0)
                fwrite(buf, 1, (size_t)n, to[i]);
            else if (n == 0 || errno != EINTR)
                p[i].fd = -1;
        }
    }
    fclose(to[0]);
    fclose(to[1]);
}

/* Starts gnuplot in `dir` with both outputs on pipes. 0, or an errno. */
static int start(const char *dir, char *const argv[], pid_t *pid, int *out, int *err)
{
    int o[2], e[2];
    if (pipe2(o, O_CLOEXEC) != 0) return errno;
    if (pipe2(e, O_CLOEXEC) != 0) {
        int bad = errno;
        close(o[0]);
        close(o[1]);
        return bad;
    }
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&fa, o[1], 1);
    posix_spawn_file_actions_adddup2(&fa, e[1], 2);
    posix_spawn_file_actions_addchdir_np(&fa, dir);
    int r = posix_spawnp(pid, "gnuplot", &fa, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    close(o[1]);
    close(e[1]);
    *out = o[0];
    *err = e[0];
    if (r != 0) {
        close(o[0]);
        close(e[0]);
    }
    return r;
}

int gnuplot_render(const char *run, const char *name, const char *term, char **text, char **why)
{
    char dir[4096], set[32], file[300], *said = NULL, *warned = NULL;
    snprintf(dir, sizeof dir, "%s/plots", run);
    snprintf(set, sizeof set, "TERM='%s'", term);
    snprintf(file, sizeof file, "%s.gp", name);
    /* -d: nobody's ~/.gnuplot changes a figure. */
    char *argv[] = {(char[]){"gnuplot"}, (char[]){"-d"}, (char[]){"-e"}, set, file, NULL};
    pid_t pid = -1;
    int out = -1, err = -1, status = 0;
    int bad = start(dir, argv, &pid, &out, &err);
    if (bad) {
        if (asprintf(why, "cannot start gnuplot in %s: %s", dir, strerror(bad)) < 0) *why = NULL;
        return -1;
    }
    drain(out, err, (char **[2]){&said, &warned});
    close(out);
    close(err);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0 && warned[strspn(warned, " \t\r\n")] == '\0';
    if (!good) {
        const char *what =
            warned[strspn(warned, " \t\r\n")] ? warned + strspn(warned, " \t\r\n") : "gnuplot failed";
        if (asprintf(why, "%s/%s (%s): %s", dir, file, term, what) < 0) *why = NULL;
    }
    if (good && text)
        *text = said;
    else
        free(said);
    free(warned);
    return good ? 0 : -1;
}
