/* SPDX-License-Identifier: GPL-3.0-or-later
 * Names the window of a device that it does not have. */
#include "ring.inc"
    movl $3, S_WINDOW(%rbx)
    movl $1, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
