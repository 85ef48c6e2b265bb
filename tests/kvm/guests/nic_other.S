/* SPDX-License-Identifier: GPL-3.0-or-later
 * A frame from the window of a device that is another's, or nobody's. */
#include "guest.inc"
#include "nic.inc"
    nic_send 0, 1, 0, 100
    nic_head 1
bad:
    nic_kick
1:  pause
    jmp 1b
