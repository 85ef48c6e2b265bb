/* SPDX-License-Identifier: GPL-3.0-or-later
 * The first vCPU faults while the second works on. */
#include "guest.inc"
    test %edi, %edi
    jnz 1f
    xor %ebx, %ebx
bad:
    movl $1, (%rbx)
1:  jmp 1b
    ud2
