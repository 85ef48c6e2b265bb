// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/mode.h"

/* Whole ns of what has come together in ps, the rest is carried. */
static int64_t whole_ns(int64_t *rest_ps, __int128 ps)
{
    if (ps == 0) return 0;
    ps += *rest_ps;
    if (__builtin_expect((int64_t)ps == ps, 1)) { /* a division of 128 bits costs more than all the rest */
        *rest_ps = (int64_t)ps % 1000;
        return (int64_t)ps / 1000;
    }
    *rest_ps = (int64_t)(ps % 1000);
    __int128 ns = ps / 1000;
    return ns > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)ns;
}

/* n events here, in place of `instead` of another kind on the bare machine. */
static struct mode_cost events(struct vm *vm, enum prog_op op, int64_t n, enum prog_op bare, int64_t instead)
{
    const struct sc_modes *modes = vm->host->sc->modes;
    if (!modes) return (struct mode_cost){0, 0};
    const struct sc_price *price = &modes->price[vm->sc->mode][op];
    if (price->exits && vm->book) book_add(vm->book, (enum rec_count)(REC_N_EXIT + (int)op), n);
    if ((price->ps | modes->price[SC_BARE][bare].ps) == 0) return (struct mode_cost){0, 0};
    __int128 here = (__int128)price->ps * n, native = (__int128)modes->price[SC_BARE][bare].ps * instead;
    __int128 useful = here < native ? here : native;
    return (struct mode_cost){.useful_ns = whole_ns(&vm->useful_ps, useful),
                              .overhead_ns = whole_ns(&vm->overhead_ps, here - useful)};
}

struct mode_cost mode_events(struct vm *vm, enum prog_op op, int64_t n)
{
    return events(vm, op, n, op, n);
}

struct mode_cost mode_work(const struct vm *vm, int64_t on_core_ns)
{
    const struct sc_modes *modes = vm->host->sc->modes;
    if (vm->sc->mode != SC_EMULATION || !modes) return (struct mode_cost){on_core_ns, 0};
    __int128 more = (__int128)on_core_ns * (modes->emulation_milli - 1000) / 1000;
    return (struct mode_cost){on_core_ns, more > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)more};
}

struct mode_cost mode_io(struct vm *vm, int64_t bytes)
{
    switch ((enum sc_mode)vm->sc->mode) {
    case SC_BARE:
    case SC_CONTAINER: return events(vm, OP_SYSCALL, 1, OP_SYSCALL, 1);
    case SC_EMULATION: return events(vm, OP_IO_PORT, bytes / 2 + 1, OP_SYSCALL, 1);
    case SC_TRANSLATION:
    case SC_HARDWARE:
    case SC_PARAVIRTUAL:
    case SC_NMODES: break;
    }
    /* A hosted hypervisor's back end is a process: the kick goes through the host's kernel to it. */
    return events(vm, OP_DOORBELL, vm->host->sc->type == 2 ? 2 : 1, OP_SYSCALL, 1);
}
