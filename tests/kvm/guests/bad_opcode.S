/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs what is no instruction. */
#include "guest.inc"
bad:
    ud2
