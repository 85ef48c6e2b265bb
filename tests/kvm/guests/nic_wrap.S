/* SPDX-License-Identifier: GPL-3.0-or-later
 * A buffer whose end is past the end of all numbers. */
#include "guest.inc"
#include "nic.inc"
    nic_send 0, 0, 0xffffffff, 0xffffffff
    nic_head 1
bad:
    nic_kick
1:  pause
    jmp 1b
