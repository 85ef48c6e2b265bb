// SPDX-License-Identifier: GPL-3.0-or-later
/* The medium asked by threads that block: on kernels without io_uring, or where it is forbidden. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kvm/store/engine.h"

#define THREADS 8

struct done {
    void *who;
    int64_t result;
};

struct engine {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    struct engine_ask asks[ENGINE_DEPTH];
    struct done dones[ENGINE_DEPTH];
    uint32_t asks_head, n_asks, dones_head, n_dones;
    int fd;
    const struct filter *filter;
};

/* All of it, or what went wrong. */
static int64_t carry_out(const struct engine_ask *a)
{
    int64_t r = 0;
    switch (a->op) {
    case ENGINE_READ: r = pread(a->fd, a->buf, a->len, (off_t)a->at); break;
    case ENGINE_WRITE: r = pwrite(a->fd, a->buf, a->len, (off_t)a->at); break;
    case ENGINE_SYNC: r = fdatasync(a->fd); break;
    case ENGINE_TRIM:
        r = fallocate(a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)a->at, (off_t)a->len);
        break;
    }
    return r < 0 ? -errno : r;
}

static void *work(void *arg)
{
    struct engine *e = arg;
    const uint64_t one = 1;
    if (filter_install(e->filter) != 0) abort();
    for (;;) {
        pthread_mutex_lock(&e->lock);
        while (e->n_asks == 0)
            pthread_cond_wait(&e->asked, &e->lock);
        struct engine_ask a = e->asks[e->asks_head];
        e->asks_head = (e->asks_head + 1) % ENGINE_DEPTH;
        e->n_asks--;
        pthread_mutex_unlock(&e->lock);
        struct done d = {a.who, carry_out(&a)};
        pthread_mutex_lock(&e->lock);
        e->dones[(e->dones_head + e->n_dones++) % ENGINE_DEPTH] = d;
        pthread_mutex_unlock(&e->lock);
        if (write(e->fd, &one, sizeof one) != sizeof one) abort();
    }
    return NULL;
}

static struct engine *make(const struct filter *f)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->asked, NULL);
    e->filter = f;
    e->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = e->fd < 0 ? errno : 0;
    for (int i = 0; r == 0 && i < THREADS; i++) {
        pthread_t t;
        r = pthread_create(&t, NULL, work, e);
    }
    if (r == 0) return e;
    errno = r; /* the process ends, with what threads there are */
    return NULL;
}

static void start(struct engine *e, const struct engine_ask *a)
{
    pthread_mutex_lock(&e->lock);
    e->asks[(e->asks_head + e->n_asks++) % ENGINE_DEPTH] = *a;
    pthread_cond_signal(&e->asked);
    pthread_mutex_unlock(&e->lock);
}

static void flush(struct engine *e)
{
    (void)e;
}

static bool take(struct engine *e, void **who, int64_t *result)
{
    pthread_mutex_lock(&e->lock);
    bool any = e->n_dones > 0;
    if (any) {
        *who = e->dones[e->dones_head].who;
        *result = e->dones[e->dones_head].result;
        e->dones_head = (e->dones_head + 1) % ENGINE_DEPTH;
        e->n_dones--;
    }
    pthread_mutex_unlock(&e->lock);
    return any;
}

static int fd(const struct engine *e)
{
    return e->fd;
}

const struct engine_kind engine_threads = {"threads", make, start, flush, take, fd};
