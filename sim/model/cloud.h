// SPDX-License-Identifier: GPL-3.0-or-later
/* cloud.h - the manager above the hosts: who may come, where it goes, what is done when something fails.
 *
 *     cloud.c          making and starting VMs: quota, placement, admission
 *     cloud_place.c    hosts and VMs as placement policies see them
 *     cloud_ha.c       failures: detection, dispatch, restart
 *     cloud_request.c  VMs on request, and their lifetimes
 *     cloud_scale.c    autoscaling
 *     cloud_balance.c  balancing, consolidation, draining, switching hosts off; speed steps
 *
 * Decisions are pure policies' (policy/place.h, scale.h); this is what carries them out. Without a `cloud:`
 * in the scenario VMs are where it says, and a host that comes back boots its own. */
#ifndef VLAB_MODEL_CLOUD_H
#define VLAB_MODEL_CLOUD_H

#include "model/inner.h"

void cloud_init(struct model *m);
void cloud_done(struct model *m);
void cloud_on_event(void *model, uint32_t arg); /* the engine's event */

/* A VM comes to be, on `h` or (NULL) where the scenario or the policy says, and is powered on. False: it was
 * turned away (events.rejected tells why). */
bool cloud_make(struct model *m, struct vm *vm, struct mhost *h);
/* One that is off or failed starts: on its host, or elsewhere if that is down and it may move. False:
 * nowhere. */
bool cloud_start(struct model *m, struct vm *vm);
/* No new VMs for this host; those on it go elsewhere, one after the other, but not what has failed with it. A
 * repair of it ends that. */
void cloud_drain(struct model *m, struct mhost *h);

/* What has happened. */
void cloud_vm_up(struct model *m, struct vm *vm);
void cloud_vm_failed(struct model *m, struct vm *vm);
void cloud_vm_off(struct model *m, struct vm *vm);    /* stopped or destroyed: there is more room */
void cloud_vm_leaves(struct model *m, struct vm *vm); /* its lifetime is over */
void cloud_host_failed(struct model *m, struct mhost *h);
void cloud_host_back(struct model *m, struct mhost *h);
void cloud_moved(struct model *m, struct mhost *from); /* a VM from there; or its migration was given up */
/* A request came or went; called from within steps: what follows comes as an event of its own. */
static inline void cloud_backlog(struct model *m, const struct vm *front);
void cloud_look(struct model *m, uint32_t scale);

static inline void cloud_backlog(struct model *m, const struct vm *front)
{
    if (__builtin_expect(front->scale != NONE, 0)) cloud_look(m, front->scale);
}

#endif
