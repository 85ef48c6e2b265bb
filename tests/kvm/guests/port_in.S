/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads from a port that is written to. */
#include "guest.inc"
    mov $PORT_NOP, %edx
bad:
    in %dx, %eax
    ud2
