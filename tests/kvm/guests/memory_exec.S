/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to all its 40 pages, so that most of them are out, and runs what it wrote to the first. */
#include "guest.inc"
    movabs $0x100000000, %rbx
    mov $40, %ecx
1:  movb $0xc3, (%rbx)
    add $4096, %rbx
    dec %ecx
    jnz 1b
    movabs $0x100000000, %rbx
bad:
    jmp *%rbx
    ud2
