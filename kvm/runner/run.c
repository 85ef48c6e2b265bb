// SPDX-License-Identifier: GPL-3.0-or-later
/* A run on real guests: prepare, let go, watch, clean up. Whatever happens, no process and no cgroup stays.
 */
#include "kvm/runner/run.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "kvm/runner/boot.h"
#include "kvm/runner/dispatch.h"
#include "kvm/runner/janitor.h"
#include "kvm/runner/measure.h"
#include "kvm/runner/native.h"
#include "kvm/runner/nets.h"
#include "kvm/runner/pagepool.h"
#include "kvm/runner/stores.h"

#define LEAD_NS       3000000 /* from letting go to t = 0, and for each vCPU, to come to its gate: */
#define LEAD_VCPU_NS  500000
#define EXIT_EARLY_NS 5000000 /* a guest that leaves so long before the end did not mean to stay */
#define POLL_NS       20000000
#define GRACE_NS      1000000000 /* after the end, for guests to finish their logs */
#define MEASURE_N     61         /* of 1 ms: most lie within one slice of a busy machine */
#define MEASURE_NS    1000000

struct watch {
    struct run r;
    struct native *native;
    struct dispatch *dispatch;
    bool dispatching;
    int signal_fd;
    sigset_t old_mask;
    int64_t stolen_ns, began_abs_ns;
    struct janitor janitor;
    int64_t setup_ns;
    int64_t others_ns; /* that other processes took from vCPUs let in by the dispatcher */
};

static void set_up_tables(struct run *r)
{
    const struct scenario *sc = r->sc;
    r->n_vms = sc->n_vms;
    r->vms = calloc(sc->n_vms + 1, sizeof *r->vms);
    ASSERT(r->vms);
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        r->vms[i] = (struct run_vm){
            .sc = &sc->vms[i], .first = r->n_vcpus, .down_ns = INT64_MAX, .log_most = RUN_LOG_MOST};
        r->vms[i].proc.pidfd = -1;
        r->n_vcpus += sc->vms[i].vcpus;
    }
    r->vcpus = calloc(r->n_vcpus + 1, sizeof *r->vcpus);
    ASSERT(r->vcpus);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        for (uint32_t k = 0; k < sc->vms[i].vcpus; k++)
            r->vcpus[r->vms[i].first + k] = (struct run_vcpu){.vm = i, .index = k};
}

/* SIGINT and its like become readable: they end the run, not the process, so that it can clean up. */
static void catch_signals(struct watch *w)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGINT);
    sigaddset(&s, SIGTERM);
    sigaddset(&s, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &s, &w->old_mask);
    w->signal_fd = signalfd(-1, &s, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool was_interrupted(const struct watch *w)
{
    struct signalfd_siginfo si;
    return w->signal_fd >= 0 && read(w->signal_fd, &si, sizeof si) == (ssize_t)sizeof si;
}

static enum kvm_status interrupted(char **why)
{
    *why = host_text("interrupted");
    return KVM_FAILED;
}

static enum kvm_status pace(struct run *r, char **why)
{
    r->iters_per_ns = r->pc->measured.iters_per_ns;
    if (r->iters_per_ns > 0) return KVM_OK;
    struct measure m = {0};
    if (measure_loop(&r->host, MEASURE_N, MEASURE_NS, &m, why) != 0) return KVM_FAILED;
    r->iters_per_ns = measure_at(&m, MEASURE_PACE);
    return KVM_OK;
}

/* Where a VM under Linux's scheduler lives, from its first instruction: what it does elsewhere while it is
 * set up counts for a while in what Linux gives its group here. */
static int first_cpu(const struct watch *w, const struct run_vm *vm)
{
    return w->native ? w->r.host.cpus[native_pcpu(w->native, vm->first)] : -1;
}

static enum kvm_status start_vms(struct watch *w, char **why)
{
    struct run *r = &w->r;
    for (uint32_t i = 0; i < r->n_vms; i++) {
        const struct sc_vm *v = r->vms[i].sc;
        const struct boot_memory memory = boot_memory(v, r->pc);
        const struct boot_net net = nets_boot(r, i);
        int boot = boot_make(&r->host, v, &memory, &net, &r->sc->run, r->seed, r->iters_per_ns, why);
        if (boot < 0) return KVM_FAILED;
        struct vmproc_cfg cfg = {.name = v->name,
                                 .n_vcpus = v->vcpus,
                                 .memory = memory,
                                 .gated = w->dispatch != NULL,
                                 .start_ns = v->start_ns < r->end_ns ? v->start_ns : r->end_ns,
                                 .boot_fd = boot,
                                 .payload_fd = r->own.payload_fds ? r->own.payload_fds[i] : -1,
                                 .pages_fd = pagepool_pages_fd(r->pool, i),
                                 .store_fd = pagepool_store_fd(r->pool, i),
                                 .pool = pagepool_of(r->pool, i),
                                 .no_move = r->own.no_move,
                                 .cpu = first_cpu(w, &r->vms[i])};
        struct vmproc_dev devs[ABI_MAX_DEVS];
        const struct vmproc_dev *disks = stores_devs(r, i, &cfg.n_devs);
        if (cfg.n_devs > 0) memcpy(devs, disks, cfg.n_devs * sizeof *devs);
        if (cfg.n_devs < ABI_MAX_DEVS && nets_dev(r, i, &devs[cfg.n_devs])) cfg.n_devs++;
        cfg.devs = devs;
        int e = vmproc_start(&r->vms[i].proc, &r->host, &cfg, why);
        close(boot);
        pagepool_started(r->pool, i);
        if (e != 0) return KVM_FAILED;
    }
    for (uint32_t i = 0; i < r->n_vms; i++) {
        if (vmproc_wait_ready(&r->vms[i].proc, r->vms[i].sc->name, why) != 0) return KVM_FAILED;
        if (was_interrupted(w)) return interrupted(why);
    }
    if (pagepool_begin(r->pool, why) != 0) return KVM_FAILED;
    stores_release(r);
    nets_release(r);
    return KVM_OK;
}

static void set_zero(struct run *r)
{
    uint64_t tsc;
    int64_t now;
    host_clock_pair(&tsc, &now);
    int64_t lead = LEAD_NS + r->n_vcpus * (int64_t)LEAD_VCPU_NS;
    r->zero_abs_ns = now + lead;
    stores_go(r);
    nets_go(r);
    tsc += (uint64_t)(((unsigned __int128)(uint64_t)lead << 32) / r->host.ns_per_tsc_q32);
    pagepool_go(r->pool, r->zero_abs_ns);
    for (uint32_t i = 0; i < r->n_vms; i++)
        vmproc_go(&r->vms[i].proc, r->zero_abs_ns, tsc);
}

static void set_down(struct run *r, struct run_vm *vm, struct ctl_end end)
{
    int64_t t = end.at_ns - r->zero_abs_ns;
    vm->end = end;
    vm->down_ns = t < 0 ? 0 : t;
    __atomic_store_n(&vm->down, 1, __ATOMIC_RELEASE);
}

/* The end of the vCPU that broke off first; its siblings were ended by it. To exit is an end of this kind
 * only where the run goes on. */
static const struct ctl_end *first_end(const struct run *r, const struct run_vm *vm)
{
    int64_t over_abs_ns = r->zero_abs_ns + r->end_ns - EXIT_EARLY_NS;
    const struct ctl_end *best = NULL;
    for (uint32_t i = 0; i < vm->proc.n_vcpus; i++) {
        const struct ctl_end *e = &vm->proc.ctl->v[i].end;
        if (vmproc_state(&vm->proc, i) != CTL_ENDED || e->cause == CTL_SIBLING) continue;
        if (e->cause == CTL_EXIT && e->at_ns >= over_abs_ns) continue;
        if (!best || e->at_ns < best->at_ns) best = e;
    }
    return best;
}

/* What of it cannot be, in words; NULL: nothing. */
static const char *nonsense(struct watch *w, struct run_vm *vm)
{
    if (!guestlog_drain(&w->r, vm)) return "its log overran or held what cannot be";
    if (w->native && !native_sane(w->native, (uint32_t)(vm - w->r.vms)))
        return "its VMM told of waits that cannot be";
    return NULL;
}

/* Looks after one VM: its log, and whether it is still there. True: it went down just now. */
static bool look_after(struct watch *w, struct run_vm *vm)
{
    struct run *r = &w->r;
    if (run_is_down(vm)) return false;
    const char *bad = nonsense(w, vm);
    const struct ctl_end *e = first_end(r, vm);
    struct ctl_end end = {.at_ns = host_now()};
    if (e) {
        end = *e;
        ends_check(&end);
    } else if (pagepool_gave_up(r->pool, (uint32_t)(vm - r->vms), &end)) {
    } else if (bad) {
        end.cause = CTL_ABI;
        snprintf(end.text, sizeof end.text, "%s", bad);
    } else if (vmproc_gone(&vm->proc) && !vmproc_all_ended(&vm->proc)) {
        end.cause = CTL_KILLED;
        end.code = (uint32_t)vm->proc.signal;
    }
    exits_count(r, vm);
    if (end.cause == CTL_NOT_ENDED) return false;
    if (e && !bad) guestlog_drain(r, vm); /* what it wrote before it ended */
    if ((!e || e->cause == CTL_EXIT) && vm->proc.pid != 0) kill(vm->proc.pid, SIGKILL);
    set_down(r, vm, end);
    return true;
}

static void look_after_all(struct watch *w)
{
    bool any = false;
    if (w->native) native_poll(w->native);
    for (uint32_t i = 0; i < w->r.n_vms; i++)
        any |= look_after(w, &w->r.vms[i]);
    stores_poll(&w->r);
    nets_poll(&w->r);
    if (any && w->dispatching) dispatch_wake(w->dispatch);
}

/* Sleeps for a while, or until a signal or the end of a VMM. */
static void rest(struct watch *w, int64_t until_abs_ns)
{
    struct run *r = &w->r;
    struct pollfd *pf = calloc(r->n_vms + 1, sizeof *pf);
    ASSERT(pf);
    nfds_t n = 0;
    pf[n++] = (struct pollfd){.fd = w->signal_fd, .events = POLLIN};
    for (uint32_t i = 0; i < r->n_vms; i++)
        if (!r->vms[i].proc.gone && !run_is_down(&r->vms[i]))
            pf[n++] = (struct pollfd){.fd = r->vms[i].proc.pidfd, .events = POLLIN};
    int64_t left = until_abs_ns - host_now();
    if (left > POLL_NS) left = POLL_NS;
    struct timespec t = {.tv_nsec = left > 0 ? left : 0};
    ppoll(pf, n, &t, NULL);
    free(pf);
}

static enum kvm_status watch_until_end(struct watch *w, char **why)
{
    int64_t end_abs = w->r.zero_abs_ns + w->r.end_ns;
    while (host_now() < end_abs) {
        rest(w, end_abs);
        if (was_interrupted(w)) return interrupted(why);
        look_after_all(w);
    }
    return KVM_OK;
}

static bool all_over(const struct run *r)
{
    for (uint32_t i = 0; i < r->n_vms; i++)
        if (!run_is_down(&r->vms[i]) && !vmproc_all_ended(&r->vms[i].proc)) return false;
    return true;
}

/* After the end guests may run as they like, to write what their logs still lack; who does not come to an
 * end then is stopped. */
static void let_finish(struct watch *w)
{
    struct run *r = &w->r;
    for (uint32_t i = 0; i < r->n_vms; i++) {
        struct ctl *c = r->vms[i].proc.ctl;
        r->vms[i].log_most = r->vms[i].n_log + (uint64_t)r->vms[i].proc.n_vcpus * ABI_LOG_LEN;
        __atomic_store_n(&c->free_run, 1, __ATOMIC_RELEASE);
        for (uint32_t k = 0; k < r->vms[i].proc.n_vcpus; k++)
            syscall(SYS_futex, &c->v[k].gate, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    }
    int64_t until = host_now() + GRACE_NS;
    while (!all_over(r) && host_now() < until) {
        host_sleep_until(host_now() + 1000000);
        look_after_all(w);
    }
    for (uint32_t i = 0; i < r->n_vms; i++) {
        struct run_vm *vm = &r->vms[i];
        look_after(w, vm);
        if (run_is_down(vm) || vmproc_all_ended(&vm->proc)) continue;
        set_down(r, vm, (struct ctl_end){.cause = CTL_STRAY, .at_ns = r->zero_abs_ns + r->end_ns});
    }
}

static enum kvm_status broken_end(const struct run *r, char **why)
{
    for (uint32_t i = 0; i < r->n_vms; i++) {
        const struct run_vm *vm = &r->vms[i];
        if (!run_is_down(vm) || (vm->end.cause != CTL_ABORT && vm->end.cause != CTL_REFUSED)) continue;
        *why = ends_text(vm->sc->name, &vm->end);
        return KVM_FAILED;
    }
    return KVM_OK;
}

/* CPU time of all vCPU threads so far. A thread that is gone counts nothing: then less is told, not more. */
static int64_t vcpus_cpu_ns(const struct run *r)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < r->n_vcpus; i++) {
        int64_t ns =
            host_thread_ns((int)run_vm_of(r, i)->proc.pid, run_vm_of(r, i)->proc.tid[r->vcpus[i].index]);
        sum += ns > 0 ? ns : 0;
    }
    return sum;
}

static int64_t vcpus_run_ns(const struct run *r)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < r->n_vcpus; i++)
        for (size_t j = 0; j < r->vcpus[i].recs.n; j++) {
            const struct rec *x = &r->vcpus[i].recs.v[j];
            if (x->kind == REC_STATE && x->from == VCPU_RUN) sum += x->value;
        }
    return sum;
}

static enum kvm_status go(struct watch *w, char **why)
{
    struct run *r = &w->r;
    enum kvm_status st = w->native ? native_begin(w->native, why) : KVM_OK;
    if (st != KVM_OK) return st;
    w->stolen_ns = host_stolen_ns(&r->host, r->pc->cores);
    set_zero(r);
    w->began_abs_ns = r->zero_abs_ns;
    if (w->dispatch) {
        w->others_ns = vcpus_cpu_ns(r);
        w->dispatching = true;
        if (dispatch_begin(w->dispatch, why) != 0) st = KVM_FAILED;
    }
    if (st == KVM_OK) st = watch_until_end(w, why);
    if (w->dispatching) {
        w->others_ns = vcpus_cpu_ns(r) - w->others_ns;
        dispatch_finish(w->dispatch, st != KVM_OK);
        /* A thread's count is up to a tick behind: so much is not held against anybody. */
        w->others_ns = vcpus_run_ns(r) - w->others_ns - r->n_vcpus * host_tick_ns();
        /* While a fault is served its vCPU keeps its pCPU, and its thread sleeps. */
        w->others_ns -= pagepool_held_ns(r->pool);
    }
    w->stolen_ns = host_stolen_ns(&r->host, r->pc->cores) - w->stolen_ns;
    /* It is counted in jiffies, and the first may belong to what was before: one a CPU is not held against
     * it. */
    w->stolen_ns -= r->pc->cores * (INT64_C(1000000000) / sysconf(_SC_CLK_TCK));
    if (w->stolen_ns < 0) w->stolen_ns = 0;
    pagepool_over(r->pool);
    if (st != KVM_OK) return st;
    let_finish(w);
    pagepool_stop(r->pool);
    if (w->native && native_finish(w->native, why) != 0) return KVM_FAILED;
    if (stores_report(r, why) != 0) return KVM_FAILED;
    return broken_end(r, why);
}

static void clean_up(struct watch *w)
{
    struct run *r = &w->r;
    pagepool_free(r->pool);
    for (uint32_t i = 0; i < r->n_vms; i++) {
        vmproc_stop(&r->vms[i].proc);
        recs_done(&r->vms[i].recs);
        free(r->vms[i].arrived);
    }
    stores_stop(r);
    nets_stop(r);
    free(r->note);
    cgroup_remove(&r->groups, r->n_vms + r->n_stores);
    janitor_dismiss(&w->janitor);
    native_free(w->native);
    dispatch_free(w->dispatch);
    for (uint32_t i = 0; i < r->n_vcpus; i++)
        recs_done(&r->vcpus[i].recs);
    recs_done(&r->recs);
    free(r->vms);
    free(r->vcpus);
    if (w->signal_fd >= 0) close(w->signal_fd);
    host_close(&r->host);
    pthread_sigmask(SIG_SETMASK, &w->old_mask, NULL);
}

static enum kvm_status prepare(struct watch *w, char **why)
{
    struct run *r = &w->r;
    enum kvm_status st = pace(r, why);
    if (st != KVM_OK) return st;
    if (strcmp(r->pc->scheduler, "eevdf") == 0) {
        w->native = native_new(r, &st, why);
        if (!w->native) return st;
    } else {
        w->dispatch = dispatch_new(r, why);
        if (!w->dispatch) return KVM_FAILED;
        r->dispatch = w->dispatch;
    }
    st = weights_make(r, w->native != NULL, why);
    if (st == KVM_OK) st = stores_start(r, why);
    if (st == KVM_OK) st = nets_start(r, why);
    if (st == KVM_OK) st = pagepool_new(r, r->own.store_fd, &r->pool, why);
    int64_t from = host_now();
    if (st == KVM_OK) st = start_vms(w, why);
    w->setup_ns = host_now() - from;
    return st == KVM_OK ? weights_join(r, why) : st;
}

static enum kvm_status run_all(struct watch *w, struct rec_block *out, struct kvm_report *rep, char **why)
{
    struct run *r = &w->r;
    *why = r->own.native ? refuse_native(r->sc) : refuse_scenario(r->sc);
    if (*why) return KVM_CANNOT;
    r->end_ns = r->sc->run.duration_ns;
    enum kvm_status st = r->own.native ? host_open_native(&r->host, why) : host_open(&r->host, why);
    if (st != KVM_OK) return st;
    janitor_start(&w->janitor);
    catch_signals(w);
    set_up_tables(r);
    if (r->pc->cores > r->host.n_cpus) {
        *why = host_text("hosts.%s.cpu.cores: %u pCPUs, but this process may use %u CPUs", r->pc->group,
                         r->pc->cores, r->host.n_cpus);
        st = KVM_NO_KVM;
    }
    if (st == KVM_OK) st = prepare(w, why);
    if (st == KVM_OK) st = go(w, why);
    if (st == KVM_OK) {
        *rep = (struct kvm_report){.setup_ns = w->setup_ns,
                                   .disturbed_ns = w->stolen_ns + (w->others_ns > 0 ? w->others_ns : 0)};
        report_make(r, out, rep);
    }
    clean_up(w);
    return st;
}

enum kvm_status run_with(const struct scenario *sc, uint64_t seed, const struct run_own *own,
                         struct rec_block *out, struct kvm_report *rep, char **why)
{
    struct watch w = {.r = {.sc = sc, .pc = &sc->hosts[0], .seed = seed, .own = *own}};
    return run_all(&w, out, rep, why);
}

enum kvm_status kvm_run(const struct scenario *sc, uint64_t seed, struct rec_block *out,
                        struct kvm_report *rep, char **why)
{
    return run_with(sc, seed, &(struct run_own){.store_fd = -1}, out, rep, why);
}

enum kvm_status kvm_run_native(const struct scenario *sc, uint64_t seed, struct rec_block *out,
                               struct kvm_report *rep, char **why)
{
    return run_with(sc, seed, &(struct run_own){.store_fd = -1, .native = true}, out, rep, why);
}
