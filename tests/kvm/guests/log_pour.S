/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to its log as fast as it can and does not look whether there is room. */
#include "guest.inc"
    movabs $LOG, %rdx
    lea 4096(%rdx), %rsi
    xor %ecx, %ecx
bad:
    mov %ecx, %eax
    and $32767, %eax
    imul $24, %rax, %rax
    movq $1, (%rsi, %rax)
    movq $0, 8(%rsi, %rax)
    movl $3, 16(%rsi, %rax)
    inc %rcx
    mov %rcx, (%rdx)
    jmp bad
