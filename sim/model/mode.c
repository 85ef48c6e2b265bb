// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/mode.h"

/* n times a price, with what is left from before: whole ns, the rest is carried. */
static int64_t whole_ns(int64_t *rest_ps, int64_t price_ps, int64_t n)
{
    int64_t ps;
    if (price_ps == 0) return 0;
    if (__builtin_expect(!__builtin_mul_overflow(price_ps, n, &ps) &&
                             !__builtin_add_overflow(ps, *rest_ps, &ps),
                         1)) { /* a division of 128 bits costs more than all the rest */
        int64_t ns = (int64_t)((uint64_t)ps / 1000);
        *rest_ps = ps - ns * 1000;
        return ns;
    }
    __int128 all = (__int128)price_ps * n + *rest_ps, ns = all / 1000;
    *rest_ps = (int64_t)(all % 1000);
    return ns > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)ns;
}

struct mode_cost mode_events(struct vm *vm, enum prog_op op, int64_t n)
{
    const struct sc_modes *modes = vm->host->sc->modes;
    if (!modes) return (struct mode_cost){0, 0};
    const struct sc_price *here = &modes->price[vm->sc->mode][op], *native = &modes->price[SC_BARE][op];
    if (here->exits && vm->book) book_add(vm->book, (enum rec_count)(REC_N_EXIT + (int)op), n);
    int64_t useful = here->ps < native->ps ? here->ps : native->ps;
    return (struct mode_cost){.useful_ns = whole_ns(&vm->useful_ps, useful, n),
                              .overhead_ns = whole_ns(&vm->overhead_ps, here->ps - useful, n)};
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
    case SC_CONTAINER: return mode_events(vm, OP_SYSCALL, 1);
    case SC_EMULATION: return mode_events(vm, OP_IO_PORT, bytes / 2 + 1);
    case SC_TRANSLATION:
    case SC_HARDWARE:
    case SC_PARAVIRTUAL:
    case SC_NMODES: break;
    }
    /* A hosted hypervisor's back end is a process: the kick goes through the host's kernel to it. */
    return mode_events(vm, OP_DOORBELL, vm->host->sc->type == 2 ? 2 : 1);
}
