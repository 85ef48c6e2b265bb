// SPDX-License-Identifier: GPL-3.0-or-later
/* abi_dev.h - devices, as guest and VMM share them: rings of requests, windows of data, doorbells.
 *
 * Device i has a WINDOW, guest memory at ABI_DMA + i * ABI_DMA_STEP that whoever serves the device sees too.
 * It holds data and nothing else: rings and tables lie elsewhere. For each vCPU and device there is a RING at
 * abi_ring_at(vcpu, device), seen by the VMM alone. In it the guest puts requests (struct abi_sub, 64 bytes)
 * and finds answers (struct abi_comp, 16 bytes). Each of its lines has one writer. Counters only grow, modulo
 * 2^32; a place is the counter modulo ABI_RING_LEN.
 *
 * - A request is answered once, in any order, under the guest's own `tag`. A guest has at most ABI_RING_LEN
 *   requests that it has put in and not yet consumed the answers of. So answers always have room.
 * - The VMM keeps its own copy of its counters, takes each entry by one copy and checks only that. What
 * breaks these rules ends the VM (CTL_ABI says why); what the device cannot do is a status.
 * - Doorbell. Having put something in, the guest looks (after a full fence) whether need_kick is set, and
 * then writes any value to ABI_PORT_KICK + 4 * device. The VMM clears need_kick while it is at the ring; it
 * sets it, and looks once more, before it leaves. A turn takes ABI_RING_BUDGET requests, then others' are
 * seen to.
 * - Wake-up. Before it waits, a guest sets `waiting` in each ring it expects an answer in, and looks once
 * more after a full fence. The VMM, having answered (and after a full fence), wakes the vCPU where it is set.
 *   Wake-ups may come without need.
 *
 * A device with ABI_DEV_PIO has neither window nor ring that its guest could see, but a doorbell and ports,
 * one set a vCPU:
 * - ABI_PORT_PIO_SELECT: device << 8 | slot, of ABI_PIO_SLOTS, for what follows.
 * - ABI_PORT_PIO_DATA: the next 16 bits of the slot's buffer of ABI_PIECE bytes, which begins anew at its
 * end; written before a request, read after it.
 * - ABI_PORT_PIO_AT_LOW, _AT_HIGH, _BYTES: of the request.
 * - ABI_PORT_PIO_GO: flags << 8 | op. The request is put in; then the guest rings the doorbell. Until it is
 *   answered the slot's data must not be touched.
 * - ABI_PORT_PIO_DONE, read: 1 << 31 | status << 16 | device << 8 | slot of one that was answered; 0: none.
 *
 * Freestanding: guests include it too. */
#ifndef VLAB_KVM_ABI_DEV_H
#define VLAB_KVM_ABI_DEV_H

#include <stddef.h>
#include <stdint.h>

#include "kvm/abi.h"

#define ABI_RINGS       UINT64_C(0x20000000) /* up to ABI_DMA: of every vCPU and device, but for unused ones */
#define ABI_DMA         UINT64_C(0x30000000) /* up to ABI_LOG */
#define ABI_DMA_STEP    UINT64_C(0x2000000)
#define ABI_RING_LEN    256u /* a power of two */
#define ABI_RING_BUDGET 64u

enum abi_dev_kind { ABI_DEV_NONE, ABI_DEV_DISK, ABI_DEV_NIC };

#define ABI_DEV_PIO   1u /* flags of a device */
#define ABI_PIO_SLOTS 8u
#define ABI_PIO_VCPUS 4u /* a window has room for no more */

/* Requests. The buffer is [offset, offset + length) of the device's window. */
enum abi_op {
    ABI_OP_READ = 1, /* disk: `bytes` from `at` on into the buffer */
    ABI_OP_WRITE,    /* disk: the same the other way */
    ABI_OP_FLUSH,    /* disk: answered when all that was answered before is on the medium; no buffer */
    ABI_OP_TRIM,     /* disk: `bytes` from `at` on hold nothing any more; no buffer */
    ABI_OP_SEND,     /* NIC: a frame of `length` bytes */
    ABI_OP_RECEIVE   /* NIC: answered when a frame has come; value: its bytes */
};
#define ABI_SUB_QUIET                                                                                        \
    2u /* flags: the answer to a send need not wake anybody, unless it is the last one open */
#define ABI_SUB_FLUSH 1u /* flags: a write is answered only when it is on the medium */

struct abi_sub {
    uint32_t op; /* enum abi_op */
    uint32_t flags;
    uint32_t tag;    /* given back with the answer */
    uint32_t window; /* the device's number */
    uint32_t offset, length;
    uint64_t at;
    uint64_t
        bytes; /* of a disk; over `length` only where that is ABI_PIECE: then they pass through it in turn */
    uint64_t arg; /* NIC: as the network has it */
    uint64_t spare[2];
};
#define ABI_PIECE (UINT32_C(1) << 20)

enum abi_status {
    ABI_DONE,
    ABI_EIO,    /* the medium failed */
    ABI_ENOSPC, /* no room for a write */
    ABI_EGONE,  /* nobody serves the device any more */
    ABI_EINVAL, /* outside the disk, or nothing this device does */
    ABI_NSTATUS
};

struct abi_comp {
    uint32_t tag;
    uint32_t status; /* enum abi_status */
    uint64_t value;  /* bytes moved */
};

struct abi_ring {
    /* The guest's. */
    _Alignas(64) uint32_t sub_head; /* requests put in */
    uint32_t comp_tail;             /* answers consumed */
    uint32_t waiting;
    /* The VMM's. */
    _Alignas(64) uint32_t sub_tail; /* requests taken: their places are free */
    uint32_t comp_head;             /* answers given */
    uint32_t need_kick;
    _Alignas(64) struct abi_sub sub[ABI_RING_LEN];   /* the guest's */
    _Alignas(64) struct abi_comp comp[ABI_RING_LEN]; /* the VMM's */
};
#define ABI_RING_BYTES 0x6000u

_Static_assert(sizeof(struct abi_sub) == 64 && sizeof(struct abi_comp) == 16, "entries");
_Static_assert(offsetof(struct abi_ring, sub_tail) == 64 && offsetof(struct abi_ring, sub) == 128,
               "one writer a line");
_Static_assert(offsetof(struct abi_ring, comp) % 64 == 0, "one writer a line");
_Static_assert(sizeof(struct abi_ring) <= ABI_RING_BYTES && ABI_RING_BYTES % ABI_PAGE == 0, "a ring's pages");
_Static_assert(ABI_RINGS + (uint64_t)ABI_MAX_VCPUS * ABI_MAX_DEVS * ABI_RING_BYTES <= ABI_DMA, "rings");
_Static_assert(ABI_DMA + ABI_MAX_DEVS * ABI_DMA_STEP <= ABI_LOG, "windows");

static inline uint64_t abi_ring_at(uint32_t vcpu, uint32_t dev)
{
    return ABI_RINGS + ((uint64_t)vcpu * ABI_MAX_DEVS + dev) * ABI_RING_BYTES;
}

#endif
