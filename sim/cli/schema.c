// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab schema: the key table as JSON Schema 2020-12, for editors. What several keys must be together
 * (a VM on a host that is there) is for `vlab check` to say. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "cli/cli.h"
#include "scenario/keys.h"
#include "scenario/reader.h"

#define NUMBER "\\\\+?([0-9]+\\\\.?[0-9]*|\\\\.[0-9]+)([eE][+-]?[0-9]+)?"
#define NAME   "[A-Za-z][A-Za-z0-9_-]{0,62}"

static void any_of_words(struct buf *b, const char *words)
{
    ASSERT(words);
    buf_puts(b, "{\"enum\": [");
    for (const char *w = words; *w;) {
        size_t len = strcspn(w, " ");
        if (w != words) buf_puts(b, ", ");
        buf_json(b, w, len);
        w += len + (w[len] == ' ');
    }
    buf_puts(b, "]}");
}

/* Text with a unit, as a pattern: "ns us ms" becomes (ns|us|ms). */
static void amount(struct buf *b, enum unit_kind kind)
{
    buf_puts(b, "{\"type\": \"string\", \"pattern\": \"^" NUMBER "(");
    for (const char *u = unit_kind_units(kind); *u; u++)
        if (*u == ' ')
            buf_puts(b, "|");
        else
            buf_add(b, u, 1);
    buf_puts(b, ")$\"}");
}

static void whole(struct buf *b, const struct key *k)
{
    buf_printf(b, "{\"type\": \"integer\", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64 "}", k->lo,
               k->hi);
}

static void value(struct buf *b, const struct key *k, int depth);

static void spaces(struct buf *b, int depth)
{
    buf_printf(b, "\n%*s", 2 * depth, "");
}

static void object(struct buf *b, const struct key *parent, int depth)
{
    bool any = false;
    buf_puts(b, "{\"type\": \"object\", \"additionalProperties\": false,");
    if (parent && parent->type == KEY_NAMED) buf_puts(b, " \"required\": [\"name\"],");
    buf_puts(b, " \"properties\": {");
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        if (k->later || !key_is_child(k, parent)) continue;
        if (any) buf_puts(b, ",");
        any = true;
        spaces(b, depth + 1);
        buf_json(b, key_leaf(k), strlen(key_leaf(k)));
        buf_puts(b, ": {\"description\": ");
        buf_json(b, k->about, strlen(k->about));
        if (k->def) {
            bool bare = (k->type == KEY_COUNT || k->type == KEY_NUMBER || k->type == KEY_BOOL) &&
                        !key_has_word(k->words, k->def, strlen(k->def));
            buf_puts(b, ", \"default\": ");
            if (bare)
                buf_puts(b, k->def);
            else
                buf_json(b, k->def, strlen(k->def));
        }
        buf_puts(b, ", \"allOf\": [");
        value(b, k, depth + 1);
        buf_puts(b, "]}");
    }
    buf_puts(b, "}}");
}

static void amounts(struct buf *b, enum unit_kind kind)
{
    buf_puts(b, "{\"anyOf\": [");
    amount(b, kind);
    for (size_t i = 0; dist_form_at(i); i++) {
        const struct dist_form *f = dist_form_at(i);
        size_t n = strlen(f->params);
        buf_printf(b,
                   ",\n    {\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"%s\"], "
                   "\"properties\": {\"%s\": ",
                   f->name, f->name);
        if (n > 1)
            buf_printf(b, "{\"type\": \"array\", \"minItems\": %zu, \"maxItems\": %zu, \"prefixItems\": [", n,
                       n);
        for (size_t j = 0; j < n; j++) {
            if (j) buf_puts(b, ", ");
            if (f->params[j] == 'd')
                amount(b, kind);
            else if (f->params[j] == 'n')
                buf_puts(b, "{\"type\": \"number\", \"exclusiveMinimum\": 0}");
            else if (f->params[j] == 'k')
                buf_puts(b, "{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 10000}");
            else
                buf_puts(b, "{\"type\": \"string\", \"minLength\": 1}");
        }
        buf_puts(b, n > 1 ? "]}}}" : "}}");
    }
    buf_puts(b, "]}");
}

/* A list of maps; a scalar may stand for a member's main key. */
static void members(struct buf *b, const struct key *k, int depth)
{
    buf_puts(b, "{\"type\": \"array\", \"items\": ");
    if (k->main) buf_puts(b, "{\"anyOf\": [");
    object(b, k, depth);
    if (k->main) {
        buf_puts(b, ", ");
        value(b, key_child(k, k->main, strlen(k->main)), depth);
        buf_puts(b, "]}");
    }
    buf_puts(b, "}");
}

static void bare(struct buf *b, const struct key *k, int depth)
{
    enum unit_kind kind;
    switch (k->type) {
    case KEY_MAP: object(b, k, depth); return;
    case KEY_NAMED:
    case KEY_MAPS: members(b, k, depth); return;
    case KEY_SOME:
        buf_puts(b, "{\"anyOf\": [");
        object(b, k, depth);
        buf_puts(b, ", ");
        members(b, k, depth);
        buf_puts(b, "]}");
        return;
    case KEY_SHARES:
        buf_puts(b, "{\"type\": \"object\", \"propertyNames\": {\"pattern\": \"^" NAME
                    "$\"}, \"additionalProperties\": ");
        amount(b, UNIT_SHARE);
        buf_puts(b, "}");
        return;
    case KEY_SIZES: buf_puts(b, "{\"$ref\": \"#/$defs/sizes\"}"); return;
    case KEY_NAME: buf_puts(b, "{\"type\": \"string\", \"pattern\": \"^" NAME "$\"}"); return;
    case KEY_TEXT: buf_puts(b, "{\"type\": [\"string\", \"number\", \"boolean\", \"null\"]}"); return;
    case KEY_WORD: any_of_words(b, k->words); return;
    case KEY_BOOL: buf_puts(b, "{\"type\": \"boolean\"}"); return;
    case KEY_FILE: buf_puts(b, "{\"type\": \"string\", \"minLength\": 1}"); return;
    case KEY_COUNT: whole(b, k); return;
    case KEY_NUMBER:
        buf_printf(b, "{\"type\": \"number\", \"minimum\": %.9g, \"maximum\": %.9g}", (double)k->lo / 1e9,
                   (double)k->hi / 1e9);
        return;
    case KEY_COUNTS:
        buf_puts(b, "{\"type\": \"array\", \"minItems\": 1, \"uniqueItems\": true, \"items\": ");
        whole(b, k);
        buf_puts(b, "}");
        return;
    case KEY_WORDS:
        buf_puts(b, "{\"type\": \"array\", \"uniqueItems\": true, \"items\": ");
        any_of_words(b, k->words);
        buf_puts(b, "}");
        return;
    case KEY_POWERS:
        buf_puts(b, "{\"type\": \"array\", \"minItems\": 2, \"items\": ");
        amount(b, UNIT_POWER);
        buf_puts(b, "}");
        return;
    case KEY_GLOBS:
        buf_puts(b, "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": "
                    "\"^[A-Za-z*][A-Za-z0-9_*-]{0,62}$\"}}");
        return;
    case KEY_TARGET:
        buf_puts(b, "{\"type\": \"string\", \"pattern\": \"^" NAME "(/" NAME "){0,2}$\"}");
        return;
    case KEY_VM: object(b, key_find("vms"), depth); return;
    case KEY_VALUE: buf_puts(b, "{\"type\": [\"string\", \"number\"]}"); return;
    case KEY_NAMES:
    case KEY_PATHS:
        buf_printf(b,
                   "{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"string\", "
                   "\"pattern\": \"%s\"}}",
                   k->type == KEY_NAMES ? "^" NAME "$" : "^" NAME "/" NAME "$");
        return;
    case KEY_AMOUNT: buf_puts(b, "{\"$ref\": \"#/$defs/amount\"}"); return;
    case KEY_SWEEP:
        buf_puts(b, "{\"type\": \"object\", \"properties\": {\"zip\": {\"type\": \"object\", "
                    "\"additionalProperties\": {\"type\": \"array\", \"minItems\": 1}}}, "
                    "\"additionalProperties\": {\"type\": \"array\", \"minItems\": 1}}");
        return;
    case KEY_EXPECT:
        buf_puts(b, "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": \"[<=>]\"}}");
        return;
    case KEY_STRINGS: buf_puts(b, "{\"type\": \"object\"}"); return;
    default:
        if (!key_unit(k->type, &kind)) return;
        if (k->bare) buf_puts(b, "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, ");
        amount(b, kind);
        if (k->bare) buf_puts(b, "]}");
    }
}

static void value(struct buf *b, const struct key *k, int depth)
{
    bool words = k->words && k->type != KEY_WORD && k->type != KEY_WORDS && k->type != KEY_FILE;
    bool several = words || (k->main && k->type != KEY_MAPS);
    if (several) buf_puts(b, "{\"anyOf\": [");
    bare(b, k, depth);
    if (words) {
        buf_puts(b, ", ");
        any_of_words(b, k->words);
    }
    if (k->main && several) {
        buf_puts(b, ", ");
        value(b, key_child(k, k->main, strlen(k->main)), depth);
    }
    if (several) buf_puts(b, "]}");
}

int cli_schema(int argc, char **argv)
{
    if (argc > 1) {
        bool help = !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help");
        fputs("usage: vlab schema\nPrints the JSON Schema of scenarios.\n", help ? stdout : stderr);
        return help ? CLI_OK : CLI_USAGE;
    }
    struct buf b;
    buf_init(&b);
    buf_puts(&b, "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"title\": \"vlab "
                 "scenario\",\n\"$defs\": {\"amount\": ");
    amounts(&b, UNIT_DURATION);
    buf_puts(&b, ",\n\"sizes\": ");
    amounts(&b, UNIT_SIZE);
    buf_puts(&b, "},\n\"allOf\": [");
    object(&b, NULL, 0);
    buf_puts(&b, "]}\n");
    fwrite(b.text, 1, b.len, stdout);
    buf_done(&b);
    return ferror(stdout) ? CLI_BROKEN : CLI_OK;
}
