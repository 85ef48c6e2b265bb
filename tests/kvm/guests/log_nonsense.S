/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes an entry into its log that cannot be: a kind that there is not. */
#include "guest.inc"
    movabs $LOG + 0x1010, %rdx
    movl $99, (%rdx)
    movabs $LOG, %rdx
    movq $1, (%rdx)
bad:
    jmp bad
    ud2
