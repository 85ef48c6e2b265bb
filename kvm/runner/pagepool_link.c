// SPDX-License-Identifier: GPL-3.0-or-later
/* One VM's pager and the pool: a command at a time; what it says is checked before anything is done by it. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvm/runner/pagepool_int.h"

#define ANSWER_NS INT64_C(20000000000) /* no disk takes so long for one page */

void pagepool_give_up(struct pagepool_vm *v, enum ctl_cause cause, uint32_t code, uint64_t address,
                      const char *fmt, ...)
{
    if (!pagepool_lives(v)) return;
    v->end =
        (struct ctl_end){.cause = (uint32_t)cause, .code = code, .address = address, .at_ns = host_now()};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(v->end.text, sizeof v->end.text, fmt, ap);
    va_end(ap);
    __atomic_store_n(&v->given_up, 1, __ATOMIC_RELEASE);
}

bool pagepool_gave_up(const struct pagepool *p, uint32_t vm, struct ctl_end *end)
{
    const struct pagepool_vm *v = p ? p->of[vm] : NULL;
    if (!v || !__atomic_load_n(&v->given_up, __ATOMIC_ACQUIRE)) return false;
    *end = v->end;
    return true;
}

static void broke(struct pagepool_vm *v, const char *how)
{
    pagepool_give_up(v, CTL_REFUSED, 0, 0, "its pager %s", how);
}

/* Keeps a fault for later. */
static void keep(struct pagepool_vm *v, const struct pages_msg *m)
{
    if (m->page >= v->n_pages || m->flags & ~PAGES_WRITE || !v->pool->paged) {
        broke(v, "told of a fault that cannot be");
        return;
    }
    if (v->n_heard == PAGEPOOL_FAULTS) {
        broke(v, "told of more faults than it has vCPUs");
        return;
    }
    int64_t now = host_now();
    v->heard[(v->heard_head + v->n_heard++) % PAGEPOOL_FAULTS] =
        (struct pagepool_fault){.page = m->page,
                                .vcpu = m->vcpu < v->sc->vcpus ? m->vcpu : UINT32_MAX,
                                .write = m->flags & PAGES_WRITE,
                                .at_ns = m->at_ns > now || m->at_ns < 0 ? now : m->at_ns};
}

/* 1: a packet, in pool->in; 0: none yet; -1: its VMM is gone, or says what it should not. */
static int take(struct pagepool_vm *v)
{
    struct pages_data *in = &v->pool->in;
    ssize_t head = sizeof in->m, n = recv(v->fd, in, sizeof *in, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    bool data = n > head && in->m.what == PAGES_READ;
    if (n == head || (data && n <= (ssize_t)sizeof *in && n - head == in->m.value)) return 1;
    if (n > 0) broke(v, "said something of another length");
    v->gone = true;
    return -1;
}

void pagepool_hear(struct pagepool_vm *v)
{
    if (take(v) != 1) return;
    if (v->pool->in.m.what == PAGES_FAULT)
        keep(v, &v->pool->in.m);
    else
        broke(v, "answered what it was not asked");
}

/* False: it does not come. Else it is in pool->in. */
static bool await(struct pagepool_vm *v, uint32_t what)
{
    const struct pages_msg *m = &v->pool->in.m;
    int64_t until = host_now() + ANSWER_NS;
    struct pollfd pf[] = {{.fd = v->fd, .events = POLLIN}, {.fd = v->pool->wake_fd, .events = 0}};
    while (pagepool_lives(v) && !pagepool_stops(v->pool)) {
        int got = take(v);
        if (got == 1) {
            if (m->what == PAGES_FAULT) {
                keep(v, m);
                continue;
            }
            if (m->what == what && m->seq == v->seq) return true;
            broke(v, "answered what it was not asked");
        }
        if (got == 0) {
            if (host_now() > until) broke(v, "does not answer");
            poll(pf, 1, 50);
        }
    }
    return false;
}

static const char *name(enum pages_what what)
{
    static const char *const names[PAGES_NWHATS] = {
        [PAGES_ZERO] = "a page of zeros",
        [PAGES_LOAD] = "reading a page from the store",
        [PAGES_PARK] = "taking a page",
        [PAGES_UNPARK] = "giving a page back",
        [PAGES_SAVE] = "writing a page to the store",
        [PAGES_DROP] = "dropping a page",
        [PAGES_OPEN] = "letting it write",
        [PAGES_WAKE] = "waking it",
        [PAGES_COUNT] = "counting its pages",
        [PAGES_READ] = "reading its memory",
    };
    return names[what] ? names[what] : "?";
}

int64_t pagepool_command(struct pagepool_vm *v, enum pages_what what, uint32_t page, uint32_t flags)
{
    struct pages_msg m = {.what = (uint32_t)what, .seq = ++v->seq, .page = page, .flags = flags};
    if (!pagepool_lives(v)) return -EPIPE;
    if (send(v->fd, &m, sizeof m, MSG_NOSIGNAL) != (ssize_t)sizeof m) {
        v->gone = true;
        return -EPIPE;
    }
    if (!await(v, (uint32_t)what)) return -EPIPE;
    m = v->pool->in.m;
    if (what == PAGES_COUNT) v->look_took_ns = m.at_ns < 0 ? 0 : m.at_ns > ANSWER_NS ? ANSWER_NS : m.at_ns;
    if (m.value >= 0) return m.value;
    int why = m.value < -4095 ? EPROTO : (int)-m.value;
    bool store = what == PAGES_LOAD || what == PAGES_SAVE;
    pagepool_give_up(v, store ? CTL_STORE : CTL_REFUSED, (uint32_t)why, 0, "%s: %s", name(what),
                     strerror(why));
    return -why;
}

int64_t pagepool_read(struct pagepool_vm *v, uint32_t piece, const unsigned char **bytes)
{
    *bytes = v->pool->in.bytes;
    return pagepool_command(v, PAGES_READ, piece, 0);
}
