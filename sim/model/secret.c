// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/secret.h"

#include "model/guest.h"

void secret_access(struct model *m, struct vm *vm, const struct prog_act *act)
{
    static const uint64_t page = 4096;
    int64_t address = 0;
    switch ((enum prog_access)act->step->how) {
    case PROG_NULL: break;
    case PROG_OUTSIDE: address = vm->sc->memory_bytes; break;
    case PROG_NX:
    case PROG_READONLY: address = (int64_t)page; break;
    case PROG_NACCESS: break;
    }
    inner_tell(m, vm, REC_EVENT, address, REC_EV_FAULT);
    guest_kill(m, vm);
}

void secret_keep(struct vm *vm, int64_t bytes)
{
    int64_t most = vm->sc->memory_bytes ? vm->sc->memory_bytes : INT64_MAX;
    vm->secret_bytes = bytes < most - vm->secret_bytes ? vm->secret_bytes + bytes : most;
}

void secret_inspect(struct model *m, struct vm *vm)
{
    inner_tell(m, vm, REC_EVENT, vm->secret_bytes, REC_EV_INSPECTED);
}

/* What a sender sends in that slot. */
static bool bit_of(const struct vm *sender, int64_t slot)
{
    return rng_mix(sender->key_bits + (uint64_t)slot) & 1;
}

bool secret_slot(struct model *m, struct vm *vm, uint32_t t, bool *over)
{
    struct task *k = &vm->tasks[t];
    const struct step *s = k->act.step;
    int64_t len = k->act.amount, now = sim_now(m->sim), slot = now / len;
    *over = k->bits >= s->span;
    if (*over) return false;
    int64_t rest = (slot + 1) * len - now;
    timers_set(&vm->timers, now + rest, TIMER_TASK, t);
    k->whole = rest == len;
    k->bits += k->whole; /* a slot that had begun already counts for nothing */
    return s->how == PROG_HEAR || (k->whole && bit_of(vm, slot));
}

void secret_heard(struct model *m, struct vm *vm, uint32_t t, int64_t got_ns)
{
    const struct task *k = &vm->tasks[t];
    const struct step *s = k->act.step;
    if (s->how != PROG_HEAR || !k->whole) return;
    bool heard = covert_hear(&vm->covert, got_ns);
    bool sent = bit_of(&m->vms[s->target], sim_now(m->sim) / k->act.amount - 1);
    book_add(vm->book, REC_N_BITS, 1);
    book_add(vm->book, REC_N_BITS_WRONG, heard != sent);
}
