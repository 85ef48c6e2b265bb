/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rings its doorbell without end and without need. */
#include "ring.inc"
bad:
    out %eax, %dx
    jmp bad
    ud2
