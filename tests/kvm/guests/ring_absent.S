/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rings the doorbell of a device that it does not have. */
#include "ring.inc"
    add $20, %edx
bad:
    out %eax, %dx
    ud2
