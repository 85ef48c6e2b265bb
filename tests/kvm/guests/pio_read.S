/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads where one may only write. */
#include "guest.inc"
    mov $0x250, %edx
bad:
    in %dx, %eax
    ud2
