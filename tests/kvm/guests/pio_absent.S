/* SPDX-License-Identifier: GPL-3.0-or-later
 * By port I/O: selects a disk that it does not have. */
#include "guest.inc"
    mov $0x500, %eax
    mov $0x244, %edx
bad:
    out %eax, %dx
    ud2
