// SPDX-License-Identifier: GPL-3.0-or-later
/* What is made from the key table: `vlab check`, `vlab explain`, `vlab schema` and scenarios/schema.json. */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rec.h"
#include "cli/cli.h"
#include "scenario/keys.h"
#include "scenario/names.h"
#include "scenario/scenario.h"

Suite *keytable_suite(void);

/* Runs a command with what it prints caught: stdout where out, stderr where not. */
static char *run(int (*command)(int, char **), const char *arg, bool out, int *code)
{
    char name[] = "vlab", *argv[3] = {name, (char *)(uintptr_t)arg, NULL};
    FILE *stream = out ? stdout : stderr, *tmp = tmpfile();
    int fd = fileno(stream);
    ck_assert_ptr_nonnull(tmp);
    fflush(stream);
    int saved = dup(fd);
    ck_assert_int_ge(dup2(fileno(tmp), fd), 0);
    *code = command(arg ? 2 : 1, argv);
    fflush(stream);
    dup2(saved, fd);
    close(saved);
    struct buf b;
    buf_init(&b);
    rewind(tmp);
    ck_assert_int_eq(buf_read(&b, tmp, 1 << 20), 0);
    fclose(tmp);
    return buf_take(&b, NULL);
}

START_TEST(explain_knows_every_key_and_metric)
{
    int code;
    for (size_t i = 0; i < key_count(); i++) {
        char *text = run(cli_explain, key_at(i)->path, true, &code);
        ck_assert_int_eq(code, CLI_OK);
        ck_assert_msg(strstr(text, key_at(i)->about) != NULL, "%s:\n%s", key_at(i)->path, text);
        ck_assert_msg(!key_at(i)->later == !strstr(text, "  not supported yet: it comes"), "%s:\n%s",
                      key_at(i)->path, text);
        free(text);
    }
    for (size_t i = 0; i < name_count(); i++) {
        char *text = run(cli_explain, name_at(i)->name, true, &code);
        ck_assert_int_eq(code, CLI_OK);
        ck_assert_msg(strstr(text, name_at(i)->about) != NULL, "%s:\n%s", name_at(i)->name, text);
        if (!name_at(i)->later)
            ck_assert_msg(strstr(text, name_at(i)->formula) != NULL, "%s:\n%s", name_at(i)->name, text);
        free(text);
    }
}
END_TEST

START_TEST(explain_takes_what_people_write)
{
    static const char *const cases[][2] = {
        {"vms.db.cpu.weight", "1 to 10000"},
        {"vms.workload.steps.0.cpu", "core of speed 1.0"},
        {"vms.cpu.weight", "cpu.weight = weight/10"},
        {"vms.cpu.weight", "cpu.shares = weight x 1.024"},
        {"vms.cpu.limit", "cpu.max"},
        {"weight", "cgroup"},
        {"vms.db.cpu.pin", "--set 'vms.NAME.cpu.pin=[0, 1]'"},
        {"vm.db.latency.p99", "arrival"},
        {"host.h1.cpu.util", "How busy"},
        {"vm.db.vcpu0.cpu.ready", "contention"},
        {"cluster.unserved", "ready / (run + ready)"},
        {"exponential", "{exponential: mean}"},
        {"distributions", "{erlang: [mean, k]}"},
        {"keys", "hosts.cpu.scheduler"},
        {"metrics", "work.checksum"},
        {"hosts.cpu.scheduler", "rr or credit or cfs or eevdf or stride or bvt"},
        {"vms.memory", "`size`"},
        {"run.duration", "ns us ms s m h d"},
    };
    int code;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = run(cli_explain, cases[i][0], true, &code);
        ck_assert_int_eq(code, CLI_OK);
        ck_assert_msg(strstr(text, cases[i][1]) != NULL, "%s:\n%s", cases[i][0], text);
        free(text);
    }
    char *text = run(cli_explain, "events", true, &code);
    for (int e = 0; e < REC_NEVENTS; e++)
        ck_assert_ptr_nonnull(strstr(text, rec_event_about((enum rec_event)e)));
    free(text);
    text = run(cli_explain, NULL, true, &code);
    ck_assert_int_eq(code, CLI_OK);
    ck_assert(strstr(text, "sweep") && strstr(text, "fairness"));
    free(text);
    text = run(cli_explain, "vms.cpu.wieght", false, &code);
    ck_assert_int_eq(code, CLI_USAGE);
    ck_assert_ptr_nonnull(strstr(text, "did you mean `vms.cpu.weight`?"));
    free(text);
}
END_TEST

/* An event that the example of this key is the rest of; a cloud, likewise. */
static const char *event_for(const char *path)
{
    static const struct {
        const char *leaf, *rest;
    } rests[] = {{"for", "fail: db"},
                 {"to", "set: vms.db.cpu.weight"},
                 {"set", "to: 3"},
                 {"as", "clone: db"},
                 {"kind", "clone: db, as: copy"},
                 {"by", "grow: h1/p"},
                 {"grow", "by: 1GB"},
                 {"clone", "as: copy"},
                 {"when", "pause: db"},
                 {"at", "pause: db"},
                 {"every", "pause: db"}};
    static char text[200];
    if (strncmp(path, "events.", 7) != 0) return "";
    const char *rest = "";
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++)
        if (!strcmp(path + 7, rests[i].leaf)) rest = rests[i].rest;
    snprintf(text, sizeof text, "run: 60s\n%sevents: [{at: 1s%s%s}]\n",
             !strcmp(path, "events.when") ? "sweep: {vms.db.vcpus: [1, 2]}\n" : "", *rest ? ", " : "", rest);
    return text;
}

static const char *cloud_for(const char *path)
{
    static char text[300];
    if (!strncmp(path, "services.", 9)) return "services: [{name: d, of: [db, batch-*]}]\n";
    if (strncmp(path, "cloud.", 6) != 0) return "";
    bool target = strstr(path, "autoscale.target"), below = strstr(path, "autoscale.below");
    snprintf(
        text, sizeof text,
        "cloud: {place: first-fit, autoscale: [{group: web%s}], requests: {arrivals: %s, flavours: [{vm: "
        "{name: f}}]}}\n",
        target  ? ""
        : below ? ", above: 9"
                : ", above: 1",
        strstr(path, "poisson")    ? "{}"
        : strstr(path, "periodic") ? "{}"
                                   : "{periodic: 1s}");
    return text;
}

/* A scenario in which the example of this key makes sense. */
static void base_for(const struct key *k, struct buf *b)
{
    const char *path = k->path, *only = k->only ? strchr(k->only, ' ') + 1 : "";
    bool host_only = !strncmp(only, "host-only", 9), net = *only && !strncmp(path, "networks.", 9);
    const char *step = "cpu: 1ms", *come = "arrivals: {poisson: 9/s}, ";
    if (strstr(path, "steps.busy")) step = "busy: 1ms";
    if (strstr(path, "steps.sleep")) step = "sleep: 1ms";
    if (strstr(path, "steps.touch")) step = "touch: {pages: 1, of: 4KiB}";
    if (strstr(path, "steps.ops")) step = "ops: {syscall: 1}";
    if (strstr(path, "steps.lock")) step = "lock: 1ms";
    if (strstr(path, "steps.secret")) step = "secret: 1B";
    if (strstr(path, "steps.access")) step = "access: null";
    if (strstr(path, "steps.covert")) step = "covert: {send: random}";
    if (strstr(path, "workload.arrivals.")) come = "";
    if (strstr(path, "clients") || strstr(path, "think")) come = "clients: 1, ";
    buf_printf(b,
               "vlab: 1\nname: x\nhosts: [{name: h1, cpu: {cores: 4}, features: [avx512], vmm: [one, two], "
               "%sdisks: [{name: d, model: %.*s%s}, {name: p, pool: 1GB}, {name: ssd0, pool: 1GB}], "
               "nics: [{name: eth0}]}]\nstorage: [{name: d, bandwidth: 1MB/s}]\n"
               "networks: [{name: lan, kind: %.*s%s}]\n"
               "images: [{name: d}]\n%s%s"
               "vms: [{name: db, %sworkload: {kind: requests, %ssteps: [{cpu: 1ms}, {%s}]}}, {name: batch, "
               "count: 2}, {name: cache}, {name: web, count: 2, workload: {kind: requests, queue: shared, arrivals: "
               "{periodic: 1s}, "
               "steps: [{cpu: 1ms}]}}]\n",
               strstr(path, "failures.")      ? "failures: {ttf: 1h, repair: 1h}, "
               : strstr(path, "power.steps.") ? "power: {steps: [{speed: 0.5}, {speed: 1}]}, "
                                              : "",
               *only && !net ? (int)strcspn(only, " ") : 6, *only && !net ? only : "bucket",
               !strcmp(only, "bucket") ? ", bandwidth: 1MB/s" : "", net ? (int)strcspn(only, " ") : 6,
               net ? only : "bridge", host_only ? "" : ", nics: [h1/eth0]", event_for(path), cloud_for(path),
               !strcmp(path, "vms.kernel") ? "mode: container, " : "", come, step);
}

/* What `vlab explain` prints after --set can be typed after --set. */
START_TEST(examples_work)
{
    size_t seen = 0;
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        if (!k->example || !strchr(k->path, '.') || k->type == KEY_FILE) continue;
        int code;
        char *text = run(cli_explain, k->path, true, &code), path[200];
        const char *set = strstr(text, "--set "), *part = strstr(k->path, "steps.");
        ck_assert_msg(set != NULL, "%s", text);
        set += 6 + (set[6] == '\'');
        size_t len = 0;
        for (const char *from = set; *from && *from != '='; from++) {
            if (!strncmp(from, ".NAME", 5)) {
                const char *in = strncmp(from - 3, "vms", 3) == 0     ? ".db"
                                 : strncmp(from - 5, "hosts", 5) == 0 ? ".h1"
                                 : strncmp(from - 4, "nics", 4) == 0  ? ".eth0"
                                 : strncmp(set, "networks", 8) == 0   ? ".lan"
                                                                      : ".d";
                len += (size_t)snprintf(path + len, sizeof path - len, "%s", in);
                from += 4;
            } else {
                path[len++] = *from;
            }
        }
        path[len] = '\0';
        char *zero = part ? strstr(path, "steps.0") : NULL;
        if (zero) zero[6] = '1';
        struct buf b;
        struct diag d;
        buf_init(&b);
        diag_init(&d);
        base_for(k, &b);
        struct scenario_file *f = scenario_parse("x.yaml", b.text, b.len, &d);
        struct scenario *sc = f && scenario_set(f, path, k->example, &d) ? scenario_at(f, 0, &d) : NULL;
        if (!sc) diag_print(&d, stderr, false);
        ck_assert_msg(sc != NULL, "%s=%s is refused", path, k->example);
        scenario_free(sc);
        scenario_close(f);
        diag_done(&d);
        buf_done(&b);
        free(text);
        seen++;
    }
    ck_assert_uint_gt(seen, 30);
}
END_TEST

START_TEST(check_has_its_exit_codes)
{
    static const struct {
        const char *path;
        int code;
    } cases[] = {{"scenarios/00-hello.yaml", CLI_OK},
                 {"tests/golden/diag/many.yaml", CLI_INVALID},
                 {"tests/golden/diag/empty.yaml", CLI_INVALID},
                 {"nowhere/at/all.yaml", CLI_USAGE},
                 {"tests", CLI_USAGE},
                 {"--wrong", CLI_USAGE},
                 {NULL, CLI_USAGE}};
    int code;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = run(cli_check, cases[i].path, cases[i].code == CLI_OK, &code);
        ck_assert_msg(code == cases[i].code, "%s: %d\n%s", cases[i].path ? cases[i].path : "nothing", code,
                      text);
        ck_assert_msg(text[0] != '\0', "nothing was said");
        free(text);
    }
}
END_TEST

START_TEST(the_schema_beside_the_scenarios_is_this_one)
{
    int code;
    char *now = run(cli_schema, NULL, true, &code);
    ck_assert_int_eq(code, CLI_OK);
    struct buf b;
    buf_init(&b);
    FILE *f = fopen("scenarios/schema.json", "rb");
    ck_assert_msg(f != NULL, "scenarios/schema.json is missing: vlab schema > scenarios/schema.json");
    ck_assert_int_eq(buf_read(&b, f, 1 << 20), 0);
    fclose(f);
    ck_assert_msg(!strcmp(b.text, now), "the key table has changed: vlab schema > scenarios/schema.json");
    buf_done(&b);
    free(now);
}
END_TEST

/* Every scenario that is shipped, however deep it lies. */
static void scenarios(glob_t *g)
{
    ck_assert_int_eq(glob("scenarios/*.yaml", 0, NULL, g), 0);
    glob("scenarios/*/*.yaml", GLOB_APPEND, NULL, g);
    ck_assert_uint_ge(g->gl_pathc, 1);
}

START_TEST(every_shipped_scenario_is_right)
{
    glob_t g;
    int code;
    scenarios(&g);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        char *text = run(cli_check, g.gl_pathv[i], false, &code);
        ck_assert_msg(code == CLI_OK, "%s", text);
        free(text);
    }
    globfree(&g);
}
END_TEST

START_TEST(every_shipped_scenario_fits_the_schema)
{
    glob_t g;
    struct buf b;
    scenarios(&g);
    buf_init(&b);
    buf_puts(&b, "python3 tests/schema.py scenarios/schema.json");
    for (size_t i = 0; i < g.gl_pathc; i++)
        buf_printf(&b, " '%s'", g.gl_pathv[i]);
    buf_puts(&b, " 1>&2");
    int status = system(b.text);
    ck_assert(WIFEXITED(status));
    /* 77: said why; 127: no python3. Neither is needed to build or run. */
    if (WEXITSTATUS(status) == 127)
        fprintf(stderr, "skipped: there is no python3\n");
    else if (WEXITSTATUS(status) != 77)
        ck_assert_msg(WEXITSTATUS(status) == 0, "schema.py has found something");
    buf_done(&b);
    globfree(&g);
}
END_TEST

Suite *keytable_suite(void)
{
    Suite *s = suite_create("keytable");
    TCase *t = tcase_create("keytable");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, explain_knows_every_key_and_metric);
    tcase_add_test(t, explain_takes_what_people_write);
    tcase_add_test(t, examples_work);
    tcase_add_test(t, check_has_its_exit_codes);
    tcase_add_test(t, the_schema_beside_the_scenarios_is_this_one);
    tcase_add_test(t, every_shipped_scenario_is_right);
    tcase_add_test(t, every_shipped_scenario_fits_the_schema);
    suite_add_tcase(s, t);
    return s;
}
