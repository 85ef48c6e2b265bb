// SPDX-License-Identifier: GPL-3.0-or-later
/* dev.h - a vCPU's rings, one a device: requests are put in, answers taken out, in whatever order they come.
 *
 * Putting rings no bell. dev_kick does, once for all that was put since the last time: when the vCPU is about
 * to wait, or when a request has stood there for DEV_HURRY_NS while others worked (dev_hurry, at each look at
 * the clock). Devices are those of the boot page, by number. */
#ifndef VLAB_KVM_GUEST_DEV_H
#define VLAB_KVM_GUEST_DEV_H

#include "kvm/guest/guest.h"

#define DEV_HURRY_NS 20000

void dev_begin(struct guest *g);
bool dev_room(const struct guest *g, uint32_t dev);
/* Where there is room. sub->window is filled in. */
void dev_put(struct guest *g, uint32_t dev, const struct abi_sub *sub);
void dev_kick(struct guest *g);
void dev_hurry(struct guest *g);
/* The next answer. False: none is there. */
bool dev_take(struct guest *g, uint32_t dev, struct abi_comp *comp);
/* Waits until then or until an answer comes, or for no reason; `how`: one of the ports for waiting. */
void dev_wait(struct guest *g, int64_t until_ns, enum abi_port how);

#endif
