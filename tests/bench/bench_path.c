// SPDX-License-Identifier: GPL-3.0-or-later
/* The whole path of the simulator: engine, policy, model, records and meter, as every run has it. An event
 * is a slice, a burst or a customer; the bare loops do the same work with nothing around it. */
#include "bare_mm1.h"
#include "bare_slice.h"
#include "bench.h"
#include "path.h"

/* n events of the engine, to within a tenth of a simulated second. */
static void path_events(void *st, uint64_t n)
{
    struct sim *s = model_sim(((struct path *)st)->model);
    for (uint64_t until = sim_events(s) + n; sim_events(s) < until;)
        sim_run(s, sim_now(s) + 100000000);
}

#define RUN "vlab: 1\nname: bench\nrun: {duration: 365d}\n"

/* Each vCPU stays on its pCPU, as in the bare loops.
 *
 * 4 pCPUs, 16 vCPUs that never stop, slices of 1 ms: four slices a millisecond. */
static void *slices_new(uint64_t size)
{
    (void)size;
    return path_new(
        RUN
        "hosts: [{name: h, cpu: {cores: 4, scheduler: rr, balance: {idle: false, every: 0s}, slice: 1ms}}]\n"
        "vms: [{name: v, count: 16, host: h, start: {every: 61us}, workload: {kind: loop, steps: [{cpu: "
        "1h}]}}]\n",
        250000);
}

/* The same with what a switch costs, which is an event of its own. */
static void *switches_new(uint64_t size)
{
    (void)size;
    return path_new(RUN "hosts: [{name: h, cpu: {cores: 4, scheduler: rr, balance: {idle: false, every: 0s}, "
                        "slice: 998us, switch_cost: 2us}}]\n"
                        "vms: [{name: v, count: 16, host: h, start: {every: 61us}, workload: {kind: loop, "
                        "steps: [{cpu: 1h}]}}]\n",
                    250000);
}

/* The same VMs, each working and then sleeping for an exponential time: blocks and wake-ups. */
static void *blocks_new(uint64_t size)
{
    (void)size;
    return path_new(
        RUN
        "hosts: [{name: h, cpu: {cores: 4, scheduler: rr, balance: {idle: false, every: 0s}, slice: 10ms}}]\n"
        "vms: [{name: v, count: 16, host: h,\n"
        "       workload: {kind: loop, steps: [{cpu: {exponential: 5ms}}, {sleep: {exponential: 5ms}}]}}]\n",
        0);
}

/* M/M/1 at rho = .8: customers of a mean of 1 ms, one every 1.25 ms. */
static void *mm1_new(uint64_t size)
{
    (void)size;
    return path_new(RUN "hosts: [{name: h, cpu: {cores: 1, scheduler: rr, slice: 1s}}]\n"
                        "vms: [{name: v, host: h, workload: {kind: requests, arrivals: {poisson: 800/s}, "
                        "steps: [{cpu: {exponential: 1ms}}]}}]\n",
                    1250000);
}

static const struct bench_figure figures[] = {
    {.name = "path-slices",
     .own_new = slices_new,
     .own_run = path_run,
     .own_free = path_free,
     .bare_new = bare_slice_new,
     .bare_run = bare_slice_run,
     .bare_free = bare_slice_free,
     .n = 2000000,
     .bound = 4,
     .stated_ns = 13},
    {.name = "path-switches",
     .own_new = switches_new,
     .own_run = path_run,
     .own_free = path_free,
     .bare_new = bare_slice_new,
     .bare_run = bare_slice_run,
     .bare_free = bare_slice_free,
     .n = 2000000,
     .stated_ns = 13},
    {.name = "path-blocks",
     .own_new = blocks_new,
     .own_run = path_events,
     .own_free = path_free,
     .bare_new = bare_block_new,
     .bare_run = bare_block_run,
     .bare_free = bare_slice_free,
     .n = 1000000,
     .bound = 3,
     .stated_ns = 40},
    {.name = "path-mm1",
     .own_new = mm1_new,
     .own_run = path_run,
     .own_free = path_free,
     .bare_new = bare_mm1_new,
     .bare_run = bare_mm1_run,
     .bare_free = bare_mm1_free,
     .n = 1000000,
     .bound = 8.4,
     .stated_ns = 24}, /* 5 of 42 million customers a second */
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, figures, sizeof figures / sizeof *figures);
}
