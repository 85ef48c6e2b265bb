/* SPDX-License-Identifier: GPL-3.0-or-later
 * Turns interrupts off, which ring 3 may not. */
#include "guest.inc"
bad:
    cli
    ud2
