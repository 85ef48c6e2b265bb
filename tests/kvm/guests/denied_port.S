/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads a port whose bit is set in the I/O bitmap. */
#include "guest.inc"
    mov $0x60, %edx
bad:
    in %dx, %al
    ud2
