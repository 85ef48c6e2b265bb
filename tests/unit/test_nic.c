// SPDX-License-Identifier: GPL-3.0-or-later
/* A VMM's NIC (kvm/vmm/nic.c) between a guest and a switch that we play: what is honest gets through, what is
 * not ends the link and nothing else. Neither KVM nor a switch is needed. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rng.h"
#include "kvm/net.h"
#include "kvm/vmm/dev.h"

Suite *nic_suite(void);

#define WINDOW (2u << 20)
#define TAGS   1024u

static struct {
    uint32_t n, by_status[ABI_NSTATUS], loud;
    uint32_t of_tag[TAGS];
    struct abi_comp last;
} given;

/* The NIC's only way out; in the VMM these are dev.c's. */
static void note(struct abi_comp c)
{
    ck_assert_uint_lt(c.status, ABI_NSTATUS);
    ck_assert_uint_lt(c.tag, TAGS);
    ck_assert_uint_eq(given.of_tag[c.tag]++, 0); /* once each */
    given.by_status[c.status]++;
    given.n++;
    given.last = c;
}

void dev_give(struct dev *d, uint32_t vcpu, struct abi_comp comp)
{
    (void)d;
    ck_assert_uint_lt(vcpu, ABI_MAX_VCPUS);
    given.loud++;
    note(comp);
}

void dev_give_quietly(struct dev *d, uint32_t vcpu, struct abi_comp comp)
{
    (void)d;
    ck_assert_uint_lt(vcpu, ABI_MAX_VCPUS);
    note(comp);
}

struct nic_world {
    struct dev d;
    unsigned char *window;
    int peer; /* the switch's end */
};

static struct nic_world world(void)
{
    int pair[2], room = 4 << 20;
    struct nic_world w = {.window = calloc(1, WINDOW)};
    memset(&given, 0, sizeof given);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    (void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    w.d = (struct dev){.cls = &dev_nic, .peer_fd = pair[0], .window = w.window, .window_bytes = WINDOW};
    w.peer = pair[1];
    ck_assert_int_eq(dev_nic.make(&w.d), 0);
    return w;
}

static void done(struct nic_world *w)
{
    if (w->peer >= 0) close(w->peer);
    if (w->d.peer_fd >= 0) close(w->d.peer_fd);
    free(w->d.own);
    free(w->window);
}

static void submit(struct nic_world *w, uint32_t op, uint32_t tag, uint32_t offset, uint32_t length,
                   uint32_t flags)
{
    const struct abi_sub s = {.op = op, .flags = flags, .tag = tag, .offset = offset, .length = length};
    const char *why = NULL;
    ck_assert(!w->d.stuck);
    ck_assert(dev_nic.submit(&w->d, 0, &s, &why));
}

static void say(struct nic_world *w, const void *head, size_t n, const void *rest, size_t m)
{
    uint8_t buf[16384];
    memcpy(buf, head, n);
    if (m > 0) memcpy(buf + n, rest, m);
    ck_assert_int_eq(send(w->peer, buf, n + m, 0), (ssize_t)(n + m));
}

static void say_left(struct nic_world *w, uint32_t n, const uint32_t *cookies)
{
    const struct net_msg m = {NET_LEFT, n};
    say(w, &m, sizeof m, cookies, n * sizeof *cookies);
}

static void look(struct nic_world *w)
{
    for (int i = 0; i < 10; i++)
        dev_nic.ready(&w->d, EPOLLIN | EPOLLOUT);
}

/* What the switch got; its cookie. */
static ssize_t hear(struct nic_world *w, uint8_t *frame, uint32_t *cookie)
{
    uint8_t buf[16384];
    struct net_msg m;
    ssize_t n = recv(w->peer, buf, sizeof buf, 0);
    if (n < (ssize_t)sizeof m) return -1;
    memcpy(&m, buf, sizeof m);
    ck_assert_uint_eq(m.kind, NET_FRAME);
    *cookie = m.n;
    memcpy(frame, buf + sizeof m, (size_t)n - sizeof m);
    return n - (ssize_t)sizeof m;
}

START_TEST(a_frame_goes_out_and_is_answered_when_it_has_left)
{
    struct nic_world w = world();
    uint8_t frame[NET_FRAME_MAX];
    uint32_t cookie;
    memset(w.window + 5000, 0xab, 1000);
    submit(&w, ABI_OP_SEND, 9, 5000, 1000, 0);
    memset(w.window + 5000, 0xcd, 1000); /* it was copied before */
    ck_assert_int_eq(hear(&w, frame, &cookie), 1000);
    ck_assert_uint_eq(frame[0], 0xab);
    ck_assert_uint_eq(frame[999], 0xab);
    look(&w);
    ck_assert_uint_eq(given.n, 0);
    say_left(&w, 1, &cookie);
    look(&w);
    ck_assert_uint_eq(given.n, 1);
    ck_assert_uint_eq(given.last.tag, 9);
    ck_assert_uint_eq(given.last.status, ABI_DONE);
    ck_assert_uint_eq(given.last.value, 1000);
    done(&w);
}
END_TEST

START_TEST(what_comes_waits_for_a_buffer)
{
    struct nic_world w = world();
    const struct net_msg m = {NET_FRAME, 0};
    uint8_t f[2000];
    for (uint8_t i = 1; i <= 3; i++) {
        memset(f, i, sizeof f);
        say(&w, &m, sizeof m, f, 100u * i);
    }
    look(&w);
    ck_assert_uint_eq(given.n, 0);
    submit(&w, ABI_OP_RECEIVE, 1, 0, 2048, 0);
    dev_nic.flush(&w.d);
    ck_assert_uint_eq(given.n, 1);
    ck_assert_uint_eq(given.last.value, 100);
    ck_assert_uint_eq(w.window[99], 1);
    submit(&w, ABI_OP_RECEIVE, 2, 4096, 150, 0); /* too small for the next: that is lost, as on any NIC */
    dev_nic.flush(&w.d);
    look(&w);
    ck_assert_uint_eq(given.n, 1);
    say(&w, &m, sizeof m, f, 150);
    look(&w);
    ck_assert_uint_eq(given.n, 2);
    ck_assert_uint_eq(given.last.tag, 2);
    ck_assert_uint_eq(given.last.value, 150);
    ck_assert_uint_eq(w.window[4096 + 150], 0); /* and no byte beyond */
    done(&w);
}
END_TEST

START_TEST(no_more_than_a_window_is_on_its_way)
{
    struct nic_world w = world();
    uint8_t frame[NET_FRAME_MAX];
    uint32_t cookie[NET_WINDOW], heard = 0;
    for (uint32_t i = 0; i < NET_WINDOW; i++) {
        submit(&w, ABI_OP_SEND, i, 0, 60, ABI_SUB_QUIET);
        while (hear(&w, frame, &cookie[heard]) > 0)
            heard++;
    }
    ck_assert_uint_eq(heard, NET_WINDOW);
    ck_assert(w.d.stuck);
    say_left(&w, 1, &cookie[7]);
    look(&w);
    ck_assert(!w.d.stuck);
    submit(&w, ABI_OP_SEND, 500, 0, 60, ABI_SUB_QUIET);
    ck_assert(w.d.stuck);
    ck_assert_int_eq(hear(&w, frame, &cookie[7]), 60);
    for (uint32_t i = 0; i < NET_WINDOW; i += 64)
        say_left(&w, 64, &cookie[i]);
    look(&w);
    ck_assert_uint_eq(given.n, NET_WINDOW + 1);
    ck_assert_uint_eq(given.by_status[ABI_DONE], NET_WINDOW + 1);
    ck_assert_uint_eq(given.loud, 1); /* the last that was open: nobody is left asleep */
    done(&w);
}
END_TEST

START_TEST(a_full_socket_holds_the_guest_back)
{
    struct nic_world w = world();
    uint8_t frame[NET_FRAME_MAX];
    uint32_t cookie, sent = 0, heard = 0;
    while (!w.d.stuck)
        submit(&w, ABI_OP_SEND, sent++, 0, NET_FRAME_MAX, 0);
    ck_assert_uint_lt(sent, NET_WINDOW); /* it is the socket that is full */
    while (hear(&w, frame, &cookie) > 0)
        heard++;
    ck_assert_uint_eq(heard, sent - 1);
    look(&w); /* it is told that there is room: the one that waited goes */
    ck_assert(!w.d.stuck);
    ck_assert_int_eq(hear(&w, frame, &cookie), NET_FRAME_MAX);
    done(&w);
}
END_TEST

START_TEST(what_no_nic_does_is_a_status)
{
    struct nic_world w = world();
    submit(&w, ABI_OP_READ, 1, 0, 512, 0);
    submit(&w, 77, 2, 0, 512, 0);
    submit(&w, ABI_OP_SEND, 3, 0, NET_ETHER - 1, 0);
    submit(&w, ABI_OP_SEND, 4, 0, NET_FRAME_MAX + 1, 0);
    submit(&w, ABI_OP_SEND, 5, 0, 0, 0);
    ck_assert_uint_eq(given.by_status[ABI_EINVAL], 5);
    done(&w);
}
END_TEST

/* --- a switch that lies, or is no more --- */

static void say_case(struct nic_world *w, int which)
{
    uint32_t cookies[NET_LEFT_MAX + 1] = {0};
    struct net_msg m = {NET_LEFT, 1};
    uint8_t big[sizeof m + NET_FRAME_MAX + 1] = {NET_FRAME};
    switch (which) {
    case 0: close(w->peer), w->peer = -1; break;
    case 1: cookies[0] = NET_WINDOW, say_left(w, 1, cookies); break;
    case 2: cookies[0] = UINT32_MAX, say_left(w, 1, cookies); break;
    case 3: cookies[0] = 200, say_left(w, 1, cookies); break; /* of no frame */
    case 4: say_left(w, 2, cookies); break;                   /* the same twice */
    case 5: m.n = NET_LEFT_MAX + 1, say(w, &m, sizeof m, cookies, sizeof cookies); break;
    case 6: m.n = UINT32_MAX, say(w, &m, sizeof m, cookies, 4); break;
    case 7: m.n = 2, say(w, &m, sizeof m, cookies, 4); break; /* fewer than it says */
    case 8: say(w, &m, sizeof m - 1, NULL, 0); break;         /* cut off */
    case 9: m.kind = 99, say(w, &m, sizeof m, cookies, 4); break;
    case 10: m.kind = NET_FRAME, say(w, &m, sizeof m, NULL, 0); break; /* a frame of nothing */
    case 11: say(w, big, sizeof big, NULL, 0); break;                  /* too long a one */
    default: ck_abort();
    }
}
#define N_CASES 12

START_TEST(a_switch_that_lies_is_gone)
{
    struct nic_world w = world();
    uint8_t frame[NET_FRAME_MAX];
    uint32_t cookie;
    submit(&w, ABI_OP_RECEIVE, 1, 0, 2048, 0);
    submit(&w, ABI_OP_SEND, 2, 0, 60, ABI_SUB_QUIET);
    submit(&w, ABI_OP_SEND, 3, 0, 60, ABI_SUB_QUIET);
    ck_assert_int_eq(hear(&w, frame, &cookie), 60);
    ck_assert_uint_eq(cookie, 0);
    say_case(&w, _i);
    look(&w);
    ck_assert_int_eq(w.d.peer_fd, -1);
    /* What was on its way is answered, each once; what is sent from now on, at once; what is waited for, not.
     */
    ck_assert_uint_eq(given.n, 2);
    ck_assert_uint_eq(given.by_status[ABI_EGONE], _i == 4 ? 1 : 2);
    ck_assert_uint_eq(given.of_tag[1], 0);
    ck_assert_uint_ge(given.loud, 1);
    submit(&w, ABI_OP_SEND, 4, 0, 60, ABI_SUB_QUIET);
    ck_assert_uint_eq(given.last.tag, 4);
    ck_assert_uint_eq(given.last.status, ABI_EGONE);
    submit(&w, ABI_OP_RECEIVE, 5, 0, 2048, 0);
    dev_nic.flush(&w.d);
    look(&w);
    ck_assert(!w.d.stuck);
    ck_assert_int_eq(dev_nic.due_ns(&w.d), INT64_MAX);
    ck_assert_uint_eq(given.n, 3);
    done(&w);
}
END_TEST

/* Anything at all, for a while: no answer twice (note), and never more than was asked for. */
START_TEST(whatever_a_switch_says_answers_are_in_order)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct nic_world w = world();
        struct rng r = rng_at(seed, 1, 2);
        uint32_t tag = 0;
        for (int i = 0; i < 100 && w.d.peer_fd >= 0; i++) {
            uint32_t x = rng_u32(&r), words[20];
            if (!w.d.stuck && tag < TAGS)
                submit(&w, x & 1 ? ABI_OP_SEND : ABI_OP_RECEIVE, tag++, x >> 16, 64 + (x >> 20), x >> 1 & 2);
            words[0] = rng_u32(&r) % 3;
            words[1] = rng_u32(&r) % 8;
            for (int k = 2; k < 20; k++)
                words[k] = rng_u32(&r) % (i < 90 ? 20 : 1000);
            size_t n = words[0] == NET_LEFT && x & 2 ? 8 + 4 * words[1] : rng_u32(&r) % sizeof words;
            if (x & 0x700) continue; /* most often it says nothing */
            if (send(w.peer, words, n, 0) < 0) break;
            dev_nic.ready(&w.d, EPOLLIN);
            dev_nic.flush(&w.d);
        }
        ck_assert_uint_le(given.n, tag);
        done(&w);
    }
}
END_TEST

START_TEST(a_flood_is_taken_in_turns)
{
    struct nic_world w = world();
    const struct net_msg m = {NET_FRAME, 0};
    uint8_t f[64] = {0};
    uint32_t sent = 0;
    submit(&w, ABI_OP_RECEIVE, 1, 0, 10, 0); /* so small that all is lost, and read all the same */
    while (send(w.peer, (memcpy(f, &m, sizeof m), f), sizeof f, MSG_DONTWAIT) > 0)
        sent++;
    ck_assert_uint_gt(sent, 256);
    dev_nic.ready(&w.d, EPOLLIN);
    ck_assert_int_eq(dev_nic.due_ns(&w.d), 0); /* it will be asked again, after others were seen to */
    uint32_t turns = 1;
    for (; dev_nic.due_ns(&w.d) == 0; turns++)
        dev_nic.ready(&w.d, 0);
    ck_assert_uint_ge(turns, sent / 256);
    ck_assert_int_lt(recv(w.d.peer_fd, f, sizeof f, MSG_DONTWAIT), 0);
    ck_assert_uint_eq(given.n, 0);
    done(&w);
}
END_TEST

Suite *nic_suite(void)
{
    Suite *s = suite_create("nic");
    TCase *t = tcase_create("nic");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_frame_goes_out_and_is_answered_when_it_has_left);
    tcase_add_test(t, what_comes_waits_for_a_buffer);
    tcase_add_test(t, no_more_than_a_window_is_on_its_way);
    tcase_add_test(t, a_full_socket_holds_the_guest_back);
    tcase_add_test(t, what_no_nic_does_is_a_status);
    tcase_add_loop_test(t, a_switch_that_lies_is_gone, 0, N_CASES);
    tcase_add_test(t, whatever_a_switch_says_answers_are_in_order);
    tcase_add_test(t, a_flood_is_taken_in_turns);
    suite_add_tcase(s, t);
    return s;
}
