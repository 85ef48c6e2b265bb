/* SPDX-License-Identifier: GPL-3.0-or-later
 * Changes its request while it is looked at: its buffer lies now inside its window and now far outside. */
/* It consumes what it is answered and begins again. */
#include "ring.inc"
    xor %ecx, %ecx
bad:
    inc %ecx
    movl $0, S_OFFSET(%rbx)
    mov %ecx, %esi
    dec %esi
    and $255, %esi
    shl $6, %esi
    lea SUB(%rbx, %rsi), %rsi
    movl $1, (%rsi)
    movl $0, 12(%rsi)
    movl $4096, 20(%rsi)
    movq $4096, 32(%rsi)
    movl $0, 16(%rsi)
    mov %ecx, SUB_HEAD(%rbx)
    out %eax, %dx
1:  movl $0xf0000000, 16(%rsi)
    movl $0, 16(%rsi)
    movl $0, 16(%rsi)
    cmp %ecx, COMP_HEAD(%rbx)
    jne 1b
    mov %ecx, COMP_TAIL(%rbx)
    jmp bad
    ud2
