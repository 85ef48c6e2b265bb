/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads a page that is mapped but lies in no slot of memory. */
#include "guest.inc"
    mov $0x60000010, %ebx
bad:
    mov (%rbx), %eax
    ud2
