/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes beside the one word that the device has. */
#include "guest.inc"
    movabs $0x50000004, %rdx
bad:
    movl $1, (%rdx)
    ud2
