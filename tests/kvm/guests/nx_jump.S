/* SPDX-License-Identifier: GPL-3.0-or-later
 * Jumps into its log, which is data and never executable. */
#include "guest.inc"
    .set bad, LOG + 0x1000
    movabs $bad, %rbx
    jmp *%rbx
    ud2
