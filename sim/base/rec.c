// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/rec.h"

#include "base/assert.h"

static const char *const state_names[VCPU_NSTATES] = {
    [VCPU_DOWN] = "down",         [VCPU_IDLE] = "idle",           [VCPU_READY] = "ready",
    [VCPU_RUN] = "run",           [VCPU_THROTTLED] = "throttled", [VCPU_COSTOP] = "costop",
    [VCPU_SWAPWAIT] = "swapwait", [VCPU_DISKWAIT] = "diskwait",   [VCPU_NETWAIT] = "netwait",
};

static const struct {
    const char *name;
    const char *about;
} events[REC_NEVENTS] = {
    [REC_EV_STARTED] = {"started", "A VM was powered on."},
    [REC_EV_FINISHED] = {"finished", "A VM's workload reached its `until` count."},
    [REC_EV_FAULT] = {"fault", "A guest access outside what it may reach was refused and ended that guest."},
    [REC_EV_KILLED] = {"killed", "A VM was ended from outside."},
    [REC_EV_THROTTLE] = {"throttle", "A vCPU used up its CPU limit before the period was over."},
    [REC_EV_LOST] = {"lost", "A request found the queue full and was turned away."},
    [REC_EV_MIGRATE] = {"moved", "A vCPU was moved to another pCPU of its host."},
    [REC_EV_OOM] = {"oom", "The host was out of memory and ended a VM."},
    [REC_EV_MEM_STATE] = {"mem-state",
                          "The host's free memory entered another state: 0 high, 1 soft, 2 hard, 3 low."},
    [REC_EV_POOL_ALARM] = {"pool-alarm", "A thin pool passed 80 % of its size."},
    [REC_EV_POOL_FULL] = {"pool-full", "A write found its thin pool full and waits for room."},
    [REC_EV_POOL_ROOM] = {"pool-room", "A full thin pool has room again: its writers go on."},
    [REC_EV_REFUSED] = {"refused", "A send has no way to its receiver, or a VM may not be migrated there."},
    [REC_EV_NAT_FULL] = {"nat-full", "A new connection found every port of its nat taken."},
    [REC_EV_DEFINED] = {"defined", "A VM has come to be."},
    [REC_EV_BOOTED] = {"booted", "A VM has booted and is up; value: ns since it was powered on."},
    [REC_EV_PAUSED] = {"paused", "A VM was stopped where it was."},
    [REC_EV_RESUMED] = {"resumed", "A paused VM goes on."},
    [REC_EV_STOPPED] = {"stopped", "A VM was shut down in order."},
    [REC_EV_DESTROYED] = {"destroyed", "A VM is gone for good, and its disks with it."},
    [REC_EV_CLONED] = {"cloned", "Another VM was made of this one."},
    [REC_EV_SNAPSHOT] = {"snapshot", "A snapshot of a VM's disks was taken; value: its number."},
    [REC_EV_FAILED] = {"failed", "A VM, host, device, network or rack failed."},
    [REC_EV_REPAIRED] = {"repaired", "What had failed is back."},
    [REC_EV_ABORTED] = {"aborted", "Requests inside a VM were lost with it; value: how many."},
    [REC_EV_DIRTY_LOST] = {"dirty-lost", "Bytes that were written but not flushed were lost; value: bytes."},
    [REC_EV_DETECTED] = {"detected", "The manager has found that a host or VM failed."},
    [REC_EV_RESTARTED] = {"restarted", "High availability starts a VM again."},
    [REC_EV_STRANDED] = {"stranded", "A VM is to start again and no host has room; it is tried again."},
    [REC_EV_REJECTED] = {"rejected", "A VM that was asked for was turned away."},
    [REC_EV_LEFT] = {"left", "A VM's lifetime is over."},
    [REC_EV_MIGRATING] = {"migrating", "A migration begins; value: the number of the host it goes to."},
    [REC_EV_MIGRATED] = {"migrated", "A migration is over; value: ns of downtime."},
    [REC_EV_DIVERGED] = {"diverged", "A VM writes its memory faster than it can be sent; value: the round."},
    [REC_EV_CANCELLED] = {"cancelled", "A migration was given up; the VM goes on where it was."},
    [REC_EV_DRAINED] = {"drained", "A host that is being drained has no VM left."},
    [REC_EV_ON] = {"on", "A host was switched on."},
    [REC_EV_OFF] = {"off", "A host was switched off."},
    [REC_EV_SET] = {"set", "A setting was changed while running; value: to what."},
    [REC_EV_GROWN] = {"grown", "A pool has become larger; value: by how many bytes."},
    [REC_EV_SCALED_OUT] = {"scaled-out", "Autoscaling started VMs; value: how many."},
    [REC_EV_SCALED_IN] = {"scaled-in", "Autoscaling stopped VMs; value: how many."},
    [REC_EV_INSPECTED] = {"inspected",
                          "A host administrator read a VM's memory; value: bytes of secrets found."},
};

static const char *const whys[REC_NWHYS] = {
    [REC_WHY_NONE] = "",
    [REC_WHY_NO_SWAP] = "nothing left to take and no swap disk",
    [REC_WHY_SWAP_FULL] = "the swap disk is full",
    [REC_WHY_RESERVED] = "all that is left is reserved",
    [REC_WHY_NO_ROUTE] = "the networks do not meet",
    [REC_WHY_NO_FORWARD] = "behind nat and no forward rule leads there",
    [REC_WHY_NO_NIC] = "no NIC",
    [REC_WHY_PORTS] = "every port is taken",
    [REC_WHY_POOL] = "the pool has no free block",
    [REC_WHY_LINK] = "a NIC or network on the way is down",
    [REC_WHY_QUOTA] = "over the quota",
    [REC_WHY_CPU] = "no host has enough CPU left",
    [REC_WHY_MEMORY] = "no host has enough memory left",
    [REC_WHY_FEATURES] = "a CPU feature is missing",
    [REC_WHY_STORAGE] = "its storage cannot be reached from there",
    [REC_WHY_NETWORK] = "its network is not there",
    [REC_WHY_APART] = "anti-affinity",
    [REC_WHY_TOGETHER] = "affinity",
    [REC_WHY_SPARES] = "a host failure would leave no room for all",
    [REC_WHY_PINNED] = "pinned to its host",
    [REC_WHY_HOST_OFF] = "the host is off, failed or being drained",
    [REC_WHY_BUSY] = "the VM is in no state for it",
    [REC_WHY_SLOTS] = "as many as there may be are there",
    [REC_WHY_DIVERGED] = "diverged",
    [REC_WHY_GUEST] = "guest crash",
    [REC_WHY_VMM] = "hypervisor crash",
    [REC_WHY_KERNEL] = "kernel crash",
    [REC_WHY_HOST] = "host failure",
    [REC_WHY_RACK] = "rack failure",
    [REC_WHY_DISK] = "storage failure",
    [REC_WHY_POWER] = "power cut",
};

void rec_block_init(struct rec_block *b)
{
    b->n = 0;
    b->mask = 0;
    b->n_readers = 0;
}

void rec_block_add_reader(struct rec_block *b, struct rec_reader r)
{
    ASSERT(b->n_readers < REC_MAX_READERS);
    b->readers[b->n_readers++] = r;
    b->mask |= r.mask;
}

void rec_block_flush(struct rec_block *b)
{
    for (uint32_t i = 0; b->n && i < b->n_readers; i++)
        b->readers[i].read(b->readers[i].ctx, b->recs, b->n);
    b->n = 0;
}

const char *rec_state_name(enum vcpu_state st)
{
    ASSERT((unsigned)st < VCPU_NSTATES);
    return state_names[st];
}

const char *rec_event_name(enum rec_event ev)
{
    ASSERT((unsigned)ev < REC_NEVENTS);
    return events[ev].name;
}

const char *rec_event_about(enum rec_event ev)
{
    ASSERT((unsigned)ev < REC_NEVENTS);
    return events[ev].about;
}

const char *rec_why_text(enum rec_why why)
{
    ASSERT((unsigned)why < REC_NWHYS);
    return whys[why];
}
