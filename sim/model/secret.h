// SPDX-License-Identifier: GPL-3.0-or-later
/* secret.h - what isolation is for: accesses that must be refused, a secret in a VM's memory, and a covert
 * channel through the time that a neighbour steals.
 *
 * access: the VM refers to an address that it may not: it is ended there (a fault, with the address), nobody
 * else notices. Addresses: `null` 0, `outside` the first beyond its memory (0 where that is not stated), `nx`
 * and `readonly` 4096, the page after that of null.
 *
 * secret: so many bytes of it are in its memory from then on, until it fails or stops; each such step adds
 * its own, up to all the memory there is. `inspect` is the host's administrator reading all of that memory:
 * the guest is not asked, and what it has is found, whatever `defence` the host has.
 *
 * covert: time is cut in slots of 1/rate, from time 0. A sender's vCPU computes through a slot for a 1 and
 * sleeps through it for a 0; bits are drawn from the sender's own stream. A receiver computes through every
 * slot and knows how much CPU time it got: what it lacks was stolen. It takes the middle between the most and
 * the least it has seen so far as the border between 1 and 0. covert.ber is its wrong bits / bits. */
#ifndef VLAB_MODEL_SECRET_H
#define VLAB_MODEL_SECRET_H

#include "model/inner.h"

void secret_access(struct model *m, struct vm *vm, const struct prog_act *act);
void secret_keep(struct vm *vm, int64_t bytes);
void secret_inspect(struct model *m, struct vm *vm);

/* A covert step. The next slot: true: compute through it (a timer ends it); false: sleep through it, or, with
 * *over set, the step's bits are all done. */
bool secret_slot(struct model *m, struct vm *vm, uint32_t task, bool *over);
/* Its slot is over; a receiver got that much of it. */
void secret_heard(struct model *m, struct vm *vm, uint32_t task, int64_t got_ns);

#endif
