// SPDX-License-Identifier: GPL-3.0-or-later
/* Each value of each shipped scenario, put there as a thing of another kind: a map for a name, a name for a
 * list, nothing for a number. What comes of it is a scenario, or a mistake that is told; nothing else. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/buf.h"
#include "tests/often.h"
#include "tests/unit/reading.h"

Suite *kinds_suite(void);

#define MOST_DEPTH 64

struct span {
    size_t from, to;
    bool scalar;
};

/* libyaml counts characters: from which byte on each is, in UTF-8. */
static size_t *bytes_of(const struct buf *text)
{
    size_t *at = malloc((text->len + 1) * sizeof *at), n = 0;
    for (size_t i = 0; i <= text->len; i++)
        if (((unsigned char)text->text[i] & 0xc0) != 0x80) at[n++] = i;
    return at;
}

/* The values and keys of a text, whole: each scalar, map and list. How many. */
static size_t spans_of(const struct buf *text, struct span **out)
{
    yaml_parser_t p;
    yaml_event_t e;
    size_t n = 0, room = 0, open[MOST_DEPTH], depth = 0, *at = bytes_of(text);
    ck_assert(yaml_parser_initialize(&p));
    yaml_parser_set_input_string(&p, (const unsigned char *)text->text, text->len);
    for (bool more = true; more; yaml_event_delete(&e)) {
        ck_assert(yaml_parser_parse(&p, &e));
        bool begins = e.type == YAML_MAPPING_START_EVENT || e.type == YAML_SEQUENCE_START_EVENT;
        more = e.type != YAML_STREAM_END_EVENT;
        if (begins || e.type == YAML_SCALAR_EVENT) {
            if (n == room) *out = realloc(*out, (room = room * 2 + 64) * sizeof **out);
            (*out)[n++] = (struct span){at[e.start_mark.index], at[e.end_mark.index], !begins};
            if (begins) open[depth++] = n - 1;
            ck_assert_uint_lt(depth, MOST_DEPTH);
        } else if (e.type == YAML_MAPPING_END_EVENT || e.type == YAML_SEQUENCE_END_EVENT) {
            (*out)[open[--depth]].to = at[e.end_mark.index];
        }
    }
    yaml_parser_delete(&p);
    free(at);
    return n;
}

static void put_instead(const struct buf *text, const struct span *s, const char *other, const char *file)
{
    struct buf b;
    struct diag d;
    buf_init(&b);
    diag_init(&d);
    buf_add(&b, text->text, s->from);
    buf_puts(&b, other);
    buf_puts(&b, s->scalar ? "" : "\n");
    buf_add(&b, text->text + s->to, text->len - s->to);
    struct scenario_file *f = scenario_parse("some.yaml", b.text, b.len, &d);
    if (f) {
        size_t told = d.n;
        struct scenario *sc = scenario_at(f, 0, &d);
        if (!sc && d.n == told)
            ck_abort_msg("%s: %s at byte %zu: refused without a word", file, other, s->from);
        scenario_free(sc);
    } else if (d.n == 0) {
        ck_abort_msg("%s: %s at byte %zu: unread without a word", file, other, s->from);
    }
    scenario_close(f);
    diag_done(&d);
    buf_done(&b);
}

START_TEST(another_kind_is_told)
{
    static const char *const others[] = {"{a: b}", "[x]", "~", "-1", "''", "{}", "[]", "[[{a: [b]}]]", "'*'"};
    const size_t n_others = sizeof others / sizeof *others;
    const size_t step = 4 * 40 / FEWER(40);
    glob_t g;
    size_t tried = 0;
    ck_assert_int_eq(glob("scenarios/*.yaml", 0, NULL, &g), 0);
    glob("scenarios/*/*.yaml", GLOB_APPEND, NULL, &g);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct buf text;
        struct span *spans = NULL;
        FILE *f = fopen(g.gl_pathv[i], "rb");
        ck_assert_ptr_nonnull(f);
        buf_init(&text);
        ck_assert_int_eq(buf_read(&text, f, 1 << 20), 0);
        fclose(f);
        size_t n = spans_of(&text, &spans);
        for (size_t k = (size_t)_i; k < n; k += step, tried++)
            put_instead(&text, &spans[k], others[(k + i) % n_others], g.gl_pathv[i]);
        free(spans);
        buf_done(&text);
    }
    ck_assert_uint_gt(tried, 100);
    globfree(&g);
}
END_TEST

Suite *kinds_suite(void)
{
    Suite *s = suite_create("kinds");
    TCase *t = tcase_create("kinds");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, another_kind_is_told, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
