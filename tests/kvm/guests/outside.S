/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to a page that is mapped but lies in no slot of memory. */
#include "guest.inc"
    mov $0x60000010, %ebx
bad:
    movl $1, (%rbx)
    ud2
