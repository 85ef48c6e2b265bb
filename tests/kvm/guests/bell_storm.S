/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rings its doorbell without end. */
#include "guest.inc"
    mov $0x218, %edx
bad:
    out %eax, %dx
    jmp bad
