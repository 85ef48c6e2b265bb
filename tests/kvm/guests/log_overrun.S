/* SPDX-License-Identifier: GPL-3.0-or-later
 * Claims to have written more entries than its log holds. */
#include "guest.inc"
    movabs $LOG, %rdx
    movq $-1, (%rdx)
bad:
    jmp bad
    ud2
