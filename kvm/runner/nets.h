// SPDX-License-Identifier: GPL-3.0-or-later
/* nets.h - the networks of a run: one switch process for each that VMs here are on (kvm/net.h).
 *
 * A VM's NIC is the device after its disks. Its MAC and address follow from its network's number and its own
 * place on it; so do the peers'. Who can send to whom is scenario/reach.h's to say, as in the simulator: a
 * send without a way is refused in the guest. What is behind an uplink is started only where a VM sends to
 * a peer. nat goes by libslirp, or, where the environment says VLAB_NAT=nft, by a tap and nft, which needs
 * /dev/net/tun. */
#ifndef VLAB_KVM_RUNNER_NETS_H
#define VLAB_KVM_RUNNER_NETS_H

#include "kvm/runner/netproc.h"
#include "kvm/runner/run.h"

/* Starts them, and waits until they carry frames. Before the VMs start. KVM_OK, or *why. */
enum kvm_status nets_start(struct run *r, char **why);
/* What that VM's boot region says of its NIC; n_ends 0: it has none. Valid until nets_stop. */
struct boot_net nets_boot(const struct run *r, uint32_t vm);
/* Its NIC's device, for its VMM. False: it has none. */
bool nets_dev(const struct run *r, uint32_t vm, struct vmproc_dev *dev);
/* VMMs have what they need: the runner keeps none of it. */
void nets_release(struct run *r);
/* What passed since the last time, as records; and whether a switch is gone. */
void nets_poll(struct run *r);
/* The process of that network, for tests; NULL: it has none. */
struct netproc *nets_proc(const struct run *r, uint32_t network);
/* Ends them all. */
void nets_stop(struct run *r);

#endif
