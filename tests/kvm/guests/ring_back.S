/* SPDX-License-Identifier: GPL-3.0-or-later
 * Puts a request in and then says that it has put in none, and one fewer. */
#include "ring.inc"
    movl $1, SUB_HEAD(%rbx)
    out %eax, %dx
1:  cmpl $1, SUB_TAIL(%rbx)
    jne 1b
    movl $0, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
