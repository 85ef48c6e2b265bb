// SPDX-License-Identifier: GPL-3.0-or-later
/* profiles_table.h - what the built-in profiles era2003 and modern cost, each number with its source;
 * profiles.c alone reads it. `ideal` is not here: it costs nothing.
 *
 * Sources: Xen = Barham et al., SOSP 2003 (2.4 GHz Xeons); ESX = Waldspurger, OSDI 2002; AA = Adams and
 * Agesen, ASPLOS 2006 (3.8 GHz Pentium 4, table of nanobenchmarks in cycles). "(check)" marks what is known
 * only roughly: state your own, or calibrate. */
#ifndef VLAB_SCENARIO_PROFILES_TABLE_H
#define VLAB_SCENARIO_PROFILES_TABLE_H

#include "program/prog.h"
#include "scenario/scenario.h"

enum profile { PROFILE_ERA2003, PROFILE_MODERN, PROFILE_N };

static const char *const profile_names[PROFILE_N] = {
    [PROFILE_ERA2003] = "era2003", [PROFILE_MODERN] = "modern"};

/* --- defaults of a host's keys; NULL: the key's own --- */

static const struct profile_row {
    const char *path, *value[PROFILE_N];
} profile_rows[] = {
    /* Xen: 1 to 3 us without refilling caches; modern (check). */
    {"hosts.cpu.switch_cost", {"2us", "1500ns"}},
    /* 512 KiB at 50 ns a line: .41 ms, what fits Xen's 7.5 % lost at 5 ms slices. An L2 of today: 98 us
     * (check). It is paid by VMs with a vms.cpu.working_set. */
    {"hosts.cpu.cache.share", {"512KiB", "1MiB"}},
    {"hosts.cpu.cache.line", {"50ns", "6ns"}},
    /* A hash of 4 KiB (check); ESX gives 1 to 3 us and a copy for the break. */
    {"hosts.memory.share.cost", {"5us", "1us"}},
    {"hosts.memory.share.break", {"2us", "2us"}},
    {"hosts.memory.compress.cost", {"30us", "5us"}}, /* (check) */
    {"hosts.tlb.entries", {"64", "1536"}},
    {"hosts.tlb.walk", {"20ns", "30ns"}}, /* (check) */
    /* The first CPUs that walk both dimensions came in 2007. */
    {"hosts.hypervisor.nested_paging", {"false", "true"}},
    {"hosts.hypervisor.emulation", {"50", "50"}},  /* 50 to 1000 are seen (check) */
    {"hosts.hypervisor.host_io", {"15us", "5us"}}, /* a world switch, and the host's stack (check) */
    {"hosts.nics.packet_cost", {"5us", "1us"}},    /* (check) */
};

/* --- prices of mediation, in ps --- */

#define CY(n) ((INT64_C(10000) * (n) + 19) / 38) /* AA's cycles */
#define NS(n) (INT64_C(1000) * (n))
#define US(n) (INT64_C(1000000) * (n))

/* SC_BARE and SC_CONTAINER pay the native price; SC_HARDWARE that of its column. A pte_modify is AA's change
 * from not present to present, the one that demand paging and fork are made of. */
struct profile_price {
    int64_t native, emulation, translation, shadow, nested, paravirtual;
};

/* An emulated event that is many instructions takes 50 times as long (hypervisor.emulation); one that is a
 * single instruction some hundred cycles (check). Paravirtual is native and what Xen's tables 3 to 5 add.
 * Nested columns of 2003 are for scenarios that ask what it would have brought (check). */
static const struct profile_price profile_prices[PROFILE_N][PROG_NOPS] =
    {
        [PROFILE_ERA2003] =
            {
                [OP_SYSCALL] = {CY(242), CY(12100), CY(2308), CY(246), CY(246), CY(242)},
                [OP_PAGE_FAULT] = {CY(1093), CY(54650), CY(3927), CY(11242), CY(1093), CY(1093) + NS(1310)},
                /* AA; a paravirtual guest traps into the hypervisor, which emulates it (check). */
                [OP_IO_PORT] = {CY(3209), CY(4000), CY(216), CY(15826), CY(15826), US(2)},
                /* AA; a paravirtual guest masks interrupts in memory. */
                [OP_CR8] = {CY(150), CY(200), CY(35), CY(177), CY(177), CY(150)},
                [OP_CALL_RET] = {CY(11), CY(550), CY(51), CY(11), CY(11), CY(11)},
                /* AA; Xen fields the exception and hands it on: +.5 us (check). */
                [OP_DIVIDE] = {CY(889), CY(44450), CY(3223), CY(1014), CY(1014), CY(889) + NS(500)},
                /* AA; one update by hypercall, out of Xen's fork: +.9 us (check). */
                [OP_PTE_MODIFY] = {CY(5), CY(250), CY(2121), CY(17020), CY(5), CY(5) + NS(900)},
                /* Of devices no paper has a table: translation as a page fault, hardware as a port (check).
                 */
                [OP_DOORBELL] = {NS(300), US(1), CY(3927), CY(15826), CY(15826), NS(800)},
                [OP_MMIO] = {CY(3209), CY(4000), CY(4143), CY(18000), CY(18000), US(2)},
                [OP_HLT] = {US(1), US(1), US(2), CY(15826), CY(15826), NS(1500)},
                /* Xen: native, Xen, and VMware Workstation for translation. Shadow page tables: fork and exec
                 * by AA's fork and wait, 2.88 times translation; context switch (check). */
                [OP_CONTEXT_SWITCH] = {NS(770), NS(38500), NS(18100), US(12), US(1), NS(1970)},
                [OP_FORK] = {US(110), US(5500), US(874), US(2520), US(130), US(198)},
                [OP_EXEC] = {US(530), US(26500), US(2300), US(6630), US(600), US(768)},
            },
        /* A 3 GHz server (check, all of it). An exit that the kernel handles is 1500 cycles, .5 us; one to
         * user space 2 to 5 us more, 3.5 here. Translation is AA's cycles at 3 GHz. */
        [PROFILE_MODERN] =
            {
                [OP_SYSCALL] = {NS(100), US(5), NS(770), NS(100), NS(100), NS(250)},
                [OP_PAGE_FAULT] = {NS(500), US(25), NS(1800), NS(2500), NS(500), NS(1200)},
                [OP_IO_PORT] = {US(1), US(1), NS(72), US(4), US(4), NS(1500)},
                [OP_CR8] = {NS(10), NS(100), NS(12), NS(12), NS(12), NS(10)},
                [OP_CALL_RET] = {NS(2), NS(100), NS(10), NS(2), NS(2), NS(2)},
                [OP_DIVIDE] = {NS(500), US(25), NS(1300), NS(500), NS(500), NS(800)},
                [OP_PTE_MODIFY] = {NS(2), NS(100), NS(707), NS(2000), NS(2), NS(300)},
                /* The kernel handles a doorbell: an exit and the wake-up of the back end. */
                [OP_DOORBELL] = {NS(100), US(1), NS(1300), NS(600), NS(600), NS(300)},
                [OP_MMIO] = {NS(500), US(1), NS(1400), NS(4500), NS(4000), NS(1500)},
                [OP_HLT] = {US(1), US(1), NS(1500), NS(1500), NS(1500), NS(1400)},
                [OP_CONTEXT_SWITCH] = {NS(1200), US(60), US(8), US(3), NS(1200), NS(2000)},
                [OP_FORK] = {US(60), US(3000), US(480), US(800), US(65), US(110)},
                [OP_EXEC] = {US(250), US(12500), US(1100), US(1800), US(265), US(360)},
            },
};

#undef CY
#undef NS
#undef US

/* --- which events the hypervisor handles; the same in every profile, `ideal` too --- */

#define OP(name) (1u << OP_##name)

/* What touches a device leaves the guest in every mode that virtualizes one. */
#define EXITS_DEVICES (OP(IO_PORT) | OP(MMIO) | OP(DOORBELL) | OP(HLT))
/* What changes or misses a page table is handled where the hypervisor keeps its own. One fork or exec is one
 * event, of which many exits are made. */
#define EXITS_TABLES (OP(PAGE_FAULT) | OP(PTE_MODIFY) | OP(CONTEXT_SWITCH) | OP(FORK) | OP(EXEC))

static const unsigned profile_exits[SC_NMODES] = {
    [SC_EMULATION] = EXITS_DEVICES,
    /* Calls, and the interrupt priority, are translated in place; the rest calls out to the hypervisor. */
    [SC_TRANSLATION] = EXITS_DEVICES | EXITS_TABLES | OP(SYSCALL) | OP(DIVIDE),
    /* A system call or division by zero goes straight to the guest's handler; CR8 has a shadow register. */
    [SC_HARDWARE] = EXITS_DEVICES, /* and EXITS_TABLES without nested paging */
    /* Hypercalls, and exceptions, which the hypervisor fields first; a system call goes straight through. */
    [SC_PARAVIRTUAL] = EXITS_DEVICES | EXITS_TABLES | OP(DIVIDE),
};

#endif
