/* SPDX-License-Identifier: GPL-3.0-or-later
 * Says that it has referred to its memory, and then that it has not. */
#include "guest.inc"
    movabs $LOG + 40, %rdx
    mov $1000000, %eax
    mov %rax, (%rdx)
    mov $50000000, %ecx
1:  dec %ecx
    jnz 1b
bad:
    movq $1, (%rdx)
    jmp bad
    ud2
