// SPDX-License-Identifier: GPL-3.0-or-later
/* mem.h - a host's memory: pages, what is resident, what a reference costs, and who loses a page.
 *
 * A VM's page is untouched, resident (in a frame of the host), or swapped out; a touched page has content.
 * Its first reference is a soft fault; its first eviction writes it to swap, later ones only if it was
 * written since; its next reference is a hard fault and waits for the device. State is allocated by 2 MiB
 * blocks of guest memory at first touch. Runs of references that hit are one stretch of CPU time: they are
 * drawn ahead and booked when anything looks, with the same outcome to the byte as one event a reference. */
#ifndef VLAB_MODEL_MEM_H
#define VLAB_MODEL_MEM_H

#include "model/inner.h"

void mem_init(struct model *m);
void mem_done(struct model *m);
/* Frees what a task had in its touch step. */
void mem_forget(struct task *k);

enum mem_said {
    MEM_RUN,  /* the task runs *useful_ns, then *overhead_ns; then mem_touch again */
    MEM_WAIT, /* a hard fault: guest_wake_task comes when the page is there; then mem_touch again */
    MEM_OVER  /* the step's references are all done */
};
/* The task enters a touch step (k->act). */
void mem_begin(struct model *m, struct vm *vm, uint32_t task);
/* Its last piece has run in full (or there was none): the next one. */
enum mem_said mem_touch(struct model *m, struct vm *vm, uint32_t task, int64_t *useful_ns,
                        int64_t *overhead_ns);
/* A page transfer that disk_page was asked for is done. */
void mem_io_done(struct model *m, uint64_t arg);
/* A stretch of scanning for equal pages has had its CPU time. */
void mem_scan_job(struct model *m, uint64_t arg);
/* Frees all that a VM held (it was destroyed, or killed). */
void mem_release(struct model *m, struct vm *vm);

#endif
