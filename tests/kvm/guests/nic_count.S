/* SPDX-License-Identifier: GPL-3.0-or-later
 * More requests than the ring has places. */
#include "guest.inc"
#include "nic.inc"
    nic_send 0, 0, 0, 100
    nic_head 257
bad:
    nic_kick
1:  pause
    jmp 1b
