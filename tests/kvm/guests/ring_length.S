/* SPDX-License-Identifier: GPL-3.0-or-later
 * A buffer that is longer than its window. */
#include "ring.inc"
    movl $0xffffffff, S_LENGTH(%rbx)
    movl $1, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
