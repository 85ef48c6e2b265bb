/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to a number between two ports. */
#include "guest.inc"
    mov $PORT_NOP - 2, %edx
bad:
    out %eax, %dx
    ud2
