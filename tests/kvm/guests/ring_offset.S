/* SPDX-License-Identifier: GPL-3.0-or-later
 * A buffer that begins inside its window and ends after it; the sum is over 32 bits. */
#include "ring.inc"
    movl $0xfffffff0, S_OFFSET(%rbx)
    movl $1, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
