/* SPDX-License-Identifier: GPL-3.0-or-later
 * Says that it has referred to its memory and, when the runner has had some 60 ms to see it, that it has not. */
#include "guest.inc"
    movabs $LOG + 40, %rdi
    mov $1000000, %eax
    mov %rax, (%rdi)
    rdtsc
    shl $32, %rdx
    lea 150000000(%rdx, %rax), %rsi
1:  rdtsc
    shl $32, %rdx
    or %rdx, %rax
    cmp %rsi, %rax
    jb 1b
bad:
    movq $1, (%rdi)
    jmp bad
