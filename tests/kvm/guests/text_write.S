/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to its own code. */
#include "guest.inc"
    movabs $bad, %rbx
bad:
    movl $1, (%rbx)
    ud2
