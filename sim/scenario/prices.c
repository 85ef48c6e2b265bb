// SPDX-License-Identifier: GPL-3.0-or-later
/* A host's hypervisor, and what it costs that it stands between. */
#include <stdio.h>

#include "scenario/names.h"
#include "scenario/reader.h"

#define Y "hosts.hypervisor."

void prices_read(struct reader *r, const struct node *host, struct sc_host *h)
{
    const struct node *map = reader_sub(host, "hypervisor", NODE_MAP),
                      *costs = reader_sub(host, "mode_costs", NODE_MAP);
    struct sc_modes *modes = arena_alloc(r->a, sizeof *modes);
    h->type = (uint8_t)reader_num(r, map, Y "type");
    h->nested_paging = reader_get(r, map, Y "nested_paging").n;
    h->load_ppm = (uint32_t)reader_num(r, map, Y "load");
    modes->host_io_ps = reader_num(r, map, Y "host_io") * 1000;
    modes->emulation_milli = (uint32_t)(reader_num(r, map, Y "emulation") / 1000000);
    profiles_prices(h, modes);
    for (uint32_t op = 0; costs && op < PROG_NOPS; op++) {
        char path[60];
        snprintf(path, sizeof path, "hosts.mode_costs.%s", name_op(op));
        struct got got = reader_get(r, costs, path);
        for (unsigned mode = SC_BARE + 1; got.node && mode < SC_NMODES; mode++)
            modes->price[mode][op].ps = got.n * 1000;
    }
    h->modes = modes;
}
