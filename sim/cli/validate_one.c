// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/validate_one.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/compare_rows.h"
#include "cli/once.h"
#include "out/num.h"
#include "out/progress.h"
#include "out/term.h"

#define DISTURBED 0.01 /* a pair whose host lost more than this to others is dropped */

/* Every host that assumes nothing is given the calibrated profile. */
static void give_profile(struct scenario_file *f, const char *path, struct diag *d)
{
    struct scenario *sc = scenario_at(f, 0, d);
    for (uint32_t i = 0; sc && i < sc->n_hosts; i++) {
        char key[160];
        snprintf(key, sizeof key, "hosts.%s.profile", sc->hosts[i].group);
        if (strcmp(sc->hosts[i].profile, "ideal") == 0 && !scenario_set(f, key, path, d)) break;
    }
    scenario_free(sc);
}

/* What a switch costs nobody can choose on hardware: where the scenario does, the measured cost is simulated.
 */
static void give_costs(struct scenario_file *f, struct diag *d)
{
    struct scenario *sc = scenario_at(f, 0, d);
    for (uint32_t i = 0; sc && i < sc->n_hosts; i++) {
        const struct sc_host *h = &sc->hosts[i];
        char key[160], value[32];
        if (h->measured.switch_ns == 0 || h->switch_ns == h->measured.switch_ns) continue;
        snprintf(key, sizeof key, "hosts.%s.cpu.switch_cost", h->group);
        snprintf(value, sizeof value, "%jdns", (intmax_t)h->measured.switch_ns);
        printf("%s: %jd ns is stated; the %s measured here is simulated\n", key, (intmax_t)h->switch_ns,
               value);
        if (!scenario_set(f, key, value, d)) break;
    }
    scenario_free(sc);
}

static int set_profile(struct scenario_file *f, const char *profile)
{
    char *path = realpath(profile, NULL);
    if (!path) {
        perror(profile);
        return CLI_USAGE;
    }
    struct diag d;
    diag_init(&d);
    give_profile(f, path, &d);
    if (!diag_any(&d)) give_costs(f, &d);
    free(path);
    int code = diag_any(&d) ? CLI_INVALID : 0;
    if (code) diag_print(&d, stderr, false);
    diag_done(&d);
    return code;
}

static int one_pair(const struct scenario *sc, uint64_t seed, struct compare *c, struct validate_tally *t)
{
    char *why = NULL;
    struct once o = {.sc = sc, .seed = seed, .no_series = true};
    struct meter *sim = once_sim(&o, &why);
    int code = CLI_BROKEN;
    double disturbed = 0;
    struct meter *real = sim ? once_kvm(&o, &disturbed, &code, &why) : NULL;
    if (real) {
        code = 0;
        t->pairs++;
        if (disturbed > DISTURBED)
            t->dropped++;
        else
            compare_add(c, meter_output(sim), meter_output(real));
    } else {
        fprintf(stderr, "vlab: %s: %s\n", sc->name, why ? why : "stopped");
    }
    free(why);
    meter_free(sim);
    meter_free(real);
    return code;
}

static void print_value(double v, const char *unit, bool sign)
{
    char text[2 * NUM_LEN] = "", n[NUM_LEN];
    if (unit[0] == '\0')
        snprintf(text, sizeof text, sign ? "%+.2f pp" : "%.2f %%", 100 * v);
    else
        snprintf(text, sizeof text, "%s%s", sign && v > 0 ? "+" : "", num_human(n, v, unit));
    printf(" %12s", text);
}

static void print_rows(const struct compare *c, struct term_style st, struct validate_tally *t)
{
    printf("%-26s %12s %12s %12s %12s   %s\n", "metric", "sim", "KVM", "difference", "spread", "verdict");
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct compare_row *r = &c->rows[i];
        char name[160];
        snprintf(name, sizeof name, "%s.%s.%s", r->entity, r->metric, r->stat);
        printf("%-26s", name);
        print_value(r->sim_median, r->unit, false);
        print_value(r->real_median, r->unit, false);
        print_value(r->difference, r->unit, true);
        print_value(r->spread, r->unit, false);
        static const enum term_ink inks[] = {TERM_GOOD, TERM_BAD, TERM_WARN, TERM_DIM};
        printf("   %s%s%s\n", term_ink(st, inks[r->verdict]), compare_verdict_name(r->verdict),
               term_ink(st, TERM_PLAIN));
        t->rows += r->verdict != COMPARE_SHOWN;
        t->undecided += r->verdict == COMPARE_UNDECIDED;
        t->differ += r->verdict == COMPARE_DIFFERS;
    }
}

/* KEY=VALUE, ... of the point; malloc'ed. */
static char *point_text(const struct scenario *sc)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    ASSERT(f);
    for (uint32_t k = 0; k < sc->n_keys; k++)
        fprintf(f, "%s%s=%s", k ? ", " : "", sc->keys[k], sc->values[k]);
    ASSERT(fclose(f) == 0);
    return text;
}

static void keep(struct validated *v, const struct scenario *sc, const char *at, const struct compare *c)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct compare_row *r = &c->rows[i];
        struct validated_row row = {.scenario = sc->name,
                                    .point = at,
                                    .entity = r->entity,
                                    .metric = r->metric,
                                    .stat = r->stat,
                                    .unit = r->unit,
                                    .sim = r->sim_median,
                                    .real = r->real_median,
                                    .difference = r->difference,
                                    .spread = r->spread,
                                    .real_spread = r->real_spread,
                                    .verdict = compare_verdict_name(r->verdict),
                                    .judged = r->verdict != COMPARE_SHOWN};
        validated_add(v, &row);
    }
}

static void print_point(const struct validate_cfg *cfg, const struct scenario *sc, struct compare *c,
                        struct validate_tally *t)
{
    char *at = point_text(sc);
    compare_judge(c);
    if (at[0]) printf("at %s\n", at);
    print_rows(c, term_style_of(STDOUT_FILENO), t);
    if (cfg->kept) keep(cfg->kept, sc, at, c);
    fflush(stdout);
    free(at);
}

static int validate_point(const struct validate_cfg *cfg, const struct scenario *sc, struct progress *p,
                          struct validate_tally *t)
{
    struct compare c;
    compare_init(&c, sc, cfg->pairs);
    int code = 0;
    for (size_t i = 0; !code && i < cfg->pairs; i++, p->run++) {
        progress_at(p, p->run, 0);
        code = one_pair(sc, sc->run.seed + i, &c, t);
    }
    progress_end(p);
    t->points++;
    if (!code) print_point(cfg, sc, &c, t);
    if (code == CLI_INVALID && cfg->goes_on) { /* the reason has been told */
        t->refused++;
        code = 0;
    }
    compare_done(&c);
    return code;
}

int validate_verdict(const struct validate_tally *t)
{
    printf("%zu rows: %zu agree, %zu differ, %zu undecided; %zu of %zu pairs dropped because the host was "
           "disturbed\n",
           t->rows, t->rows - t->differ - t->undecided, t->differ, t->undecided, t->dropped, t->pairs);
    if (3 * t->dropped > t->pairs || 5 * t->undecided > t->rows) {
        fflush(stdout);
        fprintf(stderr, "vlab: host too noisy to judge\n");
        return CLI_BROKEN;
    }
    return t->differ ? CLI_FAILED : CLI_OK;
}

int validate_one(const struct validate_cfg *cfg, struct validate_tally *t)
{
    int code = 0;
    struct scenario_file *f = experiment_read(&cfg->x, &code);
    if (f && cfg->profile) code = set_profile(f, cfg->profile);
    for (size_t point = 0; f && !code && point < scenario_points(f); point++) {
        struct diag d;
        diag_init(&d);
        struct scenario *sc = scenario_at(f, point, &d);
        if (!sc) {
            diag_print(&d, stderr, isatty(STDERR_FILENO));
            code = CLI_INVALID;
        } else {
            if (point == 0) {
                printf("%s: SIM against KVM, %zu pairs of %s, seeds from %" PRIu64 "\n", sc->name, cfg->pairs,
                       num_time((char[NUM_LEN]){0}, (double)sc->run.duration_ns / 1e9), sc->run.seed);
                printf("%s\n\n", sc->about);
                fflush(stdout);
            }
            struct progress p;
            progress_begin(&p, STDERR_FILENO, sc->name, cfg->pairs, sc->run.duration_ns);
            code = validate_point(cfg, sc, &p, t);
            scenario_free(sc);
        }
        diag_done(&d);
    }
    if (f) scenario_close(f);
    return code;
}
