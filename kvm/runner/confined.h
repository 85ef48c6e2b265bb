// SPDX-License-Identifier: GPL-3.0-or-later
/* confined.h - whether the sandbox of a process that serves a guest is in force here: looked at, not
 * believed. */
#ifndef VLAB_KVM_RUNNER_CONFINED_H
#define VLAB_KVM_RUNNER_CONFINED_H

#include <stdbool.h>
#include <stddef.h>

/* Starts one (vlab-vmm, or without KVM vlab-proc), looks at all its threads in /proc and ends it. What was
 * seen as a line in text; false: something is not as it should be, and text says what. */
bool confined_look(char *text, size_t size);

#endif
