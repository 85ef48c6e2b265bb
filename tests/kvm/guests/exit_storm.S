/* SPDX-License-Identifier: GPL-3.0-or-later
 * Leaves to user space without end. */
#include "guest.inc"
    mov $PORT_NOP, %edx
bad:
    out %eax, %dx
    jmp bad
