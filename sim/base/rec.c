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
