// SPDX-License-Identifier: GPL-3.0-or-later
/* What a scenario may ask for that native processes cannot give: they are given CPU time and memory, and
 * nothing stands between them and the machine. What is said of guests besides (refuse.c) holds for them too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/runner/run.h"
#include "scenario/names.h"

#define CANNOT "not possible on this backend: "

static char *refuse_steps(const struct sc_vm *v)
{
    static const char *const kinds[STEP_NKINDS] = {
        [STEP_DISK] = "disk", [STEP_NET] = "net", [STEP_SECRET] = "secret", [STEP_COVERT] = "covert"};
    const struct step *s = prog_steps(v->work.prog);
    for (uint32_t i = 0; i < v->work.prog->n_steps; i++) {
        if (kinds[s[i].kind])
            return host_text(CANNOT "vms.%s.workload.steps: a native process takes no `%s` step", v->group,
                             kinds[s[i].kind]);
        if (s[i].kind == STEP_OPS && s[i].how != OP_CALL_RET)
            return host_text(CANNOT "vms.%s.workload.steps: ops: %s: a native process has no exits", v->group,
                             name_op(s[i].how));
    }
    return NULL;
}

static char *refuse_vm(const struct sc_vm *v)
{
    static const char *const modes[SC_NMODES] = {[SC_EMULATION] = "emulation",
                                                 [SC_TRANSLATION] = "binary-translation",
                                                 [SC_PARAVIRTUAL] = "paravirtual"};
    if (modes[v->mode])
        return host_text(CANNOT "vms.%s.mode: %s: native processes run on the processor itself", v->group,
                         modes[v->mode]);
    if (v->n_disks > 0) return host_text(CANNOT "vms.%s.disk: a native process has no disk", v->group);
    if (v->network != SC_NONE) return host_text(CANNOT "vms.%s.nic: a native process has no NIC", v->group);
    if (v->migrate.stated) return host_text(CANNOT "vms.%s.migrate: native processes stay", v->group);
    return refuse_steps(v);
}

static char *refuse_rest(const struct scenario *sc)
{
    const char *host = sc->n_hosts > 0 ? sc->hosts[0].group : "";
    for (uint32_t i = 0; i < sc->n_disks; i++)
        if (sc->disks[i].host == SC_NONE)
            return host_text(CANNOT "storage.%s: native processes have no disks", sc->disks[i].name);
        else
            return host_text(CANNOT "hosts.%s.disks.%s: native processes have no disks", host,
                             sc->disks[i].name);
    if (sc->n_nics > 0)
        return host_text(CANNOT "hosts.%s.nics.%s: native processes have no NICs", host, sc->nics[0].name);
    if (sc->n_networks > 0)
        return host_text(CANNOT "networks.%s: native processes have no network", sc->networks[0].name);
    if (sc->n_peers > 0)
        return host_text(CANNOT "peers.%s: native processes have no network", sc->peers[0].name);
    if (sc->n_events > 0)
        return host_text(CANNOT "events: nothing is done to native processes while they run");
    if (sc->n_hosts > 0 && sc->hosts[0].memory.n_reclaim > 0)
        return host_text(CANNOT "hosts.%s.memory.reclaim: native processes keep their memory",
                         sc->hosts[0].group);
    return NULL;
}

/* The scenario as guests would have it: bare and container are what a process is anyway. */
static char *refuse_as_guests(const struct scenario *sc)
{
    struct scenario as = *sc;
    struct sc_vm *vms = calloc(sc->n_vms + 1, sizeof *vms);
    ASSERT(vms);
    memcpy(vms, sc->vms, sc->n_vms * sizeof *vms);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        vms[i].mode = SC_HARDWARE;
    as.vms = vms;
    char *why = refuse_scenario(&as);
    free(vms);
    return why;
}

char *refuse_native(const struct scenario *sc)
{
    char *why = refuse_rest(sc);
    for (uint32_t i = 0; !why && i < sc->n_vms; i++)
        why = refuse_vm(&sc->vms[i]);
    return why ? why : refuse_as_guests(sc);
}
