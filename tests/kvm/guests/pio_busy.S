/* SPDX-License-Identifier: GPL-3.0-or-later
 * By port I/O: moves words of a slot that the disk is at. The request is slow by plan. */
#include "guest.inc"
    mov $0x250, %edx
    mov $4096, %eax
    out %eax, %dx
    mov $0x254, %edx
    mov $1, %eax
    out %eax, %dx
    mov $0x25c, %edx
bad:
    in %dx, %ax
    jmp bad
    ud2
