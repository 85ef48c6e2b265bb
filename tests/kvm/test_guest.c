// SPDX-License-Identifier: GPL-3.0-or-later
/* The payload does the very work that the library's interpreter does in this process: same draws, same
 * checksum, same arrivals; and its times are what the program says. */
#include "lab.h"

Suite *guest_suite(void);

static const struct step drawn[] = {
    {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_EXPONENTIAL, .a = 300000}},
    {.kind = STEP_BUSY,
     .probability = UINT32_MAX / 3,
     .amount = {.kind = DIST_LOGNORMAL, .a = 200000, .b = 100000}},
    {.kind = STEP_SLEEP,
     .probability = UINT32_MAX / 2,
     .amount = {.kind = DIST_UNIFORM, .a = 0, .b = 400000}},
};

static const char *const schedulers[] = {"eevdf", "rr", "stride", "credit", "cfs", "bvt"};

START_TEST(a_loop_has_the_librarys_checksum)
{
    enum { N = 200 };
    struct lab *l = lab_new(schedulers[_i], 1, 2, 600000000);
    for (uint32_t i = 0; i < 2; i++) {
        lab_set_prog(l, i, drawn, 3);
        l->vms[i].work.until = N;
    }
    lab_run_well(l);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(l->seen[i].n[REC_WORK], N);
        ck_assert_uint_eq(l->seen[i].n[REC_UNTIL], 1);
        ck_assert_uint_eq(l->seen[i].n_events[REC_EV_FINISHED], 1);
        ck_assert_uint_eq(l->rep.checksum[i], lab_expected(l, i, 0, N));
        ck_assert_int_gt(l->seen[i].state_ns[VCPU_IDLE], 100000000); /* it is done and stays up */
    }
    ck_assert_uint_ne(l->rep.checksum[0], l->rep.checksum[1]);
    lab_free(l);
}
END_TEST

START_TEST(requests_have_the_librarys_checksum_and_arrivals)
{
    enum { N = 150 };
    struct lab *l = lab_new(schedulers[_i], 1, 1, 600000000);
    struct sc_workload *w = &l->vms[0].work;
    lab_set_prog(l, 0, drawn, 1);
    l->stretch = (struct sc_stretch){.kind = SC_POISSON, .gap_ns = 2000000, .for_ns = INT64_MAX};
    w->requests = true;
    w->arrivals = SC_POISSON;
    w->stretches = &l->stretch;
    w->n_stretches = 1;
    w->until = N;
    lab_run_well(l);
    const struct lab_vm *v = &l->seen[0];
    ck_assert_uint_eq(v->n[REC_DONE], N);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < N; i++) { /* request i is iteration i of task 0 */
        struct prog_task t;
        prog_begin(&t, lab_key("v0", RNG_STEPS), 0, i);
        while (prog_next(&t, w->prog).kind != STEP_END) {
        }
        sum = (sum + t.checksum) & PROG_CHECKSUM_MASK;
    }
    ck_assert_uint_eq(l->rep.checksum[0], sum);
    ck_assert_uint_eq(v->n[REC_ARRIVE], N); /* no more come than that */
    lab_free(l);
}
END_TEST

START_TEST(open_arrivals_come_as_the_library_draws_them)
{
    struct lab *l = lab_new(schedulers[_i], 1, 1, 500000000);
    struct sc_workload *w = &l->vms[0].work;
    struct sc_stretch stretches[] = {{SC_POISSON, 3000000, 200000000}, {SC_PERIODIC, 7000000, INT64_MAX}};
    lab_set_prog(l, 0, drawn, 1);
    w->requests = true;
    w->arrivals = SC_SEQUENCE;
    w->stretches = stretches;
    w->n_stretches = 2;
    lab_run_well(l);
    struct dist gap = {.kind = DIST_EXPONENTIAL, .a = 3000000};
    struct rng r = rng_at(lab_key("v0", RNG_ARRIVAL), 0, 0);
    draw_make(&gap);
    uint64_t n = 0;
    for (int64_t t = draw_amount(&gap, &r, NULL, 0); t < 200000000; t += draw_amount(&gap, &r, NULL, 0))
        n++;
    n += (500000000 - 1 - 200000000) / 7000000;
    ck_assert_uint_eq(l->seen[0].n[REC_ARRIVE], n);
    ck_assert_uint_eq(l->seen[0].n[REC_DONE] + l->seen[0].n[REC_OPEN], n);
    lab_free(l);
}
END_TEST

START_TEST(all_arrivals_come_and_a_full_queue_loses)
{
    struct lab *l = lab_new("rr", 1, 1, 500000000);
    struct sc_workload *w = &l->vms[0].work;
    l->stretch = (struct sc_stretch){.kind = SC_PERIODIC, .gap_ns = 300000, .for_ns = INT64_MAX};
    w->requests = true; /* 1 ms of work every .3 ms: most are lost */
    w->arrivals = SC_PERIODIC;
    w->stretches = &l->stretch;
    w->n_stretches = 1;
    w->queue_max = 5;
    lab_run_well(l);
    const struct lab_vm *v = &l->seen[0];
    ck_assert_uint_eq(v->n[REC_ARRIVE] + v->n[REC_LOST], 500000000 / 300000);
    ck_assert_uint_eq(v->n[REC_DONE] + v->n[REC_OPEN], v->n[REC_ARRIVE]);
    ck_assert_uint_eq(v->n_events[REC_EV_LOST], v->n[REC_LOST]);
    /* One in service and five that wait, or one less just after an answer. */
    ck_assert_uint_ge(v->n[REC_OPEN], 5);
    ck_assert_uint_le(v->n[REC_OPEN], 6);
    ck_assert_uint_gt(v->n[REC_LOST], 900);
    lab_free(l);
}
END_TEST

START_TEST(clients_think_and_their_cycles_are_their_own)
{
    enum { N = 60 };
    struct lab *l = lab_new(schedulers[_i], 1, 1, 600000000);
    struct sc_workload *w = &l->vms[0].work;
    lab_set_prog(l, 0, drawn, 2);
    w->requests = true;
    w->arrivals = SC_CLOSED;
    w->clients = 1;
    w->think = (struct dist){.kind = DIST_EXPONENTIAL, .a = 3000000};
    draw_make(&w->think);
    w->until = N;
    lab_run_well(l);
    ck_assert_uint_eq(l->seen[0].n[REC_DONE], N);
    ck_assert_uint_eq(l->rep.checksum[0], lab_expected(l, 0, 0, N));
    lab_free(l);
}
END_TEST

START_TEST(tasks_share_a_vcpu_first_come_first_served)
{
    struct lab *l = lab_new("rr", 1, 1, 300000000);
    static const struct step steps[] = {
        {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1000000}},
        {.kind = STEP_SLEEP, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1000000}}};
    lab_set_prog(l, 0, steps, 2);
    l->vms[0].work.threads = 4; /* 1 ms of work each, 1 ms asleep: the vCPU is never idle for long */
    lab_run_well(l);
    ck_assert_int_lt(l->seen[0].state_ns[VCPU_IDLE], 30000000);
    ck_assert_uint_gt(l->seen[0].n[REC_WORK], 150);
    lab_free(l);
}
END_TEST

/* Two tasks of 10 ms an iteration on one vCPU: in turns of a quantum both take twice as long; without one the
 * first keeps the vCPU for good. */
START_TEST(a_quantum_lets_tasks_take_turns)
{
    static const struct step steps[] = {
        {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 10000000}}};
    double ratio[9];
    for (int k = 0; k < 18; k++) { /* without and with, in turn */
        struct lab *l = lab_new("rr", 1, 1, 150000000);
        lab_set_prog(l, 0, steps, 1);
        l->vms[0].work.threads = 2;
        l->vms[0].guest_quantum_ns = k % 2 == 0 ? 0 : 500000;
        lab_run_well(l);
        double ms = lab_median_ms(l->seen[0].work_ns, l->seen[0].n_work);
        ratio[k / 2] = k % 2 == 0 ? ms : ms / ratio[k / 2];
        lab_free(l);
    }
    double all = lab_median(ratio, 9);
    ck_assert_msg(all > 1.7 && all < 2.3, "with a quantum %.2f of the time", all);
}
END_TEST

START_TEST(unlimited_threads_serve_all_at_once)
{
    static const struct step steps[] = {
        {.kind = STEP_SLEEP, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 50000000}}};
    struct lab *l = lab_new("rr", 1, 1, 300000000);
    struct sc_workload *w = &l->vms[0].work;
    lab_set_prog(l, 0, steps, 1);
    l->stretch = (struct sc_stretch){.kind = SC_PERIODIC, .gap_ns = 1000000, .for_ns = INT64_MAX};
    w->requests = w->unlimited = true;
    w->threads = 0;
    w->arrivals = SC_PERIODIC;
    w->stretches = &l->stretch;
    w->n_stretches = 1;
    lab_run_well(l);
    ck_assert_uint_eq(l->seen[0].n[REC_ARRIVE], 299);
    /* each sleeps 50 ms and waits for nobody: 50 are inside, give or take what a late clock costs */
    ck_assert_uint_ge(l->seen[0].n[REC_OPEN], 49);
    ck_assert_uint_le(l->seen[0].n[REC_OPEN], 56);
    lab_free(l);
}
END_TEST

START_TEST(more_requests_than_the_payload_holds_fail_the_run)
{
    static const struct step steps[] = {
        {.kind = STEP_SLEEP, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 5000000000}}};
    struct lab *l = lab_new("rr", 1, 1, 600000000);
    struct sc_workload *w = &l->vms[0].work;
    lab_set_prog(l, 0, steps, 1);
    l->stretch = (struct sc_stretch){.kind = SC_PERIODIC, .gap_ns = 50000, .for_ns = INT64_MAX};
    w->requests = w->unlimited = true;
    w->threads = 0;
    w->arrivals = SC_PERIODIC;
    w->stretches = &l->stretch;
    w->n_stretches = 1;
    ck_assert_int_eq(lab_run(l), KVM_FAILED);
    ck_assert_ptr_nonnull(strstr(l->why, "more requests are under way than it can hold (4096)"));
    lab_free(l);
}
END_TEST

START_TEST(every_vcpu_has_its_task)
{
    struct lab *l = lab_new(schedulers[_i], 2, 1, 300000000);
    l->vms[0].vcpus = 2;
    l->vms[0].work.threads = 2;
    lab_run_well(l);
    ck_assert_int_gt(l->pcpu_ns[0][0], 200000000);
    ck_assert_int_gt(l->pcpu_ns[1][0], 200000000);
    lab_free(l);
}
END_TEST

START_TEST(tasks_share_an_until_count)
{
    enum { N = 101, TASKS = 4 };
    struct lab *l = lab_new(schedulers[_i], 2, 1, 600000000);
    lab_set_prog(l, 0, drawn, 3);
    l->vms[0].vcpus = _i == 0 ? 1 : 2; /* four tasks on one vCPU, or two on two */
    l->vms[0].work.threads = _i == 0 ? TASKS : 2;
    l->vms[0].work.until = N;
    lab_run_well(l);
    uint64_t sum = 0, n = l->vms[0].work.threads;
    for (uint64_t t = 0; t < n; t++)
        sum = (sum + lab_expected(l, 0, t, N / n + (t < N % n))) & PROG_CHECKSUM_MASK;
    ck_assert_uint_eq(l->seen[0].n[REC_WORK], N);
    ck_assert_uint_eq(l->seen[0].n[REC_UNTIL], 1);
    ck_assert_uint_eq(l->rep.checksum[0], sum);
    lab_free(l);
}
END_TEST

START_TEST(a_vm_that_starts_later_is_down_before)
{
    struct lab *l = lab_new(schedulers[_i], 1, 2, 400000000);
    l->vms[1].start_ns = 150000000;
    lab_run_well(l);
    ck_assert_int_eq(l->seen[0].state_ns[VCPU_DOWN], 0);
    ck_assert_int_eq(l->seen[1].state_ns[VCPU_DOWN], 150000000);
    ck_assert_uint_eq(l->seen[1].n_events[REC_EV_STARTED], 1);
    lab_free(l);
}
END_TEST

START_TEST(what_cannot_be_is_refused_by_name)
{
    struct lab *l = lab_new("eevdf", 1, 1, 100000000);
    l->vms[0].vcpus = 2;
    l->vms[0].work.threads = 3;
    ck_assert_int_eq(lab_run(l), KVM_CANNOT);
    ck_assert_ptr_nonnull(strstr(l->why, "not possible on this backend: vms.v0.workload.threads"));
    free(l->why);
    l->vms[0].vcpus = 1;
    l->vms[0].reservation_ppm = 100000;
    ck_assert_int_eq(lab_run(l), KVM_CANNOT);
    ck_assert_ptr_nonnull(strstr(l->why, "vms.v0.cpu.reservation"));
    free(l->why);
    l->vms[0].reservation_ppm = 0;
    l->host.speed_ppm = 500000;
    ck_assert_int_eq(lab_run(l), KVM_CANNOT);
    ck_assert_ptr_nonnull(strstr(l->why, "hosts.h1.cpu.speed"));
    free(l->why);
    l->host.speed_ppm = 1000000;
    l->host.cores = 200;
    ck_assert_int_eq(lab_run(l), KVM_NO_KVM);
    ck_assert_ptr_nonnull(strstr(l->why, "hosts.h1.cpu.cores"));
    lab_free(l);
}
END_TEST

/* The payload itself sees to it that one is inside at a time, and gives up otherwise. Both vCPUs get in. */
START_TEST(a_lock_lets_one_in_at_a_time)
{
    struct lab *l = lab_new(schedulers[_i], 2, 1, 300000000);
    const struct step s = {
        .kind = STEP_LOCK, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 2000}};
    lab_set_prog(l, 0, &s, 1);
    l->vms[0].vcpus = l->vms[0].work.threads = 2;
    l->vms[0].work.until = 2000;
    lab_run_well(l);
    ck_assert_msg(!l->rep.ends[0], "%s", l->rep.ends[0]);
    ck_assert_uint_eq(l->seen[0].n[REC_UNTIL], 1);
    uint64_t sum = lab_expected(l, 0, 0, 1000) + lab_expected(l, 0, 1, 1000);
    ck_assert_uint_eq(l->rep.checksum[0], sum & PROG_CHECKSUM_MASK);
    lab_free(l);
}
END_TEST

/* What leaves the guest is counted by who handles it, to the last one; a call is nobody's business. */
START_TEST(exits_are_counted_by_reason)
{
    static const struct {
        enum prog_op op;
        int64_t n, exits; /* an iteration */
    } ops[] = {
        {OP_IO_PORT, 7, 7}, {OP_HLT, 3, 3}, {OP_MMIO, 5, 5}, {OP_DOORBELL, 11, 11}, {OP_CALL_RET, 9000, 0}};
    enum { N = 20 };
    struct lab *l = lab_new(schedulers[_i], 1, 5, 600000000);
    for (uint32_t i = 0; i < 5; i++) {
        struct step s = {
            .kind = STEP_OPS, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = ops[i].n}};
        s.how = ops[i].op;
        lab_set_prog(l, i, &s, 1);
        l->vms[i].work.until = N;
    }
    lab_run_well(l);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(l->seen[i].n[REC_UNTIL], 1);
        ck_assert_uint_eq(l->rep.checksum[i], lab_expected(l, i, 0, N));
        for (uint32_t op = 0; op < PROG_NOPS; op++)
            ck_assert_int_eq(l->seen[i].exits[op], op == ops[i].op ? N * ops[i].exits : 0);
    }
    lab_free(l);
}
END_TEST

Suite *guest_suite(void)
{
    Suite *s = suite_create("guest");
    if (!lab_usable("guest")) return s;
    TCase *t = tcase_create("guest");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_loop_has_the_librarys_checksum, 0, 6);
    tcase_add_loop_test(t, requests_have_the_librarys_checksum_and_arrivals, 0, 2);
    tcase_add_loop_test(t, open_arrivals_come_as_the_library_draws_them, 0, 2);
    tcase_add_test(t, all_arrivals_come_and_a_full_queue_loses);
    tcase_add_loop_test(t, clients_think_and_their_cycles_are_their_own, 0, 2);
    tcase_add_test(t, tasks_share_a_vcpu_first_come_first_served);
    tcase_add_test(t, a_quantum_lets_tasks_take_turns);
    tcase_add_test(t, unlimited_threads_serve_all_at_once);
    tcase_add_test(t, more_requests_than_the_payload_holds_fail_the_run);
    tcase_add_loop_test(t, every_vcpu_has_its_task, 0, 2);
    tcase_add_loop_test(t, tasks_share_an_until_count, 0, 2);
    tcase_add_loop_test(t, a_vm_that_starts_later_is_down_before, 0, 2);
    tcase_add_loop_test(t, a_lock_lets_one_in_at_a_time, 0, 2);
    tcase_add_loop_test(t, exits_are_counted_by_reason, 0, 2);
    tcase_add_test(t, what_cannot_be_is_refused_by_name);
    suite_add_tcase(s, t);
    return s;
}
