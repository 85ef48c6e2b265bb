// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/dev.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SLOT_RINGS  4u
#define SLOT_WINDOW 5u /* of device 0 */

static const struct dev_class *class_of(uint32_t kind)
{
    return kind == ABI_DEV_DISK ? &dev_disk : kind == ABI_DEV_NIC ? &dev_nic : NULL;
}

static bool any(const struct ctl *c)
{
    for (uint32_t i = 0; i < ABI_MAX_DEVS; i++)
        if (c->dev[i].kind != ABI_DEV_NONE) return true;
    return false;
}

/* Data, seen by the guest and by the device's peer. */
static void make_window(struct vmm *v, struct dev *d)
{
    int fd = CTL_FD_DEV + 2 * (int)d->index + 1;
    struct stat st;
    d->window_bytes = d->ctl->window_bytes;
    if (d->window_bytes == 0 || d->window_bytes % PAGING_BIG != 0 || d->window_bytes > ABI_DMA_STEP ||
        fstat(fd, &st) != 0 || (uint64_t)st.st_size < d->window_bytes)
        vmm_fail(v->ctl, "device %u has no window of %ju bytes", d->index, d->window_bytes);
    void *p = mmap(NULL, d->window_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED || madvise(p, d->window_bytes, MADV_DONTDUMP) != 0)
        vmm_fail(v->ctl, "the window of device %u: %m", d->index);
    d->window = p;
    if (d->ctl->flags & ABI_DEV_PIO) return; /* the guest does not see it */
    uint64_t at = ABI_DMA + d->index * ABI_DMA_STEP;
    machine_add_slot(v, SLOT_WINDOW + d->index, at, d->window_bytes, p);
    machine_map(v, at, d->window_bytes, PAGE_WRITE | PAGE_BIG);
}

static void make_rings(struct vmm *v, struct dev *d)
{
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++) {
        uint64_t at = abi_ring_at(i, d->index);
        ring_init(&d->ring[i], gmem_at(&v->rings, (struct gpa){at}, ABI_RING_BYTES));
        if (!(d->ctl->flags & ABI_DEV_PIO)) machine_map(v, at, ABI_RING_BYTES, PAGE_WRITE);
    }
}

static void make(struct vmm *v, struct dev *d, uint32_t index)
{
    struct ctl_dev *c = &v->ctl->dev[index];
    *d = (struct dev){.vmm = v, .index = index, .ctl = c, .kick_fd = -1, .peer_fd = -1};
    if (c->kind == ABI_DEV_NONE) return;
    d->cls = class_of(c->kind);
    if (!d->cls) vmm_fail(v->ctl, "device %u is of no known kind (%u)", index, c->kind);
    d->peer_fd = CTL_FD_DEV + 2 * (int)index;
    d->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->kick_fd < 0 || fcntl(d->peer_fd, F_SETFL, O_NONBLOCK) != 0)
        vmm_fail(v->ctl, "the descriptors of device %u: %m", index);
    make_window(v, d);
    make_rings(v, d);
    machine_add_bell(v, ABI_PORT_KICK + 4 * index, d->kick_fd);
    if (d->cls->make(d) != 0) vmm_fail(v->ctl, "no memory for device %u", index);
}

void dev_make_all(struct vmm *v)
{
    if (!any(v->ctl)) return;
    uint64_t bytes = abi_ring_at(v->ctl->n_vcpus, 0) - ABI_RINGS;
    v->devs = calloc(ABI_MAX_DEVS, sizeof *v->devs);
    if (!v->devs || gmem_init(&v->rings, (struct gpa){ABI_RINGS}, bytes) != 0)
        vmm_fail(v->ctl, "no memory for devices");
    machine_add_slot(v, SLOT_RINGS, ABI_RINGS, bytes, v->rings.host);
    for (uint32_t i = 0; i < ABI_MAX_DEVS; i++)
        make(v, &v->devs[i], i);
}

bool dev_turn(struct dev *d, uint32_t *who, const char **why)
{
    uint32_t n = d->vmm->ctl->n_vcpus, left = ABI_RING_BUDGET;
    for (uint32_t k = 0; k < n; k++)
        ring_attend(&d->ring[k]);
    d->busy = false;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = (d->next + k) % n;
        struct abi_sub sub;
        enum ring_got got = RING_ENTRY;
        while (left > 0 && !d->stuck && (got = ring_take(&d->ring[i], &sub, why)) == RING_ENTRY) {
            left--;
            d->ctl->taken++;
            *who = i;
            if (!ring_check(&sub, d->index, d->window_bytes, why) || !d->cls->submit(d, i, &sub, why))
                return false;
        }
        *who = i;
        if (got == RING_BAD) return false;
        if (left == 0 || d->stuck) {
            /* The next turn begins with the ring after this one: none is passed over for ever. */
            d->next = (i + 1) % n;
            d->busy = true;
            return true;
        }
    }
    for (uint32_t k = 0; k < n; k++)
        if (!ring_leave(&d->ring[k])) d->busy = true;
    return true;
}

/* True: the guest waits for it. */
static bool give(struct dev *d, uint32_t vcpu, struct abi_comp comp)
{
    d->ctl->given[comp.status < ABI_NSTATUS ? comp.status : ABI_EIO]++;
    if (comp.status == ABI_DONE) d->ctl->bytes += comp.value;
    return ring_give(&d->ring[vcpu], comp);
}

void dev_give(struct dev *d, uint32_t vcpu, struct abi_comp comp)
{
    if (give(d, vcpu, comp)) gate_wake(&d->vmm->vcpus[vcpu]);
}

void dev_give_quietly(struct dev *d, uint32_t vcpu, struct abi_comp comp)
{
    (void)give(d, vcpu, comp);
}
