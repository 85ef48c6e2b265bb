/* SPDX-License-Identifier: GPL-3.0-or-later
 * Waits for what has been, without end. */
#include "guest.inc"
    mov $0x208, %edx
    xor %eax, %eax
bad:
    out %eax, %dx
    jmp bad
