// SPDX-License-Identifier: GPL-3.0-or-later
/* The guest's only ways out: it reads the TSC, writes to ports and appends to its log. */
#include "kvm/guest/guest.h"

#ifdef VLAB_NATIVE
/* kvm/proc: a native process, where a port is a call. */
void guest_out(uint32_t port, uint32_t value);
void io_out(enum abi_port port, uint32_t value)
{
    guest_out((uint32_t)port, value);
}
#else
void io_out(enum abi_port port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "d"((uint16_t)port) : "memory");
}
#endif

uint32_t io_in(enum abi_port port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "d"((uint16_t)port) : "memory");
    return value;
}

void io_out_word(enum abi_port port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "d"((uint16_t)port) : "memory");
}

uint16_t io_in_word(enum abi_port port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "d"((uint16_t)port) : "memory");
    return value;
}

int64_t io_clock(struct guest *g)
{
    const volatile uint64_t *zero = &g->boot->tsc_zero; /* the host writes it when the guests are let go */
    uint64_t now = abi_tsc(), from = *zero;
    int64_t ns = now <= from ? 0 : abi_ticks_to_ns(now - from, g->boot->ns_per_tsc_q32);
    if (ns > g->now_ns) g->now_ns = ns;
    return g->now_ns;
}

_Noreturn void io_exit(void)
{
    io_out(ABI_PORT_EXIT, 0);
    for (;;)
        __builtin_ia32_pause();
}

_Noreturn void io_abort(enum abi_abort why)
{
    io_out(ABI_PORT_ABORT, (uint32_t)why);
    for (;;)
        __builtin_ia32_pause();
}

/* The port takes 32 bits of an absolute time, so a wait of over 1 s is made of several. */
void io_pause(struct guest *g, int64_t until_ns, enum abi_port how)
{
    const int64_t most = 1000000000;
    int64_t now = io_clock(g);
    if (now < until_ns) io_out(how, (uint32_t)(until_ns - now > most ? now + most : until_ns));
}

void io_wait(struct guest *g, int64_t until_ns)
{
    while (io_clock(g) < until_ns)
        io_pause(g, until_ns, ABI_PORT_WAIT);
}

void io_kick(uint32_t dev)
{
    io_out((enum abi_port)(ABI_PORT_KICK + 4 * dev), 0);
}

void io_sync(void)
{
    io_out(ABI_PORT_SYNC, (uint32_t)abi_tsc());
}
void io_nop(void)
{
    io_out(ABI_PORT_NOP, 0);
}
void io_halt(void)
{
    io_out(ABI_PORT_HALT, 0);
}
void io_bell(void)
{
    io_out(ABI_PORT_BELL, 0);
}

void io_log(struct guest *g, enum abi_log_kind kind, int64_t t_ns, int64_t value)
{
    struct abi_log *l = g->log;
    uint64_t head = l->head;
    if (head - __atomic_load_n(&l->tail, __ATOMIC_ACQUIRE) >= ABI_LOG_LEN) {
        l->overrun++;
        return;
    }
    l->ring[head % ABI_LOG_LEN] = (struct abi_entry){.t_ns = t_ns, .value = value, .kind = kind};
    __atomic_store_n(&l->head, head + 1, __ATOMIC_RELEASE);
}

void io_count(struct guest *g, uint64_t checksum)
{
    g->log->done++;
    g->log->checksum = (g->log->checksum + checksum) & PROG_CHECKSUM_MASK;
}
