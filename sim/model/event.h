// SPDX-License-Identifier: GPL-3.0-or-later
/* event.h - what is done to a scenario while it runs: one function for each verb, whoever asks.
 *
 * Scheduled events come at their time, after what else was set for that instant before the run began. The
 * scenario is not changed: the model's own copies of settings are. A verb that does not fit the state of its
 * target (resume what is not paused) does nothing, or is told as an event with its reason. */
#ifndef VLAB_MODEL_EVENT_H
#define VLAB_MODEL_EVENT_H

#include "model/inner.h"

/* Schedules what the scenario has. */
void event_init(struct model *m);
void event_on(void *model, uint32_t i); /* the engine's event */
/* Does it, now. All hosts and books are settled when it returns. *e must stand as long as the run, as those
 * of the scenario do: a failure with a `for` looks at it again when it is over. */
void event_do(struct model *m, const struct sc_event *e);

#endif
