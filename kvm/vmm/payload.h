// SPDX-License-Identifier: GPL-3.0-or-later
/* payload.h - the program a guest runs: an ELF file embedded in this one, or one from a descriptor. */
#ifndef VLAB_KVM_VMM_PAYLOAD_H
#define VLAB_KVM_VMM_PAYLOAD_H

#include "kvm/vmm/paging.h"

extern const unsigned char payload_elf[], payload_elf_end[];

/* Copies the segments of an ELF file into the guest's RAM and maps them with their rights; *entry is where it
 * begins. Every number in the file is checked. 0, or -1 with *why set to a constant sentence. */
int payload_load(struct paging *p, const unsigned char *elf, uint64_t bytes, uint64_t *entry,
                 const char **why);

#endif
