// SPDX-License-Identifier: GPL-3.0-or-later
/* compress.h - pages that go are kept in memory, compressed.
 *
 * n compressed pages stand in ceil(n / ratio) frames of a pool; these are in use and nobody's. Pages of the
 * VM that is to give go into it until one frame more is free than the pool took. The pool is at most a tenth
 * of the host's memory (as ESX's); when it is full the next way is asked. Every page is compressible. A page
 * costs `cost` of CPU time to compress, and again to bring back: overhead of the task whose fault it was
 * (what the free states ask for, of the one that took the frame). Bringing back is a hard fault without a
 * device. It keeps whether it was written. Leaves out: moving from the pool to swap; compressing for a
 * smaller size. */
#ifndef VLAB_MODEL_COMPRESS_H
#define VLAB_MODEL_COMPRESS_H

#include "model/mem_inner.h"

uint32_t compress_take(struct model *m, struct mem *mem, struct vmem *v); /* mem_taker */
bool compress_fault(struct model *m, struct vmem *v, struct touch *t, uint32_t *word);
/* A compressed page is no longer wanted. */
void compress_drop(struct model *m, struct vmem *v);

#endif
