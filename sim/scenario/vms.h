// SPDX-License-Identifier: GPL-3.0-or-later
/* vms.h - reading `vms`: what its files share.
 *
 * Each map under `vms` is one group. It is read whole, apart from what needs the other VMs (where a step
 * sends to, what a disk is made of); once all are there and in order, the settling functions fill that in and
 * tell what all VMs together ask too much of. The members of a group share its disks, its steps, everything
 * but name, draws and start. */
#ifndef VLAB_SCENARIO_VMS_H
#define VLAB_SCENARIO_VMS_H

#include "scenario/reader.h"

/* A `to:` that is still a name. */
struct vms_send {
    struct node *to;
    struct step *step; /* in the group's program */
    struct vms_send *next;
};

struct vms_group {
    struct node *map;
    struct sc_vm like;       /* what its members are copies of */
    uint32_t members;        /* at the start; 0 is fine */
    uint32_t more;           /* that may come, by autoscaling */
    struct node *clone_of;   /* the VM it will be a clone of; NULL */
    struct sc_vdisk *disks;  /* like.disks, to write to */
    struct node **disk_maps; /* where each is stated */
    uint8_t *disk_marks;     /* vdisks_settle's own */
    struct vms_send *sends;
    struct node *steps; /* where they are stated; NULL: they are bad, or there are none */
    struct prog *prog;  /* like.work.prog, to write to */
};

struct vms {
    struct reader *r;
    const struct scenario *sc; /* hosts, disks, networks, peers; its vms once they are in order */
    struct vms_group *groups;
    uint32_t n_groups;
};

/* The host that the group is on; NULL: none that is known. */
static inline const struct sc_host *vms_host(const struct vms *v, const struct vms_group *g)
{
    return g->like.host == UINT32_MAX ? NULL : &v->sc->hosts[g->like.host];
}

/* The VM of this name; a `count:` that made one single VM may be called by the name in the file. UINT32_MAX:
 * there is none. */
uint32_t vms_find(const struct scenario *sc, const char *name);
/* After a mistake was told: what else the name may have meant, among the VMs and, where `peers`, those too.
 */
void vms_hint(struct reader *r, const struct scenario *sc, const char *name, bool peers);
/* The group that VM i belongs to. */
struct vms_group *vms_group_of(const struct vms *v, uint32_t i);

/* vmem.c: `memory`, and whether all VMs' memory fits their hosts. */
void vmem_read(struct vms *v, struct vms_group *g);
void vmem_settle(struct vms *v);

/* vdisks.c: `disk`. */
void vdisks_read(struct vms *v, struct vms_group *g);
void vdisks_settle(struct vms *v);

/* vnics.c: `nic`. */
void vnics_read(struct vms *v, struct vms_group *g);
void vnics_settle(struct vms *v);

/* vcloud.c: `vmm`, `kernel`, `features`, `migrate`; affinity, once all VMs are in order. */
void vcloud_read(struct vms *v, struct vms_group *g);
void vcloud_settle(struct vms *v, struct sc_vm *vms);

/* work.c: `workload`. After all else of the group. */
bool work_read(struct vms *v, struct vms_group *g);

/* steps.c: the steps, compiled. NULL: told. */
struct prog *steps_read(struct vms *v, struct vms_group *g, struct node *list);
/* Where each send leads. */
void steps_settle(struct vms *v);

/* stime.c: refuses what would go round for ever at one instant. After steps_settle. */
void stime_settle(struct vms *v);

#endif
