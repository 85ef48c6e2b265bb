/* SPDX-License-Identifier: GPL-3.0-or-later
 * Never comes to an end. */
#include "guest.inc"
bad:
    jmp bad
    ud2
