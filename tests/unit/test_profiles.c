// SPDX-License-Identifier: GPL-3.0-or-later
/* Built-in profiles: what they say holds where the scenario says nothing, and nowhere else. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/names.h"
#include "tests/unit/reading.h"

Suite *profiles_suite(void);

static void done(struct scenario_file *f, struct scenario *sc, struct diag *d)
{
    scenario_free(sc);
    scenario_close(f);
    diag_done(d);
}

static char *dump_of(const char *text)
{
    struct diag d;
    struct scenario_file *f = parse(text, &d);
    scenario_free(at(f, 0, &d));
    char *out = scenario_dump(f, NULL);
    scenario_close(f);
    diag_done(&d);
    return out;
}

START_TEST(a_profile_fills_what_is_not_stated)
{
    struct diag d;
    struct scenario_file *f = parse(
        "hosts:\n- {name: a, profile: era2003, cpu: {switch_cost: 9us}, nics: [{name: n}, {name: m, "
        "packet_cost: "
        "0s}], mode_costs: {fork: 1us}}\n"
        "- {name: b, profile: modern}\n- {name: c, profile: modern, hypervisor: {nested_paging: false}}\n"
        "- {name: i, hypervisor: {nested_paging: false}}\n- {name: j}\n",
        &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_host *a = host_of(sc, "a"), *b = host_of(sc, "b"), *c = host_of(sc, "c"),
                         *i = host_of(sc, "i"), *j = host_of(sc, "j");
    ck_assert_int_eq(a->switch_ns, 9000); /* stated */
    ck_assert_int_eq(a->cache_bytes, 512 << 10);
    ck_assert_int_eq(a->cache_line_ns, 50);
    ck_assert_int_eq(a->memory.break_ns, 2000);
    ck_assert(!a->nested_paging && b->nested_paging && !c->nested_paging);
    ck_assert_uint_eq(a->modes->emulation_milli, 50000);
    ck_assert_int_eq(sc->nics[0].packet_cost_ns, 0); /* m, stated */
    ck_assert_int_eq(sc->nics[1].packet_cost_ns, 5000);
    ck_assert_int_eq(b->switch_ns, 1500);
    ck_assert_uint_eq(b->memory.tlb_entries, 1536);
    /* Adams and Agesen's cycles at 3.8 GHz. */
    ck_assert_int_eq(a->modes->price[SC_HARDWARE][OP_IO_PORT].ps, 4164737);
    ck_assert_int_eq(a->modes->price[SC_TRANSLATION][OP_SYSCALL].ps, 607368);
    ck_assert_int_eq(a->modes->price[SC_BARE][OP_CALL_RET].ps, 2895);
    /* Xen's deltas over native. */
    ck_assert_int_eq(a->modes->price[SC_PARAVIRTUAL][OP_PAGE_FAULT].ps -
                         a->modes->price[SC_BARE][OP_PAGE_FAULT].ps,
                     1310000);
    ck_assert_int_eq(a->modes->price[SC_PARAVIRTUAL][OP_CONTEXT_SWITCH].ps -
                         a->modes->price[SC_BARE][OP_CONTEXT_SWITCH].ps,
                     1200000);
    ck_assert_int_eq(a->modes->price[SC_HARDWARE][OP_FORK].ps, 1000000); /* stated */
    ck_assert_int_eq(a->modes->price[SC_BARE][OP_FORK].ps, 110000000);
    /* Nested paging picks the column: a PTE is changed without an exit. */
    ck_assert_int_eq(b->modes->price[SC_HARDWARE][OP_PTE_MODIFY].ps,
                     b->modes->price[SC_BARE][OP_PTE_MODIFY].ps);
    ck_assert(!b->modes->price[SC_HARDWARE][OP_PTE_MODIFY].exits);
    ck_assert(c->modes->price[SC_HARDWARE][OP_PTE_MODIFY].exits);
    ck_assert_int_eq(c->modes->price[SC_HARDWARE][OP_PTE_MODIFY].ps, 2000000);
    /* ideal costs nothing, but counts. */
    for (unsigned mode = 0; mode < SC_NMODES; mode++) {
        for (unsigned op = 0; op < PROG_NOPS; op++) {
            ck_assert_int_eq(i->modes->price[mode][op].ps | j->modes->price[mode][op].ps, 0);
            ck_assert(i->modes->price[mode][op].exits == c->modes->price[mode][op].exits);
            ck_assert(j->modes->price[mode][op].exits == b->modes->price[mode][op].exits);
            ck_assert(mode > SC_CONTAINER || !b->modes->price[mode][op].exits);
        }
    }
    done(f, sc, &d);
    char *once = dump_of("hosts: [{name: a, profile: era2003, cpu: {cores: 2}, nics: [{name: n}]}]\n"),
         *twice = dump_of(once);
    ck_assert_str_eq(once, twice);
    ck_assert_ptr_nonnull(strstr(once, "switch_cost: 2us\n"));
    ck_assert_ptr_nonnull(strstr(once, "packet_cost: 5us\n"));
    ck_assert_ptr_nonnull(strstr(once, "nested_paging: false\n"));
    free(once);
    free(twice);
    /* Where the profile is swept, a default that were written out would hide it. */
    once = dump_of("hosts: [{name: a}]\nsweep: {hosts.a.profile: [ideal, era2003]}\n");
    ck_assert_ptr_null(strstr(once, "switch_cost"));
    free(once);
}
END_TEST

Suite *profiles_suite(void)
{
    Suite *s = suite_create("profiles");
    TCase *t = tcase_create("profiles");
    tcase_add_test(t, a_profile_fills_what_is_not_stated);
    suite_add_tcase(s, t);
    return s;
}
