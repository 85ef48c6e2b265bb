/* SPDX-License-Identifier: GPL-3.0-or-later
 * Never consumes an answer, and puts in one request more than a ring holds. */
/* All are of an operation that no disk knows. */
#include "ring.inc"
    movl $0, S_OP(%rbx)
    movl $256, SUB_HEAD(%rbx)
    out %eax, %dx
1:  cmpl $256, SUB_TAIL(%rbx)
    jne 1b
    movl $257, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
