// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab completion bash, in bash; vlab doctor, whatever this machine has. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

Suite *completion_suite(void);

typedef int command(int, char **);

/* What the command prints; its exit code in *code. malloc'ed. */
static char *output(command *run, const char *a, const char *b, int *code)
{
    const char *words[] = {a, b, NULL};
    int fds[2], status;
    char *text = NULL;
    size_t size = 0;
    ck_assert_int_eq(pipe(fds), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        int got = run(b ? 2 : 1, (char **)(uintptr_t)words);
        fflush(NULL);
        _exit(got);
    }
    close(fds[1]);
    FILE *f = fdopen(fds[0], "r");
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(f);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    *code = WEXITSTATUS(status);
    return text;
}

START_TEST(bash_completes_our_words)
{
    static const struct {
        const char *words, *want; /* the last word is completed */
    } t[] = {{"vlab va", "validate\n"},
             {"vlab kvm p", "probe\n"},
             {"vlab run --backend = k", "kvm\n"},
             {"vlab run --backend = p", "proc\n"},
             {"vlab kvm b", "baseline\n"},
             {"vlab run --js", "--json\n"},
             {"vlab completion ''", "bash\n"},
             {"vlab plot x --a", "--ascii\n"},
             {"vlab run --per", "--per-entity\n"},
             {"vlab ba", "batch\n"},
             {"vlab batch --re", "--resume\n"},
             {"vlab compare a b --cs", "--csv\n"},
             {"vlab to", "\n"} /* not built yet */};
    int code;
    char *script = output(cli_completion, "completion", "bash", &code);
    ck_assert_int_eq(code, CLI_OK);
    setenv("SCRIPT", script, 1);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char line[500], got[100] = "";
        snprintf(line, sizeof line,
                 "bash --norc -c 'eval \"$SCRIPT\"; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
                 "_vlab; "
                 "printf \"%%s\\n\" \"${COMPREPLY[@]}\"' 2>&1",
                 strstr(t[i].words, "''") ? "vlab completion \"\"" : t[i].words);
        FILE *f = popen(line, "r");
        ck_assert_ptr_nonnull(f);
        got[fread(got, 1, sizeof got - 1, f)] = '\0';
        pclose(f);
        ck_assert_str_eq(got, t[i].want);
    }
    free(script);
    free(output(cli_completion, "completion", NULL, &code));
    ck_assert_int_eq(code, CLI_USAGE);
}
END_TEST

START_TEST(doctor_has_a_remedy_for_what_is_missing)
{
    int code;
    setenv("PATH", "/nowhere", 1);
    setenv("LC_ALL", "C", 1);
    char *text = output(cli_doctor, "doctor", NULL, &code);
    ck_assert_int_eq(code, CLI_OK);
    ck_assert_ptr_nonnull(
        strstr(text, "  missing  gnuplot   no figures (vlab plot); apt-get install gnuplot-nox\n"));
    ck_assert_ptr_nonnull(strstr(text, "  missing  locale    not UTF-8"));
    ck_assert_ptr_nonnull(strstr(text, "/dev/kvm"));
    for (const char *s = text; (s = strstr(s, "  missing")); s++) {
        const char *cure = strchr(s, ';'), *end = strchr(s, '\n');
        ck_assert(cure && end && cure < end && end - cure > 5);
    }
    free(text);
    free(output(cli_doctor, "doctor", "--now", &code));
    ck_assert_int_eq(code, CLI_USAGE);
}
END_TEST

Suite *completion_suite(void)
{
    Suite *s = suite_create("completion");
    TCase *t = tcase_create("completion");
    tcase_add_test(t, bash_completes_our_words);
    tcase_add_test(t, doctor_has_a_remedy_for_what_is_missing);
    suite_add_tcase(s, t);
    return s;
}
