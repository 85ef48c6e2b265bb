// SPDX-License-Identifier: GPL-3.0-or-later
/* A thousand VMs on one NIC, the whole path: program, guest, network, engine, records and meter. An event is
 * a frame; in net-requests each is a step of its own, which waits, is woken and begins again. A frame or a
 * request takes at most 500 ns. */
#include "bare_net.h"
#include "bench.h"
#include "path.h"

#define FRAME_NS 12304 /* at 1 Gb/s */

static void *net_new(uint64_t bytes, const char *more)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml,
             "vlab: 1\nname: bench\nrun: {duration: 365d}\n"
             "hosts: [{name: h, cpu: {cores: 2, scheduler: rr}, nics: [{name: eth0, bandwidth: 1Gb/s%s}]}]\n"
             "networks: [{name: lan, kind: bridge, nics: [h/eth0]}]\npeers: [{name: pc, on: lan}]\n"
             "vms: [{name: v, count: 1000, host: h, nic: {network: lan},\n"
             "       workload: {kind: loop, steps: [{net: {send: %uB, to: pc}}]}}]\n",
             more, (unsigned)bytes);
    return path_new(yaml, FRAME_NS);
}

static void *frames_new(uint64_t bytes)
{
    return net_new(bytes, "");
}

/* With a latency and the host's thread between: each frame waits three times. */
static void *costly_new(uint64_t bytes)
{
    return net_new(bytes, ", latency: 50us, packet_cost: 5us");
}

static void note(const void *own, const void *bare, double own_ns, double bare_ns)
{
    (void)own, (void)bare, (void)bare_ns;
    printf("  %.0f ns of the 500 that a frame may take   %s\n", own_ns, own_ns <= 500 ? "ok" : "OVER");
}

#define FIGURE(NAME, NEW, SIZE, BOUND)                                                                       \
    {                                                                                                        \
        .name = NAME, .own_new = NEW, .own_run = path_run, .own_free = path_free, .bare_new = bare_net_new,  \
        .bare_run = bare_net_run, .bare_free = bare_net_free, .size = SIZE, .n = 1000000, .bound = BOUND,    \
        .stated_ns = 37, .note = note                                                                        \
    }

static const struct bench_figure figures[] = {
    FIGURE("net-frames", frames_new, 14480, 6),
    FIGURE("net-requests", frames_new, 1448, 13.5),
    FIGURE("net-costly", costly_new, 14480, 13.5),
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, figures, sizeof figures / sizeof *figures);
}
