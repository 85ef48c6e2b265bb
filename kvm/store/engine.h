// SPDX-License-Identifier: GPL-3.0-or-later
/* engine.h - asks the medium, and tells when it is done: io_uring, or threads where there is none.
 *
 * One thread uses it. What is started is asked for by engine_flush at the latest; engine_fd is readable when
 * something may be done. An io_uring of ours can read, write, flush and punch holes, and nothing else. */
#ifndef VLAB_KVM_STORE_ENGINE_H
#define VLAB_KVM_STORE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "kvm/sandbox/filter.h"

#define ENGINE_DEPTH 128u /* under way at once */

enum engine_op { ENGINE_READ, ENGINE_WRITE, ENGINE_SYNC, ENGINE_TRIM };

struct engine_ask {
    enum engine_op op;
    int fd;
    void *buf;
    uint64_t at, len;
    void *who; /* given back */
};

struct engine;
struct engine_kind {
    const char *name;
    struct engine *(*make)(
        const struct filter *f); /* f: of its threads, if it has any. NULL: errno says why */
    void (*start)(struct engine *e, const struct engine_ask *ask);
    void (*flush)(struct engine *e);
    bool (*take)(struct engine *e, void **who,
                 int64_t *result); /* false: nothing is done; result: or -errno */
    int (*fd)(const struct engine *e);
};

extern const struct engine_kind engine_uring, engine_threads;

#endif
