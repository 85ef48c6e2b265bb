/* SPDX-License-Identifier: GPL-3.0-or-later
 * By port I/O: a word of the wrong width. */
#include "guest.inc"
    mov $0x25c, %edx
bad:
    out %eax, %dx
    ud2
