// SPDX-License-Identifier: GPL-3.0-or-later
/* A thousand VMs on one NIC, the whole path: program, guest, network, engine, records and meter. An event is
 * a frame; in net-requests each is a step of its own, which waits, is woken and begins again. A frame or a
 * request takes at most 500 ns. */
#include "base/assert.h"
#include "bare_net.h"
#include "bench.h"
#include "metrics/meter.h"
#include "model/model.h"

#define FRAME_NS 12304 /* at 1 Gb/s */

struct path {
    struct scenario_file *file;
    struct scenario *sc;
    struct meter *meter;
    struct model *model;
    struct rec_block block;
};

static void *path_new(uint64_t bytes, const char *more)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml,
             "vlab: 1\nname: bench\nrun: {duration: 365d}\n"
             "hosts: [{name: h, cpu: {cores: 2, scheduler: rr}, nics: [{name: eth0, bandwidth: 1Gb/s%s}]}]\n"
             "networks: [{name: lan, kind: bridge, nics: [h/eth0]}]\npeers: [{name: pc, on: lan}]\n"
             "vms: [{name: v, count: 1000, host: h, nic: {network: lan},\n"
             "       workload: {kind: loop, steps: [{net: {send: %uB, to: pc}}]}}]\n",
             more, (unsigned)bytes);
    struct path *p = calloc(1, sizeof *p);
    struct diag d;
    ASSERT(p);
    diag_init(&d);
    p->file = scenario_parse("bench", yaml, strlen(yaml), &d);
    p->sc = p->file ? scenario_at(p->file, 0, &d) : NULL;
    if (!p->sc) {
        diag_print(&d, stderr, false);
        exit(2);
    }
    diag_done(&d);
    rec_block_init(&p->block);
    p->meter = meter_new(p->sc, &(struct meter_opts){.only_vm = MODEL_ALL});
    rec_block_add_reader(&p->block, meter_reader(p->meter));
    p->model = model_new(p->sc, 1, MODEL_ALL, &p->block);
    return p;
}

static void *frames_new(uint64_t bytes)
{
    return path_new(bytes, "");
}

/* With a latency and the host's thread between: each frame waits three times. */
static void *costly_new(uint64_t bytes)
{
    return path_new(bytes, ", latency: 50us, packet_cost: 5us");
}

static void path_free(void *st)
{
    struct path *p = st;
    model_free(p->model);
    meter_free(p->meter);
    scenario_free(p->sc);
    scenario_close(p->file);
    free(p);
}

/* As much simulated time as n frames take the NIC, which never rests. */
static void path_run(void *st, uint64_t n)
{
    struct path *p = st;
    sim_run(model_sim(p->model), sim_now(model_sim(p->model)) + (int64_t)n * FRAME_NS);
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
