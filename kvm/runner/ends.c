// SPDX-License-Identifier: GPL-3.0-or-later
/* How a VM ended. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "kvm/runner/run.h"

static const char *exception(uint32_t vector)
{
    switch (vector) {
    case 0: return "divide error";
    case 3: return "breakpoint";
    case 6: return "invalid opcode";
    case 13: return "general protection fault";
    case 14: return "page fault";
    case 17: return "alignment check";
    default: return "exception";
    }
}

static const char *abort_reason(uint32_t code)
{
    static const char *const reasons[] = {
        [ABI_ABORT_BOOT] = "it does not know this boot page",
        [ABI_ABORT_PROGRAM] = "its program is malformed",
        [ABI_ABORT_TASKS] = "more requests are under way than it can hold (4096)",
        [ABI_ABORT_WAITING] = "more requests wait than it can hold (65536)",
        [ABI_ABORT_LIMITS] = "it has not so many threads or clients",
        [ABI_ABORT_LOCK] = "two of its tasks hold its lock",
        [ABI_ABORT_SECRET] = "its secrets are over 1GiB, and its memory is not stated",
        [ABI_ABORT_STEP] = "it does not know a step of its program",
    };
    return code < sizeof reasons / sizeof *reasons && reasons[code] ? reasons[code]
                                                                    : "it gave no known reason";
}

void ends_check(struct ctl_end *e)
{
    bool known = e->cause >= CTL_EXIT && e->cause <= CTL_SIBLING; /* the others are the runner's to tell */
    if (known && e->at_ns >= 0 && e->at_ns <= host_now()) return;
    *e = (struct ctl_end){.cause = CTL_ABI, .at_ns = host_now()};
    snprintf(e->text, sizeof e->text, "its VMM gave no end that can be");
}

char *ends_text(const char *name, const struct ctl_end *e)
{
    char safe[4 * CTL_TEXT + 1];
    diag_escape(safe, sizeof safe, e->text, strnlen(e->text, sizeof e->text));
    switch ((enum ctl_cause)e->cause) {
    case CTL_FAULT:
        if (e->vector == 14)
            return host_text("vm.%s: ended by a page fault at rip 0x%jx, address 0x%jx", name, e->rip,
                             e->address);
        return host_text("vm.%s: ended by a %s (vector %u) at rip 0x%jx", name, exception(e->vector),
                         e->vector, e->rip);
    case CTL_OUTSIDE:
        /* KVM has already gone past a write when it tells of it. */
        return host_text("vm.%s: ended by a %s outside its memory %s rip 0x%jx, address 0x%jx", name,
                         e->code ? "write" : "read", e->code ? "by the instruction before" : "at", e->rip,
                         e->address);
    case CTL_ABORT: return host_text("vm.%s: its payload gave up: %s", name, abort_reason(e->code));
    case CTL_ABI: return host_text("vm.%s: stopped at rip 0x%jx, it broke the rules: %s", name, e->rip, safe);
    case CTL_REFUSED: return host_text("vm.%s: could not go on at rip 0x%jx: %s", name, e->rip, safe);
    case CTL_KILLED:
        if (e->code == SIGSYS)
            return host_text("vm.%s: its VMM made a system call that its sandbox forbids and was ended by it",
                             name);
        return host_text("vm.%s: its VMM was killed by signal %u (%s)", name, e->code,
                         strsignal((int)e->code));
    case CTL_STORE: return host_text("vm.%s: ended, its pages could not be kept: %s", name, safe);
    case CTL_OOM:
        return host_text("vm.%s: ended, the host's memory was used up and it had most (%ju bytes): %s", name,
                         (uintmax_t)e->address, safe);
    case CTL_STRAY: return host_text("vm.%s: still ran after the end and was stopped", name);
    case CTL_EXIT: return host_text("vm.%s: left before the end", name);
    default: return host_text("vm.%s: ended", name);
    }
}

void ends_record(struct run *r, struct run_vm *vm)
{
    bool oom = vm->end.cause == CTL_OOM;
    bool refused = oom || vm->end.cause == CTL_FAULT || vm->end.cause == CTL_OUTSIDE;
    struct rec x = {.t_ns = vm->down_ns < r->end_ns ? vm->down_ns : r->end_ns,
                    .value = refused                       ? (int64_t)vm->end.address
                             : vm->end.cause == CTL_KILLED ? (int64_t)vm->end.code
                                                           : (int64_t)vm->end.cause,
                    .host = vm->sc->host,
                    .vm = (uint32_t)(vm - r->vms),
                    .vcpu = REC_NONE,
                    .pcpu = REC_NONE,
                    .kind = REC_EVENT,
                    .to = oom ? (uint8_t)vm->end.code : 0,
                    .cause = oom       ? REC_EV_OOM
                             : refused ? REC_EV_FAULT
                                       : REC_EV_KILLED};
    recs_add(&vm->recs, x);
}
