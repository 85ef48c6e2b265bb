/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a disk cannot do is answered by a status and ends nobody: an operation it does not know, and a
 * place behind its end. Then it leaves; with another answer than those it refers to page 0. */
#include "ring.inc"
    movl $77, S_OP(%rbx)
    movl $1, SUB_HEAD(%rbx)
    out %eax, %dx
1:  cmpl $1, COMP_HEAD(%rbx)
    jne 1b
    cmpl $4, COMP + 4(%rbx)
    jne bad
    movl $1, COMP_TAIL(%rbx)
    movl $1, SUB + 64(%rbx)
    movl $4096, SUB + 64 + 20(%rbx)
    movq $4096, SUB + 64 + 32(%rbx)
    movabs $0x7ffffffffffff000, %rax
    mov %rax, SUB + 64 + 24(%rbx)
    movl $2, SUB_HEAD(%rbx)
    out %eax, %dx
2:  cmpl $2, COMP_HEAD(%rbx)
    jne 2b
    cmpl $4, COMP + 16 + 4(%rbx)
    jne bad
    xor %eax, %eax
    mov $PORT_EXIT, %edx
    out %eax, %dx
bad:
    mov %rax, 0
    ud2
