// SPDX-License-Identifier: GPL-3.0-or-later
/* Any scenario that the bytes choose (tests/any.h), read and run for 20 ms of its time. What it was is
 * printed when VLAB_SHOW is set: build/fuzz/fuzz_any FILE then tells a finding's scenario. */
#include "tests/any.h"
#include "tests/fuzz/run_it.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    ASSERT(f);
    any_write(f, data, size);
    fclose(f);
    bool show = getenv("VLAB_SHOW") != NULL;
    if (show) fputs(text, stderr);
    struct diag d;
    diag_init(&d);
    struct scenario_file *file = scenario_parse("any.yaml", text, len, &d);
    struct scenario *sc = file ? scenario_at(file, 0, &d) : NULL;
    if (sc) run_it(sc, UINT32_MAX);
    if (sc && sc->n_vms > 1 && size % 8 == 7) run_it(sc, 1);
    if (show) diag_print(&d, stderr, false);
    scenario_free(sc);
    scenario_close(file);
    diag_done(&d);
    free(text);
    return 0;
}
