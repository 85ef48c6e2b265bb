/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs out of its stack, into the guard page below. */
#include "guest.inc"
    mov $0xd01000, %esp
bad:
    push %rax
    ud2
