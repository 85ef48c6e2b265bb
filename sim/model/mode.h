// SPDX-License-Identifier: GPL-3.0-or-later
/* mode.h - the price of mediation: what an event of `ops` costs in a VM's virtualization mode.
 *
 *     T = user * (1 + tlb) + sum over events of n_e * c_e
 *
 * An event's native price is useful time, what the mode adds is overhead; a mode that is cheaper than
 * native (binary translation's `in`) has no overhead. Prices are in ps and what does not fill a ns is carried
 * on in the VM, so that a million events cost a million prices. Sources: the scenario's host profile
 * (Adams and Agesen, ASPLOS 2006; Barham et al., SOSP 2003), with the host's mode_costs over it. */
#ifndef VLAB_MODEL_MODE_H
#define VLAB_MODEL_MODE_H

#include "model/inner.h"

struct mode_cost {
    int64_t useful_ns, overhead_ns;
};

/* n events of one kind: counts their exits, returns their time on this host's cores. */
struct mode_cost mode_events(struct vm *vm, enum prog_op op, int64_t n);
/* Work of user code: under emulation each instruction takes many. */
struct mode_cost mode_work(const struct vm *vm, int64_t on_core_ns);
/* What a VM pays to hand `bytes` to a device: a doorbell, or under emulation a port access for each word of
 * PIO (2 bytes); a system call where there is no hypervisor, whose time is what is useful of the others'. On
 * a type 2 host one more exit. */
struct mode_cost mode_io(struct vm *vm, int64_t bytes);

#endif
