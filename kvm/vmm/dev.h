// SPDX-License-Identifier: GPL-3.0-or-later
/* dev.h - a guest's device: its rings on one side, whoever serves it (its peer) on the other.
 *
 * All of it belongs to the VMM's I/O thread (io.c), but for what dev_make does before that runs. A device
 * takes requests from the vCPUs' rings in turn, a budget at a time, hands them to its class, and is given the
 * answers by it. While its class cannot take more (`stuck`) requests stay in their rings. */
#ifndef VLAB_KVM_VMM_DEV_H
#define VLAB_KVM_VMM_DEV_H

#include "kvm/vmm/ring.h"
#include "kvm/vmm/vmm.h"

struct dev;

struct dev_class {
    /* Before the guest runs: takes memory, all it will ever need. 0, or -1: none left. */
    int (*make)(struct dev *d);
    /* A request whose buffer lies in the window. It is answered by dev_give, now or later, once. False: the
     * guest broke the rules; *why is a sentence. Not called while the device is stuck. */
    bool (*submit)(struct dev *d, uint32_t vcpu, const struct abi_sub *sub, const char **why);
    /* A turn is over: what was submitted may be sent on. */
    void (*flush)(struct dev *d);
    /* The peer's descriptor has `events` (epoll), or, with 0, time has passed. */
    void (*ready)(struct dev *d, uint32_t events);
    /* When `ready` is to be called at the latest; INT64_MAX: not by itself. */
    int64_t (*due_ns)(const struct dev *d);
};

struct dev {
    struct vmm *vmm;
    uint32_t index;
    const struct dev_class *cls; /* NULL: there is no such device */
    struct ctl_dev *ctl;
    int kick_fd; /* the doorbell's eventfd */
    int peer_fd; /* -1: it is gone */
    unsigned char *window;
    uint64_t window_bytes;
    bool busy;             /* something may be left in its rings */
    uint32_t idle_bells;   /* rings of the doorbell in a row that there was nothing for */
    int64_t deaf_until_ns; /* the doorbell is not listened to; 0: it is */
    bool stuck;            /* its class can take nothing now */
    uint32_t next;         /* the vCPU whose ring is looked at first */
    struct ring ring[ABI_MAX_VCPUS];
    void *own; /* of its class */
};

/* Devices as the runner's table names them: windows, rings, doorbells. Before the vCPUs are made. */
void dev_make_all(struct vmm *v);
/* Takes what is in the rings, within the budget. False: the guest `*who` broke the rules. */
bool dev_turn(struct dev *d, uint32_t *who, const char **why);
void dev_give(struct dev *d, uint32_t vcpu, struct abi_comp comp);
/* The same, and nobody is woken for it. */
void dev_give_quietly(struct dev *d, uint32_t vcpu, struct abi_comp comp);

/* The classes: disk.c, nic.c. */
extern const struct dev_class dev_disk, dev_nic;

/* io.c: the I/O thread, for ever; and the end of a VM that broke the rules of its rings. */
void *io_main(void *vmm);

#endif
