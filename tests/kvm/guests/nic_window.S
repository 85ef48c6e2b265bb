/* SPDX-License-Identifier: GPL-3.0-or-later
 * A frame whose buffer ends past its window. */
#include "guest.inc"
#include "nic.inc"
    nic_send 0, 0, 0x1ff000, 0x2000
    nic_head 1
bad:
    nic_kick
1:  pause
    jmp 1b
