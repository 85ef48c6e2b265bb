/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes a model-specific register. */
#include "guest.inc"
    mov $0xc0000080, %ecx
    xor %eax, %eax
    xor %edx, %edx
bad:
    wrmsr
    ud2
