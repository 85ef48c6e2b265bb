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
    [REC_EV_REFUSED] = {"refused", "A send has no way to its receiver."},
    [REC_EV_NAT_FULL] = {"nat-full", "A new connection found every port of its nat taken."},
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
