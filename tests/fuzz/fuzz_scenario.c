// SPDX-License-Identifier: GPL-3.0-or-later
/* Any bytes as a scenario: the reader may refuse them, never fall over them; what it accepts, its resolved
 * copy says again. A first line `#set KEY=VALUE` is given as --set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/expect.h"
#include "scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_POINTS 4

static void set(struct scenario_file *f, const char *text, size_t len, struct diag *d)
{
    char line[200];
    const char *nl = memchr(text, '\n', len);
    if (len < 5 || memcmp(text, "#set ", 5) != 0 || !nl || nl - text >= (long)sizeof line) return;
    memcpy(line, text + 5, (size_t)(nl - text) - 5);
    line[nl - text - 5] = '\0';
    char *equals = strchr(line, '=');
    if (!equals) return;
    *equals = '\0';
    scenario_set(f, line, equals + 1, d);
}

static bool points(struct scenario_file *f, struct diag *d)
{
    for (size_t p = 0; p < scenario_points(f) && p < MAX_POINTS; p++) {
        struct scenario *sc = scenario_at(f, p, d);
        if (!sc) return false;
        for (uint32_t i = 0; i < sc->n_vms; i++)
            if (sc->vms[i].host >= sc->n_hosts ||
                !prog_valid(sc->vms[i].work.prog, sc->vms[i].work.prog->bytes))
                abort();
        scenario_free(sc);
    }
    return true;
}

static void again(const struct scenario_file *f)
{
    size_t len, len2;
    char *text = scenario_dump(f, &len);
    struct diag d;
    diag_init(&d);
    struct scenario_file *g = scenario_parse("again.yaml", text, len, &d);
    if (!g || !points(g, &d)) {
        diag_print(&d, stderr, false);
        fputs(text, stderr);
        abort();
    }
    char *text2 = scenario_dump(g, &len2);
    if (len != len2 || memcmp(text, text2, len) != 0) {
        fprintf(stderr, "%s\n--- again ---\n%s", text, text2);
        abort();
    }
    free(text);
    free(text2);
    scenario_close(g);
    diag_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_parse("fuzz.yaml", (const char *)data, size, &d);
    if (f) set(f, (const char *)data, size, &d);
    if (f && !diag_any(&d) && points(f, &d)) again(f);
    diag_print(&d, nowhere, true);
    scenario_close(f);
    diag_done(&d);
    return 0;
}
