// SPDX-License-Identifier: GPL-3.0-or-later
/* Serving tasks on this vCPU: the program says what a task does next, this file makes it happen. */
#include "kvm/guest/dev.h"

#define NO_TASK UINT32_MAX

static uint32_t places(const struct guest *g)
{
    return g->boot->n_vcpus == 1 ? ABI_MAX_TASKS : 1;
}

static void ready_push(struct guest *g, uint32_t i)
{
    g->ready[(g->ready_head + g->n_ready++) % places(g)] = i;
}

static uint32_t ready_pop(struct guest *g)
{
    uint32_t i = g->ready[g->ready_head];
    g->ready_head = (g->ready_head + 1) % places(g);
    g->n_ready--;
    return i;
}

static void begin(struct guest *g, struct task *t, uint64_t task, uint64_t iter)
{
    prog_begin(&t->prog, g->boot->key_steps, task, iter);
    t->began_ns = g->now_ns;
    t->does = TASK_NEXT;
    t->holds = false;
}

static void give(struct guest *g, uint32_t i, struct request r)
{
    g->tasks[i].request = r;
    begin(g, &g->tasks[i], r.task, r.iter);
}

static void think(struct guest *g, uint32_t client, int64_t from_ns)
{
    int64_t at;
    if (__builtin_add_overflow(from_ns, arrivals_think(g, client), &at)) at = INT64_MAX;
    timers_push(&g->timers, at, TIMER_CLIENT + client);
}

/* A client's request is over, answered or lost. */
static void client_goes_on(struct guest *g, const struct request *r, int64_t at_ns)
{
    if (g->boot->arrivals != ABI_CLOSED) return;
    g->cycles[r->task]++;
    think(g, (uint32_t)r->task, at_ns);
}

static void arrive(struct guest *g, int64_t at_ns, uint64_t task, uint64_t iter)
{
    struct request r = {.task = task, .iter = iter, .number = g->arrivals.number++};
    bool full =
        g->free_task == NO_TASK && g->boot->threads != 0 && (int64_t)g->n_waiting >= g->boot->queue_max;
    io_log(g, full ? ABI_LOG_LOST : ABI_LOG_ARRIVE, at_ns, (int64_t)r.number);
    if (g->free_task != NO_TASK) {
        uint32_t i = g->free_task;
        g->free_task = g->tasks[i].next;
        give(g, i, r);
        ready_push(g, i);
    } else if (g->boot->threads == 0) {
        io_abort(ABI_ABORT_TASKS);
    } else if (full) {
        client_goes_on(g, &r, at_ns);
    } else {
        if (g->n_waiting == ABI_MAX_WAITING) io_abort(ABI_ABORT_WAITING);
        g->waiting[(g->waiting_head + g->n_waiting++) % ABI_MAX_WAITING] = r;
    }
}

static int64_t next_due(const struct guest *g)
{
    int64_t timer = g->timers.n > 0 ? g->timers.heap[0].at_ns : INT64_MAX;
    return timer < g->arrivals.next_ns ? timer : g->arrivals.next_ns;
}

/* Looks at the clock and lets happen, in order of time, what was due until then. Nothing happens at or
 * after the end of the run. */
static void look(struct guest *g)
{
    int64_t now = io_clock(g), end = g->boot->end_ns;
    for (int64_t at; (at = next_due(g)) <= now && at < end;) {
        if (at == g->arrivals.next_ns) {
            arrive(g, at, 0, g->arrivals.number);
            arrivals_next(g);
            continue;
        }
        uint32_t what = timers_pop(&g->timers).what;
        if (what < TIMER_CLIENT)
            ready_push(g, what);
        else if (g->arrivals.number < g->boot->until)
            arrive(g, at, what - TIMER_CLIENT, g->cycles[what - TIMER_CLIENT]);
    }
    for (uint32_t i; (i = net_take(g)) != NO_TASK;)
        ready_push(g, i);
    for (uint32_t i; (g->n_disk > 0 || g->line_head != NO_TASK) && (i = disk_take(g)) != UINT32_MAX;)
        ready_push(g, i);
    dev_hurry(g);
    if (now >= end) g->over = true;
}

/* How many iterations a loop's task runs: its part of `until`. */
static uint64_t quota(const struct guest *g, uint64_t task)
{
    uint64_t all = g->boot->until, n = g->boot->threads;
    return all == UINT64_MAX ? all : all / n + (task < all % n);
}

/* The task's iteration is over. Whether it goes on with another at once. */
static bool complete(struct guest *g, uint32_t i)
{
    struct task *t = &g->tasks[i];
    look(g);
    if (g->over) return false;
    int64_t now = g->now_ns;
    uint64_t done = guest_add_done();
    io_count(g, t->prog.checksum);
    if (g->boot->requests)
        io_log(g, ABI_LOG_DONE, now, (int64_t)t->request.number);
    else
        io_log(g, ABI_LOG_WORK, now, now - t->began_ns);
    if (done == g->boot->until) io_log(g, ABI_LOG_UNTIL, now, now - g->boot->start_ns);
    if (!g->boot->requests) {
        if (t->prog.iter + 1 >= quota(g, t->prog.task)) return false;
        begin(g, t, t->prog.task, t->prog.iter + 1);
        return true;
    }
    client_goes_on(g, &t->request, now);
    if (g->n_waiting == 0) {
        t->next = g->free_task;
        g->free_task = i;
        return false;
    }
    struct request r = g->waiting[g->waiting_head];
    g->waiting_head = (g->waiting_head + 1) % ABI_MAX_WAITING;
    g->n_waiting--;
    give(g, i, r);
    return true;
}

static uint64_t to_iters(const struct guest *g, int64_t ns)
{
    return (uint64_t)((unsigned __int128)(uint64_t)ns * g->boot->iters_per_ns_q32 >> 32);
}

/* It works for t->iters. */
static void works(struct task *t)
{
    t->does = t->iters > 0 ? TASK_WORKS : TASK_NEXT;
    if (t->does == TASK_NEXT && t->holds) lock_release(t);
}

/* Some references or events. What they take is known by the clock only: of a quantum of work they use what
 * others took too. False: it has given up the vCPU. */
static bool by_clock(struct guest *g, uint32_t i, uint64_t *quantum_iters)
{
    int64_t from = g->now_ns;
    struct task *t = &g->tasks[i];
    bool stays = true;
    if (t->does == TASK_TOUCHES)
        touch_piece(g, t);
    else if (t->does == TASK_WORDS)
        stays = pio_piece(g, i);
    else if (t->does == TASK_KEEPS)
        secret_piece(g, t);
    else
        ops_piece(t);
    look(g);
    uint64_t took = to_iters(g, g->now_ns - from);
    *quantum_iters -= took < *quantum_iters ? took : *quantum_iters;
    return stays;
}

/* A piece of the step under way: at most a chunk, and what is left of the quantum. */
static void work(struct guest *g, struct task *t, uint64_t *quantum_iters)
{
    uint64_t piece = t->does == TASK_WORKS && t->iters < g->chunk ? t->iters : g->chunk;
    if (t->does == TASK_BUSY) piece = g->chunk / 16 + 1; /* to end near the time asked for */
    if (piece > *quantum_iters) piece = *quantum_iters;
    abi_spin(piece);
    *quantum_iters -= piece;
    look(g);
    if (t->does == TASK_BUSY) {
        if (g->now_ns >= t->busy_until_ns) t->does = TASK_NEXT;
        return;
    }
    t->iters -= piece;
    works(t);
}

/* In line for the lock: a turn of spinning is work like any other. */
static void spin(struct guest *g, struct task *t, uint64_t *quantum_iters)
{
    bool holds = lock_spin(g, t);
    look(g);
    *quantum_iters -= g->chunk < *quantum_iters ? g->chunk : *quantum_iters;
    if (holds) works(t);
}

/* Draws the next step and enters it. False: the task has given up the vCPU. */
static bool step(struct guest *g, uint32_t i)
{
    struct task *t = &g->tasks[i];
    struct prog_act a = prog_next(&t->prog, g->prog);
    int64_t until;
    if (a.kind != STEP_END && a.amount == 0) return true;
    if (__builtin_add_overflow(g->now_ns, a.amount, &until)) until = INT64_MAX;
    switch (a.kind) {
    case STEP_CPU:
        t->iters = to_iters(g, a.amount);
        works(t);
        return true;
    case STEP_BUSY:
        t->busy_until_ns = until;
        t->does = TASK_BUSY;
        return true;
    case STEP_SLEEP: timers_push(&g->timers, until, i); return false;
    case STEP_LOCK:
        t->iters = to_iters(g, a.amount);
        t->does = TASK_LINE;
        lock_begin(t);
        return true;
    case STEP_OPS:
        t->op = a.step->how;
        t->ops = (uint64_t)a.amount;
        t->does = TASK_OPS;
        return true;
    case STEP_DISK: return disk_begin(g, i, &a);
    case STEP_NET: return net_begin(g, i, &a);
    case STEP_TOUCH: touch_begin(g, t, &a); return true;
    case STEP_SECRET: secret_begin(g, t, a.amount); return true;
    case STEP_ACCESS: touch_refused(g, a.step->how); io_abort(ABI_ABORT_STEP);
    case STEP_END: return complete(g, i);
    default: io_abort(ABI_ABORT_STEP); /* the runner refuses it before */
    }
}

/* Runs a task until it gives up the vCPU. */
static void serve(struct guest *g, uint32_t i)
{
    struct task *t = &g->tasks[i];
    uint64_t whole = g->boot->quantum_ns > 0 ? to_iters(g, g->boot->quantum_ns) + 1 : UINT64_MAX;
    uint64_t quantum = whole;
    while (!g->over) {
        switch (t->does) {
        case TASK_WORKS:
        case TASK_BUSY: work(g, t, &quantum); break;
        case TASK_LINE: spin(g, t, &quantum); break;
        case TASK_TOUCHES:
        case TASK_WORDS:
        case TASK_KEEPS:
        case TASK_OPS:
            if (!by_clock(g, i, &quantum)) return;
            break;
        case TASK_NEXT:
            if (!step(g, i)) return;
        }
        if (quantum == 0) {
            quantum = whole;
            if (g->n_ready > 0) {
                ready_push(g, i);
                return;
            }
        }
    }
}

static void tasks_begin(struct guest *g)
{
    const struct abi_boot *b = g->boot;
    g->free_task = NO_TASK;
    g->line_head = NO_TASK;
    if (!b->requests) {
        /* One vCPU serves all tasks; of several each has the task of its own number, or none. */
        uint32_t n = b->n_vcpus == 1 ? b->threads : g->vcpu < b->threads;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t task = b->n_vcpus == 1 ? i : g->vcpu;
            begin(g, &g->tasks[i], task, 0);
            if (quota(g, task) > 0) ready_push(g, i);
        }
        return;
    }
    for (uint32_t i = b->threads == 0 ? ABI_MAX_TASKS : b->threads; i-- > 0; g->free_task = i)
        g->tasks[i].next = g->free_task;
    if (b->arrivals != ABI_CLOSED) return;
    for (uint32_t c = 0; c < b->clients; c++)
        think(g, c, b->start_ns);
}

void tasks_run(struct guest *g)
{
    io_clock(g);
    arrivals_begin(g);
    tasks_begin(g);
    for (look(g); !g->over; look(g)) {
        if (g->n_ready > 0) {
            serve(g, ready_pop(g));
            continue;
        }
        int64_t next = next_due(g);
        dev_wait(g, next < g->boot->end_ns ? next : g->boot->end_ns,
                 g->n_disk > 0  ? ABI_PORT_WAIT_DISK
                 : net_waits(g) ? ABI_PORT_WAIT_NET
                                : ABI_PORT_WAIT);
    }
    io_wait(g, g->boot->end_ns);
}
