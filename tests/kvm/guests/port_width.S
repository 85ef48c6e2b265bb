/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes one byte to a port that takes four. */
#include "guest.inc"
    mov $PORT_NOP, %edx
bad:
    out %al, %dx
    ud2
