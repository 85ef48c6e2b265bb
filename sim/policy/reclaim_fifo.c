// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/reclaim_list.h"

const struct reclaim_class reclaim_fifo = {
    .name = "fifo",
    .bytes = reclaim_list_bytes,
    .init = reclaim_list_begin,
    .insert = reclaim_list_append,
    .remove = reclaim_list_remove,
    .victim = reclaim_list_take_first,
};
