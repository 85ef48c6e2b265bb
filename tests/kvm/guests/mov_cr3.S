/* SPDX-License-Identifier: GPL-3.0-or-later
 * Wants page tables of its own. */
#include "guest.inc"
    xor %eax, %eax
bad:
    mov %rax, %cr3
    ud2
