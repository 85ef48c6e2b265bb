// SPDX-License-Identifier: GPL-3.0-or-later
/* What holds of hosts and VMs between any two events. */
#include <stdarg.h>
#include <stdio.h>

#include "model/host.h"
#include "model/migrate.h"
#include "model/power.h"

__attribute__((format(printf, 2, 3))) static int broken(char **why, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(why, fmt, ap) < 0) *why = NULL;
    va_end(ap);
    return -1;
}

/* It is where it says, once; its vCPUs have the seats they say. */
static int check_vm(const struct model *m, const struct vm *vm, char **why)
{
    const char *name = vm->sc->name;
    const struct mhost *h = vm->host;
    if (vm->resident != (vm->power != POWER_NONE))
        return broken(why, "vm.%s is %s its host, in state %u", name, vm->resident ? "on" : "not on",
                      vm->power);
    uint32_t listed = 0;
    for (const struct vm *v = h->first_vm; v; v = v->next_there)
        listed += v == vm;
    if (listed != vm->resident) return broken(why, "vm.%s is %u times on host.%s", name, listed, h->sc->name);
    bool off = vm->power == POWER_NONE || vm->power == POWER_OFF || vm->power == POWER_FAILED;
    if (off && (vm->migration || !vm->off || vm->held))
        return broken(why, "vm.%s is off and yet at something", name);
    if (!off && !host_up(h)) return broken(why, "vm.%s is on, its host.%s is not", name, h->sc->name);
    if (vm->power == POWER_FAILED && !vm->wanted)
        return broken(why, "vm.%s failed and nobody wants it", name);
    if (vm->power == POWER_UP && vm->off) return broken(why, "vm.%s is up and yet off", name);
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        const struct vcpu *v = &m->vcpus[vm->first_vcpu + k];
        bool seated = v->in_sched != NONE;
        if (h->seats && seated != (vm->resident || vm->sc->pins))
            return broken(why, "vm.%s.vcpu%u has %s seat", name, k, seated ? "a" : "no");
        if (h->seats && seated && h->seats[v->in_sched] != v)
            return broken(why, "vm.%s.vcpu%u sits on another's seat", name, k);
        if (v->host != h || v->proto.host != h->index)
            return broken(why, "vm.%s.vcpu%u is on another host than its VM", name, k);
        if ((off || vm->held) && v->at) return broken(why, "vm.%s.vcpu%u runs, and may not", name, k);
    }
    for (uint32_t i = 0; vm->resident && i < vm->sc->n_apart; i++) {
        const struct vm *other = &m->vms[vm->sc->apart[i]];
        if (other != vm && other->resident && other->host == h && vm->sc->placed)
            return broken(why, "anti-affinity: vm.%s and vm.%s are both on host.%s", name, other->sc->name,
                          h->sc->name);
    }
    return 0;
}

/* What it has promised is what its VMs, and those on their way, want. */
static int check_host(const struct model *m, const struct mhost *h, char **why)
{
    int64_t want[2], sum[2] = {0, 0};
    uint32_t n = 0, coming = 0;
    if (h->sched && (sched_poll(h->sched) < 0 || h->n_woken))
        return broken(why, "host.%s has not been settled", h->sc->name);
    if (h->sched && sched_poll(h->sched) != h->tick_at)
        return broken(why, "host.%s: its scheduler wants a tick that is not set", h->sc->name);
    for (const struct vm *vm = h->first_vm; vm; vm = vm->next_there, n++) {
        host_wants(vm, want);
        sum[0] += want[0];
        sum[1] += want[1];
        if (vm->host != h) return broken(why, "vm.%s is listed on host.%s", vm->sc->name, h->sc->name);
    }
    for (uint32_t i = 0; h->expects && i < m->sc->n_vms; i++) {
        const struct vm *vm = &m->vms[i];
        if (migrate_target(vm) != h->index || vm->host == h) continue;
        host_wants(vm, want);
        sum[0] += want[0];
        sum[1] += want[1];
        coming++;
    }
    if (n != h->n_vms || coming != h->expects)
        return broken(why, "host.%s has %u VMs and expects %u, but counts %u and %u", h->sc->name, n, coming,
                      h->n_vms, h->expects);
    if (sum[0] != h->promised[0] || sum[1] != h->promised[1])
        return broken(why, "host.%s has promised %lld ppm and %lld bytes, its VMs want %lld and %lld",
                      h->sc->name, (long long)h->promised[0], (long long)h->promised[1], (long long)sum[0],
                      (long long)sum[1]);
    return 0;
}

int host_check(const struct model *m, char **why)
{
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        if (check_host(m, &m->hosts[i], why)) return -1;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        if (m->vms[i].sc && check_vm(m, &m->vms[i], why)) return -1;
    return 0;
}
