/* SPDX-License-Identifier: GPL-3.0-or-later
 * Says ready a second time. */
#include "guest.inc"
    rdtsc
    mov $PORT_SYNC, %edx
bad:
    out %eax, %dx
    ud2
