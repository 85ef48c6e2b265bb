/* SPDX-License-Identifier: GPL-3.0-or-later
 * A vCPU begins here with its number in rdi and rsp at the top of its stack, 16-aligned. */
    .section .text.start, "ax"
    .globl _start
_start:
    xor %ebp, %ebp
    call guest_main
    ud2
    .section .note.GNU-stack, "", @progbits
