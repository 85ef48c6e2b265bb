/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to its boot page, which is read-only. */
#include "guest.inc"
    mov $0x100010, %ebx
bad:
    movl $1, (%rbx)
    ud2
