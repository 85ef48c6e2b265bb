/* SPDX-License-Identifier: GPL-3.0-or-later
 * By port I/O: selects a slot that there is not. */
#include "guest.inc"
    mov $8, %eax
    mov $0x244, %edx
bad:
    out %eax, %dx
    ud2
