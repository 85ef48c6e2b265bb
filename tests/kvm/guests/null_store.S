/* SPDX-License-Identifier: GPL-3.0-or-later
 * Stores through a null pointer: page 0 is not mapped. */
#include "guest.inc"
    xor %ebx, %ebx
bad:
    movl $1, (%rbx)
    ud2
