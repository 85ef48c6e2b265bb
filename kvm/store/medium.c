// SPDX-License-Identifier: GPL-3.0-or-later
/* The file: a request's pieces, one after the other, then its flush. */
#include <errno.h>

#include "kvm/store/inner.h"

#define SECTOR 4096u /* what O_DIRECT wants addresses and lengths to be multiples of, at most */

/* The piece that comes next. A request longer than its buffer passes through it, one longer than its disk
 * begins again at the disk's beginning. */
static struct engine_ask piece(const struct volume *v, struct req *r)
{
    const struct store_ask *a = &r->ask;
    uint64_t at = (a->at + r->moved) % v->cfg->bytes, left = a->bytes - r->moved;
    uint64_t len = left < a->length ? left : a->length;
    if (len > v->cfg->bytes - at) len = v->cfg->bytes - at;
    unsigned char *buf = v->window + a->offset + (a->bytes <= a->length ? r->moved : 0);
    bool aligned = (at | len | (uintptr_t)buf) % SECTOR == 0;
    return (struct engine_ask){.op = a->op == ABI_OP_READ ? ENGINE_READ : ENGINE_WRITE,
                               .fd = aligned ? v->direct : v->buffered,
                               .buf = buf,
                               .at = at,
                               .len = len,
                               .who = r};
}

static void start(struct store *s, struct req *r)
{
    struct volume *v = &s->vols[r->volume];
    struct engine_ask a = {.op = ENGINE_SYNC, .fd = v->buffered, .who = r};
    if (r->ask.op == ABI_OP_TRIM) {
        a.op = ENGINE_TRIM;
        a.at = r->ask.at;
        a.len = r->ask.bytes;
    } else if (r->ask.op != ABI_OP_FLUSH && !r->syncs) {
        a = piece(v, r);
    }
    s->under_way++;
    s->kind->start(s->engine, &a);
}

static void stand_in_line(struct store *s, struct req *r)
{
    r->behind = NULL;
    if (s->line.head)
        s->line.tail->behind = r;
    else
        s->line.head = r;
    s->line.tail = r;
}

void medium_ask(struct store *s, struct req *r)
{
    r->asks = true;
    stand_in_line(s, r);
}

void medium_pump(struct store *s)
{
    while (s->line.head && s->under_way < ENGINE_DEPTH) {
        struct req *r = s->line.head;
        s->line.head = r->behind;
        start(s, r);
    }
    s->kind->flush(s->engine);
}

static enum abi_status status_of(int64_t result)
{
    if (result == -ENOSPC || result == -EDQUOT || result == -EFBIG) return ABI_ENOSPC;
    return result < 0 ? ABI_EIO : ABI_DONE;
}

/* One step of it is over. False: another follows. */
static bool is_over(struct store *s, struct req *r, int64_t result)
{
    struct volume *v = &s->vols[r->volume];
    bool moves = r->ask.op == ABI_OP_READ || r->ask.op == ABI_OP_WRITE;
    v->wrote |= r->ask.op == ABI_OP_WRITE || r->ask.op == ABI_OP_TRIM;
    r->status = (uint32_t)status_of(result);
    if (result < 0 || !moves || r->syncs) return true;
    if (result == 0) { /* nothing more is there: the file is shorter than it was said to be */
        r->status = ABI_EIO;
        return true;
    }
    r->moved += (uint64_t)result;
    if (r->moved < r->ask.bytes) return false;
    r->syncs = r->ask.op == ABI_OP_WRITE && (r->ask.flags & ABI_SUB_FLUSH) != 0;
    return !r->syncs;
}

void medium_take(struct store *s)
{
    void *who;
    int64_t result;
    while (s->kind->take(s->engine, &who, &result)) {
        struct req *r = who;
        s->under_way--;
        if (is_over(s, r, result) || r->orphan) {
            r->asks = false;
            store_look(s, r);
        } else {
            stand_in_line(s, r);
        }
    }
}
