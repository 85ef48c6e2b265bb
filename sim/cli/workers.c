// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

#define WAIT_MS 100

/* What all see. */
struct shared {
    size_t next;
    uint32_t stop;
};

struct told { /* by a worker, in one piece */
    uint32_t worker, code;
    uint64_t job; /* NOTHING: it takes no more */
};
#define NOTHING UINT64_MAX
#define BEGUN   256u /* as a code: it has taken that job */

struct pool {
    const struct workers_job *job;
    struct shared *shared;
    size_t n_jobs, n, alive;
    pid_t *pid;
    uint64_t *under_way; /* [n] the job of each; NOTHING */
    int from, to;        /* the pipe's ends */
};

static bool is_stopped(void *arg)
{
    return __atomic_load_n(&((struct shared *)arg)->stop, __ATOMIC_RELAXED) != 0;
}

static void tell(const struct pool *p, uint32_t worker, uint64_t job, uint32_t code)
{
    struct told t = {worker, code, job};
    if (write(p->to, &t, sizeof t) != (ssize_t)sizeof t) _exit(EXIT_FAILURE); /* nobody listens any more */
}

_Noreturn static void work(const struct pool *p, uint32_t self, pid_t caller)
{
    /* Ctrl-C reaches the whole group; the caller says what follows from it. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != caller) _exit(EXIT_FAILURE);
    close(p->from);
    while (!is_stopped(p->shared)) {
        size_t i = __atomic_fetch_add(&p->shared->next, 1, __ATOMIC_RELAXED);
        if (i >= p->n_jobs) break;
        tell(p, self, i, BEGUN);
        tell(p, self, i, (uint32_t)p->job->run(p->job->ctx, i, is_stopped, p->shared) & 255);
    }
    tell(p, self, NOTHING, 0);
    _exit(EXIT_SUCCESS);
}

static void stop(struct pool *p)
{
    __atomic_store_n(&p->shared->stop, 1, __ATOMIC_RELAXED);
}

static void take(struct pool *p, const struct told *t)
{
    if (t->job == NOTHING) return;
    if (t->code == BEGUN) {
        p->under_way[t->worker] = t->job;
        return;
    }
    p->under_way[t->worker] = NOTHING;
    if (!p->job->done(p->job->ctx, t->job, (int)t->code, 0)) stop(p);
}

/* What the pipe holds; false: nothing. */
static bool read_told(struct pool *p)
{
    struct told t[64];
    ssize_t got = read(p->from, t, sizeof t);
    if (got <= 0) return false;
    ASSERT(got % (ssize_t)sizeof *t == 0); /* a pipe keeps small writes whole */
    for (size_t i = 0; i < (size_t)got / sizeof *t; i++)
        take(p, &t[i]);
    return true;
}

/* A worker that is gone has told all it had to tell, but for a job that killed it. */
static void bury(struct pool *p)
{
    for (size_t w = 0; w < p->n; w++) {
        int status;
        if (p->pid[w] == 0 || waitpid(p->pid[w], &status, WNOHANG) != p->pid[w]) continue;
        p->pid[w] = 0;
        p->alive--;
        while (read_told(p)) {
        }
        if (p->under_way[w] == NOTHING) continue;
        uint64_t job = p->under_way[w];
        p->under_way[w] = NOTHING;
        if (!p->job->done(p->job->ctx, job, -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0)) stop(p);
    }
}

static int start(struct pool *p)
{
    pid_t caller = getpid();
    for (uint32_t w = 0; w < p->n; w++) {
        p->under_way[w] = NOTHING;
        p->pid[w] = fork();
        if (p->pid[w] == 0) work(p, w, caller);
        if (p->pid[w] < 0) {
            int e = -errno;
            p->pid[w] = 0;
            if (w == 0) return e;
            p->n = w; /* fewer will do */
            break;
        }
        p->alive++;
    }
    return 0;
}

static void watch(struct pool *p)
{
    while (p->alive > 0) {
        struct pollfd pf = {.fd = p->from, .events = POLLIN};
        poll(&pf, 1, WAIT_MS);
        read_told(p);
        bury(p);
        if (!p->job->wait(p->job->ctx)) stop(p);
    }
}

int workers_run(size_t n, size_t most, const struct workers_job *job)
{
    int ends[2];
    if (n == 0) return 0;
    struct pool p = {.job = job, .n_jobs = n, .n = most < n ? most : n};
    p.shared = mmap(NULL, sizeof *p.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p.shared == MAP_FAILED) return -errno;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        munmap(p.shared, sizeof *p.shared);
        return -errno;
    }
    p.from = ends[0];
    p.to = ends[1];
    p.pid = calloc(p.n, sizeof *p.pid);
    p.under_way = calloc(p.n, sizeof *p.under_way);
    ASSERT(p.pid && p.under_way);
    int e = start(&p);
    close(p.to);
    fcntl(p.from, F_SETFL, O_NONBLOCK);
    if (e == 0) watch(&p);
    close(p.from);
    free(p.pid);
    free(p.under_way);
    munmap(p.shared, sizeof *p.shared);
    return e;
}
