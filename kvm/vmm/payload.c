// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/payload.h"

#include <elf.h>
#include <string.h>

#include "kvm/abi.h"

#define MAX_SEGMENTS 16u

static int load_segment(struct paging *p, const unsigned char *elf, uint64_t bytes, const Elf64_Phdr *ph,
                        const char **why)
{
    uint64_t file_end, end;
    *why = "a segment of the payload lies outside its file or its place in memory";
    if (!gmem_add(ph->p_offset, ph->p_filesz, &file_end) || file_end > bytes) return -1;
    if (!gmem_add(ph->p_vaddr, ph->p_memsz, &end) || ph->p_filesz > ph->p_memsz) return -1;
    if (ph->p_vaddr < ABI_PAYLOAD || end > ABI_RAM_END || ph->p_vaddr % ABI_PAGE != 0) return -1;
    *why = "a segment of the payload is both writable and executable";
    if ((ph->p_flags & PF_W) && (ph->p_flags & PF_X)) return -1;
    *why = "no room for the payload's page tables";
    struct gpa at = {ph->p_vaddr};
    uint64_t whole = (ph->p_memsz + ABI_PAGE - 1) / ABI_PAGE * ABI_PAGE;
    unsigned rights = (ph->p_flags & PF_W ? PAGE_WRITE : 0u) | (ph->p_flags & PF_X ? PAGE_EXEC : 0u);
    void *to = gmem_at(p->ram, at, ph->p_memsz);
    if (!to || paging_map(p, at, whole, rights) != 0) return -1;
    memcpy(to, elf + ph->p_offset, ph->p_filesz);
    return 0;
}

int payload_load(struct paging *p, const unsigned char *elf, uint64_t bytes, uint64_t *entry,
                 const char **why)
{
    Elf64_Ehdr eh;
    *why = "the payload is no ELF file for this processor";
    if (bytes < sizeof eh) return -1;
    memcpy(&eh, elf, sizeof eh);
    if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_ident[EI_CLASS] != ELFCLASS64) return -1;
    if (eh.e_machine != EM_X86_64 || eh.e_phentsize != sizeof(Elf64_Phdr)) return -1;
    uint64_t end;
    *why = "the payload has more segments than any has";
    if (eh.e_phnum > MAX_SEGMENTS) return -1;
    *why = "the payload's segments are not in its file";
    if (!gmem_add(eh.e_phoff, (uint64_t)eh.e_phnum * sizeof(Elf64_Phdr), &end) || end > bytes) return -1;
    for (uint64_t i = 0; i < eh.e_phnum; i++) {
        Elf64_Phdr ph;
        memcpy(&ph, elf + eh.e_phoff + i * sizeof ph, sizeof ph);
        if (ph.p_type != PT_LOAD || ph.p_memsz == 0) continue;
        if (load_segment(p, elf, bytes, &ph, why) != 0) return -1;
    }
    *entry = eh.e_entry;
    return 0;
}
