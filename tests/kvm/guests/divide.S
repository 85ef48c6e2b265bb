/* SPDX-License-Identifier: GPL-3.0-or-later
 * Divides by zero. */
#include "guest.inc"
    xor %ecx, %ecx
    xor %edx, %edx
    mov $1, %eax
bad:
    div %ecx
    ud2
