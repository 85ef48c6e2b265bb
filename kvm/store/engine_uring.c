// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/store/engine.h"

struct engine {
    struct io_uring ring;
    int fd;
};

static void allow(struct io_uring_restriction *r, uint8_t op)
{
    *r = (struct io_uring_restriction){.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = op};
}

/* By the system call: the library of Debian 12 has no function for it. */
static int do_register(struct io_uring *ring, unsigned what, const void *arg, unsigned n)
{
    return syscall(SYS_io_uring_register, ring->ring_fd, what, arg, n) < 0 ? -errno : 0;
}

/* seccomp does not see what a ring is asked for; the ring itself is told what it may do. */
static int restrict_ops(struct io_uring *ring)
{
    struct io_uring_restriction r[4];
    allow(&r[0], IORING_OP_READ);
    allow(&r[1], IORING_OP_WRITE);
    allow(&r[2], IORING_OP_FSYNC);
    allow(&r[3], IORING_OP_FALLOCATE);
    int e = do_register(ring, IORING_REGISTER_RESTRICTIONS, r, 4);
    return e == 0 ? do_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0) : e;
}

static struct engine *make(const struct filter *f)
{
    (void)f; /* it has no threads of its own */
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = e->fd < 0 ? -errno : io_uring_queue_init(ENGINE_DEPTH, &e->ring, IORING_SETUP_R_DISABLED);
    if (r == 0) {
        r = io_uring_register_eventfd(&e->ring, e->fd);
        if (r == 0) r = restrict_ops(&e->ring);
        if (r != 0) io_uring_queue_exit(&e->ring);
    }
    if (r == 0) return e;
    if (e->fd >= 0) close(e->fd);
    free(e);
    errno = -r;
    return NULL;
}

static void start(struct engine *e, const struct engine_ask *a)
{
    struct io_uring_sqe *s = io_uring_get_sqe(&e->ring);
    if (!s) { /* as many as may be under way fit; those before were only not asked for yet */
        io_uring_submit(&e->ring);
        s = io_uring_get_sqe(&e->ring);
    }
    switch (a->op) {
    case ENGINE_READ: io_uring_prep_read(s, a->fd, a->buf, (unsigned)a->len, a->at); break;
    case ENGINE_WRITE: io_uring_prep_write(s, a->fd, a->buf, (unsigned)a->len, a->at); break;
    case ENGINE_SYNC: io_uring_prep_fsync(s, a->fd, IORING_FSYNC_DATASYNC); break;
    case ENGINE_TRIM:
        io_uring_prep_fallocate(s, a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)a->at,
                                (off_t)a->len);
        break;
    }
    io_uring_sqe_set_data(s, a->who);
}

static void flush(struct engine *e)
{
    if (io_uring_sq_ready(&e->ring) > 0) io_uring_submit(&e->ring);
}

static bool take(struct engine *e, void **who, int64_t *result)
{
    struct io_uring_cqe *c;
    if (io_uring_peek_cqe(&e->ring, &c) != 0) return false;
    *who = io_uring_cqe_get_data(c);
    *result = c->res;
    io_uring_cqe_seen(&e->ring, c);
    return true;
}

static int fd(const struct engine *e)
{
    return e->fd;
}

const struct engine_kind engine_uring = {"io_uring", make, start, flush, take, fd};
