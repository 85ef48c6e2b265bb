/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads its GDT, which belongs to the supervisor. */
#include "guest.inc"
    mov $0x80000, %ebx
bad:
    mov (%rbx), %eax
    ud2
