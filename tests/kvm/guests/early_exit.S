/* SPDX-License-Identifier: GPL-3.0-or-later
 * Leaves at once, though the run goes on. */
#include "guest.inc"
    xor %eax, %eax
    mov $PORT_EXIT, %edx
bad:
    out %eax, %dx
    ud2
