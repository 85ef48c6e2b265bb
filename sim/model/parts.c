// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/mem.h"
__attribute__((weak)) void mem_scan_job(struct model *m, uint64_t arg)
{
    (void)m;
    (void)arg;
}
