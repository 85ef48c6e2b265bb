// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab explain [KEY|METRIC]: the key table, the metrics and the distributions, in words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/rec.h"
#include "cli/cli.h"
#include "scenario/keys.h"
#include "scenario/names.h"
#include "scenario/reader.h"

/* How to set it from the command line: names stand where lists have members. */
static void show_example(const struct key *k)
{
    char path[200] = "";
    size_t at = 0;
    for (const char *p = k->path; *p && at < sizeof path;) {
        size_t len = strcspn(p, ".");
        char upto[200];
        snprintf(upto, sizeof upto, "%.*s", (int)(p + len - k->path), k->path);
        const struct key *here = key_find(upto);
        const char *member = !here || here == k        ? ""
                             : here->type == KEY_NAMED ? ".NAME"
                             : here->type == KEY_MAPS  ? ".0"
                                                       : "";
        at += (size_t)snprintf(path + at, sizeof path - at, "%s%.*s%s", at ? "." : "", (int)len, p, member);
        p += len + (p[len] == '.');
    }
    bool quote = strpbrk(k->example, " {}[]%") != NULL;
    if (!strchr(k->path, '.')) /* sweep and expect: in the file, not on the command line */
        printf("  example: %s: %s\n", k->path, k->example);
    else
        printf("  example: --set %s%s=%s%s\n", quote ? "'" : "", path, k->example, quote ? "'" : "");
}

static void explain_key(const struct key *k)
{
    char type[300], range[120];
    printf("%s (key)\n  %s\n", k->path, k->about);
    if (k->later) {
        printf("  not supported yet: it comes with a later version of vlab (%s)\n", k->later);
        return;
    }
    enum unit_kind kind;
    printf("  type:    %s", key_type_text(k, type, sizeof type));
    if (key_unit(k->type, &kind) && *unit_kind_units(kind)) printf(" (unit: %s)", unit_kind_units(kind));
    printf("\n");
    if (k->def)
        printf("  default: %s\n", *k->def ? k->def : "empty");
    else if (k->def_text)
        printf("  default: %s\n", k->def_text);
    const char *const profiles[] = {"era2003", "modern"};
    for (int i = 0; i < 2; i++)
        if (profiles_value(profiles[i], k->path))
            printf("  profile: %s: %s\n", profiles[i], profiles_value(profiles[i], k->path));
    if (*key_range_text(k, range, sizeof range)) printf("  range:   %s\n", range);
    if (k->example) show_example(k);
    if (k->knob) printf("  host:    %s\n", k->knob);
    if (k->only) {
        printf("  only:    where `%.*s` is", (int)strcspn(k->only, " "), k->only);
        for (const char *w = strchr(k->only, ' '); w; w = strchr(w + 1, ' '))
            printf("%s %.*s", w == strchr(k->only, ' ') ? "" : " or", (int)strcspn(w + 1, " "), w + 1);
        printf("\n");
    }
    if (k->main) printf("  a single value in its place means `%s`\n", k->main);
    if (k->later_words) printf("  not supported yet: %s\n", k->later_words);
    bool head = false;
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *c = key_at(i);
        if (!key_is_child(c, k)) continue;
        if (!head) printf("  keys:\n");
        head = true;
        printf("    %-18s %s%s\n", key_leaf(c), c->later ? "(not supported yet) " : "", c->about);
    }
}

static void explain_metric(const struct name_metric *m)
{
    char on[80];
    const char *stats = name_stats(m->kind);
    printf("%s (metric)\n  %s\n", m->name, m->about);
    if (m->later) {
        printf("  not supported yet: it comes with a later version of vlab (%s)\n", m->later);
        return;
    }
    printf("  unit:    %s\n", *m->unit ? m->unit : m->kind == NAME_SHARE ? "share, 0 to 1 (100%)" : "none");
    printf("  formula: %s\n", m->formula);
    printf("  stats:   %s (in expect: %.*s where none is written", stats, (int)strcspn(stats, " "), stats);
    if (name_second_stat(m->kind)) printf(", %s against a time", name_second_stat(m->kind));
    printf(")\n  on:      %s\n", name_entities(m->on, on, sizeof on));
}

static void explain_events(void)
{
    printf("Things that happen. Each is a metric of every entity, with the stats total (how often), first "
           "and last\n"
           "(when, in s): vm.db.events.lost.total. Those that are told one by one are in events.csv.\n");
    for (int e = 0; e < REC_NEVENTS; e++)
        printf("  events.%-12s %s\n", rec_event_name((enum rec_event)e), rec_event_about((enum rec_event)e));
}

static void explain_distributions(const char *only)
{
    for (size_t i = 0; dist_form_at(i); i++) {
        const struct dist_form *f = dist_form_at(i);
        if (only && strcmp(only, f->name) != 0) continue;
        char params[64];
        const char *space = strchr(f->names, ' ');
        if (space)
            snprintf(params, sizeof params, "[%.*s, %s]", (int)(space - f->names), f->names, space + 1);
        else
            snprintf(params, sizeof params, "%s", f->names);
        printf("  {%s: %s}\n      %s\n", f->name, params, f->about);
    }
}

static void list_keys(void)
{
    const char *profile = KEY_PROFILE ".";
    bool head = false;
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        if (k->later) continue;
        if (!head && !strncmp(k->path, profile, strlen(profile))) {
            printf("in the file of a calibrated host, which hosts.profile names:\n");
            head = true;
        }
        if (strcmp(k->path, KEY_PROFILE) != 0) printf("  %-39s %s\n", k->path, k->about);
    }
}

static void list_metrics(void)
{
    for (size_t i = 0; i < name_count(); i++)
        if (!name_at(i)->later) printf("  %-16s %s\n", name_at(i)->name, name_at(i)->about);
}

static void overview(void)
{
    printf("A scenario is a YAML file of these keys (vlab explain KEY says more; what is below vms is "
           "vms.KEY):\n");
    for (size_t i = 0; i < key_count(); i++)
        if (key_is_child(key_at(i), NULL) && !key_at(i)->later)
            printf("  %-10s %s\n", key_at(i)->path, key_at(i)->about);
    printf("  not supported yet:");
    for (size_t i = 0; i < key_count(); i++)
        if (key_is_child(key_at(i), NULL) && key_at(i)->later) printf(" %s", key_at(i)->path);
    printf("\n");
    printf("\nMetrics, as vm.NAME.latency.p99 or host.NAME.cpu.util (vlab explain METRIC says more).\n"
           "A vCPU is at every instant in one state: run, ready, throttled, costop, swapwait, diskwait, "
           "netwait,\n"
           "idle or down; cpu.STATE is the time it was.\n");
    list_metrics();
    printf("\nWhole lists: vlab explain keys | metrics | events | distributions\n"
           "For example: vlab explain vms.cpu.weight    vlab explain vm.db.latency.p99    vlab explain "
           "exponential\n");
}

/* Finds a key by its path; names and indexes of lists are passed over: vms.db.cpu.weight. */
static const struct key *key_by_path(const char *path)
{
    const struct key *k = key_find(path), *at = NULL;
    bool member = false;
    if (k) return k;
    for (const char *p = path; *p;) {
        size_t len = strcspn(p, ".");
        const struct key *next = key_child(at, p, len);
        if (!next && member)
            member = false;
        else if (!next)
            return NULL;
        else {
            at = next;
            member = next->type == KEY_NAMED || next->type == KEY_MAPS || next->type == KEY_SOME ||
                     next->type == KEY_SHARES;
        }
        p += len + (p[len] == '.');
    }
    return at;
}

/* `vm.db.latency.p99`, `latency.p99`, `latency`: with or without entity and stat. */
static const struct name_metric *metric_by_name(const char *word)
{
    static const char *const kinds[] = {"vm.", "host.", "storage.", "network.", "peer.", "cluster."};
    char name[200];
    bool entity = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        entity |= !strncmp(word, kinds[i], strlen(kinds[i]));
    for (const char *rest = word; rest; rest = entity && strchr(rest, '.') ? strchr(rest, '.') + 1 : NULL) {
        const struct name_metric *m = name_find(rest);
        if (m) return m;
        const char *dot = strrchr(rest, '.');
        if (!dot || (size_t)(dot - rest) >= sizeof name) continue;
        snprintf(name, sizeof name, "%.*s", (int)(dot - rest), rest);
        if ((m = name_find(name))) return m;
    }
    /* `exits` for exits.REASON */
    size_t len = strlen(word);
    for (size_t i = 0; i < name_count(); i++) {
        const struct name_metric *m = name_at(i);
        if (name_is_pattern(m->name) && !strncmp(m->name, word, len) && m->name[len] == '.') return m;
    }
    return NULL;
}

/* Everything whose last part is this word. */
static bool by_last_part(const char *word)
{
    bool any = false;
    for (size_t i = 0; i < key_count(); i++) {
        if (strcmp(key_leaf(key_at(i)), word) != 0) continue;
        if (any) printf("\n");
        explain_key(key_at(i));
        any = true;
    }
    for (size_t i = 0; i < name_count(); i++) {
        const char *dot = strrchr(name_at(i)->name, '.');
        if (!dot || strcmp(dot + 1, word) != 0) continue;
        if (any) printf("\n");
        explain_metric(name_at(i));
        any = true;
    }
    return any;
}

/* A metric and keys may share a name: slice, tick, latency ... */
static void same_name(const char *word)
{
    unsigned n = 0;
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        if (k->later || strcmp(key_leaf(k), word) != 0 || !strncmp(k->path, KEY_PROFILE, strlen(KEY_PROFILE)))
            continue;
        printf("%s %s", n++ ? "," : "  see also the key", k->path);
    }
    if (n) printf("\n");
}

static int unknown(const char *word)
{
    const char **words = calloc(key_count() * 2 + name_count() + 1, sizeof *words);
    size_t n = 0;
    char shown[200];
    if (!words) return CLI_BROKEN;
    for (size_t i = 0; i < key_count(); i++) {
        words[n++] = key_at(i)->path;
        words[n++] = key_leaf(key_at(i));
    }
    for (size_t i = 0; i < name_count(); i++)
        words[n++] = name_at(i)->name;
    fprintf(stderr, "vlab explain: there is no key or metric `%s`\n",
            diag_escape(shown, sizeof shown, word, strlen(word)));
    const char *near = diag_nearest(word, words);
    if (near) fprintf(stderr, "  did you mean `%s`?\n", near);
    free(words);
    return CLI_USAGE;
}

static bool is_distribution(const char *word)
{
    for (size_t i = 0; dist_form_at(i); i++)
        if (!strcmp(dist_form_at(i)->name, word)) return true;
    return false;
}

int cli_explain(int argc, char **argv)
{
    static const char usage[] =
        "usage: vlab explain [KEY|METRIC|DISTRIBUTION|keys|metrics|events|distributions]...\n"
        "What a key of a scenario, a metric or a distribution means, its unit, range and "
        "default.\n"
        "Paths may be written as they stand in a scenario or an expectation, names and all.\n"
        "examples:\n"
        "  vlab explain vms.cpu.weight\n"
        "  vlab explain vm.db.latency.p99\n"
        "  vlab explain events\n";
    if (argc > 1 && argv[1][0] == '-') {
        bool help = !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help");
        fputs(usage, help ? stdout : stderr);
        return help ? CLI_OK : CLI_USAGE;
    }
    if (argc < 2) return overview(), CLI_OK;
    int code = CLI_OK;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        const struct key *k = key_by_path(word);
        const struct name_metric *m = metric_by_name(word);
        if (!strcmp(word, "keys"))
            list_keys();
        else if (!strcmp(word, "metrics"))
            list_metrics();
        else if (!strcmp(word, "distributions"))
            explain_distributions(NULL);
        else if (is_distribution(word))
            explain_distributions(word);
        else if (!strcmp(word, "events")) { /* the metric is what people ask about, the key is to come */
            explain_events();
            printf("\n");
            explain_key(k);
        } else if (k || m) {
            if (k) explain_key(k);
            if (k && m) printf("\n");
            if (m) explain_metric(m);
            if (m && !k) same_name(word);
        } else if (!by_last_part(word))
            code = unknown(word);
    }
    return code;
}
