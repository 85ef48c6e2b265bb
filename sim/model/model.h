// SPDX-License-Identifier: GPL-3.0-or-later
/* model.h - the simulated side of a scenario: hosts, vCPUs, guests and their work, on the engine's clock.
 *
 * What happens leaves as records (base/rec.h) in order of time. The scenario is only read; it must
 * outlive the model. */
#ifndef VLAB_MODEL_MODEL_H
#define VLAB_MODEL_MODEL_H

#include "base/rec.h"
#include "engine/sim.h"
#include "scenario/scenario.h"

struct model;

#define MODEL_ALL UINT32_MAX

/* only_vm: an index to simulate that VM alone on its host (for `slowdown`), or MODEL_ALL. */
struct model *model_new(const struct scenario *sc, uint64_t seed, uint32_t only_vm, struct rec_block *out);
void model_free(struct model *m);
struct sim *model_sim(struct model *m);
/* Runs to the scenario's end and closes every open interval; 0, or -1 with *why (malloc'ed) set. */
int model_run(struct model *m, char **why);
/* work.checksum of a VM so far. */
uint64_t model_checksum(const struct model *m, uint32_t vm);

#endif
