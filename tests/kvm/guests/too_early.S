/* SPDX-License-Identifier: GPL-3.0-or-later
 * Faults before it has said that it is ready. */
    .section .note.GNU-stack, "", @progbits
    .section .text.start, "ax"
    .globl _start
_start:
    xor %ebx, %ebx
bad:
    movl $1, (%rbx)
    ud2
