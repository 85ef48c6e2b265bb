/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to the beginning, the middle and the end of each of its 40 pages, reads all of it again in another
 * order, and so on, with other numbers each time, for 4 rounds; then it leaves. What it has not written last is
 * a worse end. */
#include "guest.inc"
#define PAGES 40
#define BOOT_PAGE_BYTES (0x100000 + 144)
    mov BOOT_PAGE_BYTES, %r8d       /* bytes of a page */
    mov %r8, %r9
    shr $1, %r9                     /* its middle */
    movabs $0x100000000, %r10
    mov $1, %r11                    /* the round */
round:
    xor %ecx, %ecx
write:
    call where
    mov %rdx, (%rax)
    mov %rdx, (%rax, %r9)
    mov %rdx, -8(%rax, %r8)
    inc %ecx
    cmp $PAGES, %ecx
    jb write
    xor %ecx, %ecx
    xor %esi, %esi
read:
    call where
    cmp %rdx, (%rax)
    jne bad
    cmp %rdx, (%rax, %r9)
    jne bad
    cmp %rdx, -8(%rax, %r8)
    jne bad
    add $7, %ecx                    /* 7 and 40 have no common divisor */
    cmp $PAGES, %ecx
    jb 1f
    sub $PAGES, %ecx
1:  inc %esi
    cmp $PAGES, %esi
    jb read
    inc %r11
    cmp $5, %r11
    jb round
    xor %eax, %eax
    mov $PORT_EXIT, %edx
    out %eax, %dx
/* Page %ecx: its address in %rax, its number of this round in %rdx. */
where:
    mov %rcx, %rax
    imul %r8, %rax
    add %r10, %rax
    mov %r11, %rdx
    shl $32, %rdx
    or %rcx, %rdx
    ret
bad:
    ud2
