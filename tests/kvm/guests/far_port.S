/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads a port beyond the end of the I/O bitmap. */
#include "guest.inc"
    mov $0xcf8, %edx
bad:
    in %dx, %eax
    ud2
