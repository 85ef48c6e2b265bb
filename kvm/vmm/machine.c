// SPDX-License-Identifier: GPL-3.0-or-later
/* The virtual machine as KVM sees it: two slots of memory, vCPUs that stand in ring 3 of long mode. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/vmm/cpuid.h"
#include "kvm/vmm/dev.h"
#include "kvm/vmm/payload.h"
#include "kvm/vmm/vmm.h"

#define TSS_BYTES  104u /* before its I/O bitmap */
#define BITMAP_END (ABI_PORT_FIRST / 8 + ABI_PORTS * 4 / 8 + 1)
#define TSS_LIMIT  (TSS_BYTES + BITMAP_END) /* of the last byte: the one after the bitmap, all ones */
#define CR0        0x80050033u              /* PE MP ET NE WP AM PG */
#define CR4        0x620u                   /* PAE OSFXSR OSXMMEXCPT */
#define EFER       0xd00u                   /* LME LMA NXE */

static void check(struct ctl *c, int r, const char *what)
{
    if (r < 0) vmm_fail(c, "%s: %s", what, strerror(errno));
}

void machine_add_slot(struct vmm *v, uint32_t slot, uint64_t at, uint64_t bytes, void *host)
{
    struct kvm_userspace_memory_region r = {.slot = slot,
                                            .guest_phys_addr = at,
                                            .memory_size = bytes,
                                            .userspace_addr = (uint64_t)(uintptr_t)host};
    check(v->ctl, ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &r), "KVM_SET_USER_MEMORY_REGION");
}

void machine_map(struct vmm *v, uint64_t at, uint64_t bytes, unsigned rights)
{
    if (paging_map(&v->paging, (struct gpa){at}, bytes, rights) != 0)
        vmm_fail(v->ctl, "no room for page tables");
}

/* The boot region is copied: what the guest reads cannot change under it, but for the clock's zero. */
static void load_boot(struct vmm *v)
{
    struct stat st;
    if (fstat(CTL_FD_BOOT, &st) != 0) vmm_fail(v->ctl, "boot region: %m");
    uint64_t bytes = (uint64_t)st.st_size, whole = (bytes + ABI_PAGE - 1) / ABI_PAGE * ABI_PAGE;
    if (bytes < sizeof(struct abi_boot) || whole > ABI_BOOT_MAX)
        vmm_fail(v->ctl, "boot region: %ju bytes", bytes);
    char *to = gmem_at(&v->ram, (struct gpa){ABI_BOOT}, whole);
    for (uint64_t got = 0; got < bytes;) {
        ssize_t n = pread(CTL_FD_BOOT, to + got, bytes - got, (off_t)got);
        if (n <= 0) vmm_fail(v->ctl, "boot region: cannot be read");
        got += (uint64_t)n;
    }
    machine_map(v, ABI_BOOT, whole, PAGE_READ);
}

static void map_logs(struct vmm *v)
{
    uint64_t bytes = v->ctl->n_vcpus * ABI_LOG_STEP;
    struct stat st;
    if (fstat(CTL_FD_LOG, &st) != 0 || (uint64_t)st.st_size < bytes) vmm_fail(v->ctl, "the log is too small");
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, CTL_FD_LOG, 0);
    if (p == MAP_FAILED) vmm_fail(v->ctl, "the log: %m");
    machine_add_slot(v, 1, ABI_LOG, bytes, p);
    machine_map(v, ABI_LOG, bytes, PAGE_WRITE);
}

/* A TSS with an I/O bitmap: with IOPL 0 the processor lets ring 3 at the ports whose bits are clear. */
static void write_tss(struct vmm *v)
{
    unsigned char *t = gmem_at(&v->ram, (struct gpa){ABI_TSS}, ABI_PAGE);
    const uint16_t bitmap_at = TSS_BYTES;
    memcpy(t + 102, &bitmap_at, sizeof bitmap_at);
    memset(t + TSS_BYTES, 0xff, ABI_PAGE - TSS_BYTES);
    for (uint32_t p = ABI_PORT_FIRST; p < ABI_PORT_FIRST + ABI_PORTS * 4; p++)
        t[TSS_BYTES + p / 8] &= (unsigned char)~(1u << p % 8);
}

/* The descriptors that the selectors name; KVM is given the same as registers. */
static void write_gdt(struct vmm *v)
{
    uint64_t *g = gmem_at(&v->ram, (struct gpa){ABI_GDT}, ABI_PAGE);
    g[ABI_SEL_CODE / 8] = UINT64_C(0x00affb000000ffff);
    g[ABI_SEL_DATA / 8] = UINT64_C(0x00cff3000000ffff);
    g[ABI_SEL_TSS / 8] = TSS_LIMIT | (uint64_t)(ABI_TSS & 0xffffff) << 16 | UINT64_C(0x8b) << 40;
}

static void load_payload(struct vmm *v)
{
    const unsigned char *elf = payload_elf;
    uint64_t bytes = (uintptr_t)payload_elf_end - (uintptr_t)payload_elf;
    struct stat st;
    /* Without a payload of its own a VMM is started with a descriptor that is no regular file. */
    if (fstat(CTL_FD_PAYLOAD, &st) == 0 && S_ISREG(st.st_mode)) {
        bytes = (uint64_t)st.st_size;
        void *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, CTL_FD_PAYLOAD, 0);
        if (p == MAP_FAILED) vmm_fail(v->ctl, "the payload: %m");
        elf = p;
    }
    const char *why;
    if (payload_load(&v->paging, elf, bytes, &v->entry, &why) != 0) vmm_fail(v->ctl, "%s", why);
}

void machine_add_bell(struct vmm *v, uint32_t port, int fd)
{
    struct kvm_ioeventfd e = {.addr = port, .len = 4, .fd = fd, .flags = KVM_IOEVENTFD_FLAG_PIO};
    check(v->ctl, ioctl(v->vm, KVM_IOEVENTFD, &e), "KVM_IOEVENTFD");
}

static uint64_t secret_whole(const struct vmm *v)
{
    return (v->ctl->secret_bytes + PAGING_BIG - 1) / PAGING_BIG * PAGING_BIG;
}

/* Room for page tables of all that the first few do not hold. */
static void make_tables(struct vmm *v, uint64_t bytes)
{
    if (v->ctl->secret_bytes > ABI_MEMORY_MAX)
        vmm_fail(v->ctl, "%ju bytes of secrets", (uintmax_t)v->ctl->secret_bytes);
    bytes += paging_bytes(secret_whole(v), PAGE_BIG);
    if (gmem_init(&v->tables, (struct gpa){ABI_MORE_TABLES}, bytes) != 0)
        vmm_fail(v->ctl, "no memory for page tables: %m");
    machine_add_slot(v, 3, ABI_MORE_TABLES, v->tables.bytes, v->tables.host);
    paging_more(&v->paging, &v->tables);
}

static void make_secret(struct vmm *v)
{
    uint64_t whole = secret_whole(v);
    if (gmem_init(&v->secret, (struct gpa){ABI_SECRET}, whole) != 0)
        vmm_fail(v->ctl, "%ju bytes of memory for the guest: %m", (uintmax_t)whole);
    machine_add_slot(v, 4, ABI_SECRET, whole, v->secret.host);
    machine_map(v, ABI_SECRET, whole, PAGE_WRITE | PAGE_BIG);
}

/* The memory that steps touch, and the first page after it, which is mapped and lies in no slot. */
static void make_memory(struct vmm *v)
{
    uint64_t bytes = v->ctl->memory_bytes, mapped = v->ctl->mapped_bytes, page = v->ctl->page_bytes;
    unsigned rights = PAGE_WRITE | (page == PAGING_BIG ? PAGE_BIG : 0);
    if ((page != ABI_PAGE && page != PAGING_BIG) || bytes % page != 0 || bytes > ABI_MEMORY_MAX ||
        mapped > bytes || mapped % page != 0)
        vmm_fail(v->ctl, "%ju bytes of memory in pages of %ju", bytes, page);
    make_tables(v, paging_bytes(mapped, rights) + paging_bytes(page, rights));
    if (gmem_init(&v->memory, (struct gpa){ABI_MEMORY}, bytes) != 0)
        vmm_fail(v->ctl, "%ju bytes of memory for the guest: %m", bytes);
    /* What the host backs it with is what the scenario says, where the host can. */
    (void)madvise(v->memory.host, bytes, page == ABI_PAGE ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    machine_add_slot(v, 2, ABI_MEMORY, bytes, v->memory.host);
    machine_map(v, ABI_MEMORY, mapped, rights);
    machine_map(v, ABI_MEMORY + bytes, page, rights);
}

void machine_make(struct vmm *v)
{
    if (ioctl(v->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        vmm_fail(v->ctl, "not KVM's API version 12");
    check(v->ctl, v->vm = ioctl(v->kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    if (gmem_init(&v->ram, (struct gpa){ABI_RAM_BASE}, ABI_RAM_END - ABI_RAM_BASE) != 0 ||
        paging_init(&v->paging, &v->ram) != 0)
        vmm_fail(v->ctl, "no memory for the guest");
    machine_add_slot(v, 0, ABI_RAM_BASE, v->ram.bytes, v->ram.host);
    load_boot(v);
    map_logs(v);
    machine_map(v, ABI_GDT, ABI_PAGE, PAGE_SUPERVISOR);
    machine_map(v, ABI_TSS, ABI_PAGE, PAGE_SUPERVISOR);
    machine_map(v, ABI_HOLE, ABI_PAGE, PAGE_WRITE);
    machine_map(v, ABI_DEVICE, ABI_PAGE, PAGE_WRITE);
    machine_add_bell(v, ABI_PORT_BELL, CTL_FD_BELL);
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
        machine_map(v, ABI_STACKS + i * ABI_STACK_STEP + ABI_PAGE, ABI_STACK_BYTES, PAGE_WRITE);
    write_gdt(v);
    write_tss(v);
    load_payload(v);
    dev_make_all(v);
    /* Last: their tables lie elsewhere. */
    if (v->ctl->memory_bytes > 0) make_memory(v);
    if (v->ctl->secret_bytes > 0 && v->ctl->memory_bytes == 0) make_tables(v, 0);
    if (v->ctl->secret_bytes > 0) make_secret(v);
}

static void set_sregs(struct vcpu *c)
{
    struct kvm_sregs s;
    check(c->vmm->ctl, ioctl(c->fd, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
    struct kvm_segment code = {.limit = 0xffffffff,
                               .selector = ABI_SEL_CODE,
                               .type = 11,
                               .present = 1,
                               .dpl = 3,
                               .s = 1,
                               .l = 1,
                               .g = 1};
    struct kvm_segment data = {.limit = 0xffffffff,
                               .selector = ABI_SEL_DATA,
                               .type = 3,
                               .present = 1,
                               .dpl = 3,
                               .db = 1,
                               .s = 1,
                               .g = 1};
    s.cs = code;
    s.ds = s.es = s.fs = s.gs = s.ss = data;
    s.tr = (struct kvm_segment){
        .base = ABI_TSS, .limit = TSS_LIMIT, .selector = ABI_SEL_TSS, .type = 11, .present = 1};
    s.gdt = (struct kvm_dtable){.base = ABI_GDT, .limit = ABI_SEL_TSS + 15};
    s.idt = (struct kvm_dtable){0};
    s.cr0 = CR0;
    s.cr3 = ABI_TABLES;
    s.cr4 = CR4;
    s.efer = EFER;
    check(c->vmm->ctl, ioctl(c->fd, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
}

/* Guest and host read the same TSC. Where the kernel cannot be told so, it is checked at ABI_PORT_SYNC. */
static void set_tsc(struct vcpu *c)
{
    uint64_t offset = 0;
    struct kvm_device_attr a = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uint64_t)(uintptr_t)&offset};
    (void)ioctl(c->fd, KVM_SET_DEVICE_ATTR, &a);
}

void machine_make_vcpu(struct vcpu *c)
{
    struct vmm *v = c->vmm;
    check(v->ctl, c->fd = ioctl(v->vm, KVM_CREATE_VCPU, c->index), "KVM_CREATE_VCPU");
    int bytes = ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    check(v->ctl, bytes, "KVM_GET_VCPU_MMAP_SIZE");
    c->run_bytes = (size_t)bytes;
    c->run = mmap(NULL, c->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
    if (c->run == MAP_FAILED) vmm_fail(v->ctl, "kvm_run: %m");
    if (cpuid_set(v->kvm, c->fd) != 0) vmm_fail(v->ctl, "KVM_SET_CPUID2: %m");
    set_sregs(c);
    set_tsc(c);
    struct kvm_regs r = {.rip = v->entry, .rflags = 2, .rdi = c->index};
    r.rsp = ABI_STACKS + c->index * ABI_STACK_STEP + ABI_PAGE + ABI_STACK_BYTES;
    check(v->ctl, ioctl(c->fd, KVM_SET_REGS, &r), "KVM_SET_REGS");
}
