// SPDX-License-Identifier: GPL-3.0-or-later
/* proto.h - what a VMM and the datastore of one of its disks say to each other, over a SEQPACKET pair.
 *
 * A message is a sequence of up to STORE_BATCH entries: struct store_ask to the datastore, struct
 * store_answer back. An answer's id is that of its request; a ping's is answered at once, whatever else is
 * under way. The data pass through the disk's window, which both have mapped. Neither side trusts the other:
 * whoever says what cannot be is hung up on. */
#ifndef VLAB_KVM_STORE_PROTO_H
#define VLAB_KVM_STORE_PROTO_H

#include "kvm/abi_dev.h"

#define STORE_BATCH 32u
#define STORE_PING  UINT32_MAX /* an id */
#define STORE_OPEN_MOST                                                                                      \
    (ABI_MAX_VCPUS * ABI_RING_LEN) /* requests of a VM that are not answered; ids are below */

struct store_ask {
    uint32_t id;
    uint32_t op; /* ABI_OP_READ .. ABI_OP_TRIM */
    uint32_t flags;
    uint32_t offset, length; /* in the window */
    uint32_t spare;
    uint64_t at, bytes; /* of the VM's disk */
};

struct store_answer {
    uint32_t id;
    uint32_t status; /* enum abi_status */
    uint64_t bytes;
};
_Static_assert(sizeof(struct store_ask) == 40 && sizeof(struct store_answer) == 16, "both sides agree");

#endif
