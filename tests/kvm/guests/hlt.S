/* SPDX-License-Identifier: GPL-3.0-or-later
 * Halts the processor, which ring 3 may not. */
#include "guest.inc"
bad:
    hlt
    ud2
