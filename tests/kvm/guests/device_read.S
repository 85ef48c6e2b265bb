/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads from a device that can only be written to. */
#include "guest.inc"
    movabs $0x50000000, %rdx
bad:
    movl (%rdx), %eax
    ud2
