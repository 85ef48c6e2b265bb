/* SPDX-License-Identifier: GPL-3.0-or-later
 * Frames of any length and with anything in them, requests that no NIC knows, and the doorbell for each: within
 * the rules of the ring, so nobody stops it. */
#include "guest.inc"
#include "nic.inc"
bad:
    movl $12345, %ebx           /* a generator of numbers */
    xorl %r12d, %r12d           /* requests put in */
    /* Something other than zeros in the window. */
    movl $WINDOW, %edi
1:  imull $1664525, %ebx, %ebx
    addl $1013904223, %ebx
    movl %ebx, (%rdi)
    addl $4, %edi
    cmpl $(WINDOW + 0x10000), %edi
    jb 1b
2:  movl %r12d, %eax
    andl $255, %eax
    shll $6, %eax
    leal RING + RING_SUB(%eax), %edi
    imull $1664525, %ebx, %ebx
    addl $1013904223, %ebx
    movl %ebx, %eax
    shrl $24, %eax
    andl $7, %eax               /* any operation; sends the more often */
    cmpl $5, %eax
    jbe 3f
    movl $OP_SEND, %eax
3:  movl %eax, (%rdi)
    movl %r12d, 8(%rdi)
    movl $0, 4(%rdi)
    movl $0, 12(%rdi)
    movl %ebx, %eax
    shrl $8, %eax
    andl $0x1fff, %eax
    movl %eax, 16(%rdi)
    movl %ebx, %eax
    shrl $12, %eax
    andl $0x3fff, %eax
    movl %eax, 20(%rdi)
    incl %r12d
    movl RING + RING_COMP_HEAD, %eax
    movl %eax, RING + 4         /* all answers are consumed */
    movl %r12d, %ecx
    subl %eax, %ecx
    cmpl $200, %ecx             /* no more than the ring holds */
    ja 4f
    movl %r12d, RING
    nic_kick
    jmp 2b
4:  decl %r12d
    pause
    jmp 2b
