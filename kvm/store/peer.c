// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvm/store/inner.h"

static void hang_up(struct store *s, uint32_t volume)
{
    struct volume *v = &s->vols[volume];
    close(v->sock);
    v->sock = -1;
    while (v->answers.head)
        list_pop(&v->answers)->used = false;
    for (uint32_t i = 0; i < STORE_OPEN_MOST; i++) {
        struct req *r = &v->reqs[i];
        if (!r->used) continue;
        if (r->q.queued) {
            serve_drop(&s->serve, &r->q, store_now());
            r->used = false;
        } else {
            r->orphan = true;
        }
    }
}

/* Whether a request is one that may be carried out. Not: it is answered ABI_EINVAL. */
static bool possible(const struct volume *v, const struct store_ask *a)
{
    uint64_t end;
    if (a->op == ABI_OP_FLUSH) return true;
    if (a->bytes == 0 || a->at >= v->cfg->bytes) return false;
    if (__builtin_add_overflow(a->at, a->bytes, &end)) return false;
    return end <= v->cfg->bytes || (a->at == 0 && a->op != ABI_OP_TRIM);
}

/* What no VMM of ours says, whatever its guest does. */
static bool sane(const struct volume *v, const struct store_ask *a)
{
    uint64_t end;
    if (a->id >= STORE_OPEN_MOST || v->reqs[a->id].used || a->op < ABI_OP_READ || a->op > ABI_OP_TRIM)
        return false;
    if (__builtin_add_overflow((uint64_t)a->offset, (uint64_t)a->length, &end) || end > v->cfg->window_bytes)
        return false;
    bool moves = a->op == ABI_OP_READ || a->op == ABI_OP_WRITE;
    return !moves || a->bytes <= a->length || a->length == ABI_PIECE;
}

static bool take(struct store *s, uint32_t volume, const struct store_ask *a)
{
    struct volume *v = &s->vols[volume];
    if (a->id == STORE_PING) {
        const struct store_answer here = {.id = STORE_PING};
        return send(v->sock, &here, sizeof here, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno == EAGAIN;
    }
    if (!sane(v, a)) return false;
    struct req *r = &v->reqs[a->id];
    *r = (struct req){.ask = *a, .volume = volume, .used = true};
    if (possible(v, a)) {
        store_enter(s, r);
    } else {
        r->status = ABI_EINVAL;
        store_look(s, r);
    }
    return true;
}

void peer_ready(struct store *s, uint32_t volume)
{
    struct volume *v = &s->vols[volume];
    while (v->sock >= 0) {
        struct store_ask got[STORE_BATCH];
        ssize_t n = recv(v->sock, got, sizeof got, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        bool ok = n > 0 && (size_t)n <= sizeof got && (size_t)n % sizeof *got == 0;
        for (size_t i = 0; ok && i < (size_t)n / sizeof *got; i++)
            ok = take(s, volume, &got[i]);
        if (!ok) hang_up(s, volume);
    }
}

void peer_send(struct store *s, uint32_t volume)
{
    struct volume *v = &s->vols[volume];
    while (v->sock >= 0 && v->answers.head) {
        struct store_answer out[STORE_BATCH];
        size_t n = 0;
        for (struct req *r = v->answers.head; r && n < STORE_BATCH; r = r->next)
            out[n++] =
                (struct store_answer){.id = (uint32_t)(r - v->reqs), .status = r->status, .bytes = r->moved};
        /* An id is free as soon as its answer is out. */
        if (send(v->sock, out, n * sizeof *out, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) hang_up(s, volume);
            return;
        }
        while (n-- > 0)
            list_pop(&v->answers)->used = false;
    }
}
