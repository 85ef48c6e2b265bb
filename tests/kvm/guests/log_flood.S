/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fills its log as fast as the runner empties it, with entries that may be. */
#include "guest.inc"
    movabs $LOG, %rdx
    lea 4096(%rdx), %rsi
    xor %ecx, %ecx
bad:
    mov %rcx, %rbx
    sub 64(%rdx), %rbx
    cmp $32768, %rbx
    jae bad
    mov %ecx, %eax
    and $32767, %eax
    imul $24, %rax, %rax
    movq $1, (%rsi, %rax)
    movq $0, 8(%rsi, %rax)
    movl $3, 16(%rsi, %rax)
    inc %rcx
    mov %rcx, (%rdx)
    jmp bad
