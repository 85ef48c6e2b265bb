// SPDX-License-Identifier: GPL-3.0-or-later
/* diag.h - the user's mistakes, collected and shown with their place.
 *
 *     noisy.yaml:12:14: error: unknown key `wieght`
 *        12 |     cpu: {wieght: 2000}
 *           |           ^~~~~~
 *           = did you mean `weight`?
 *
 * Up to DIAG_MAX are kept, the rest counted. What does not print is escaped when echoed. */
#ifndef VLAB_BASE_DIAG_H
#define VLAB_BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define DIAG_MAX 20

struct diag_mark {
    unsigned line, column; /* from 1; 0: no place */
    unsigned length;       /* characters to underline; 0 or 1: a caret alone */
};

struct diag_item {
    struct diag_mark mark;
    char *text;
    char *hint; /* NULL: none */
};

struct diag {
    char *name;   /* of the file, for messages */
    char *source; /* its text, for the source line; may be NULL */
    size_t source_len;
    struct diag_item items[DIAG_MAX];
    size_t n;    /* kept */
    size_t lost; /* beyond DIAG_MAX */
    bool usage;  /* the mistake is in how we were called (exit 2), not in the file (exit 3) */
};

void diag_init(struct diag *d);
void diag_done(struct diag *d);
/* Both are copied. */
void diag_source(struct diag *d, const char *name, const char *text, size_t len);
__attribute__((format(printf, 3, 4))) void diag_add(struct diag *d, struct diag_mark m, const char *fmt, ...);
/* A hint for the last one added. */
__attribute__((format(printf, 2, 3))) void diag_hint(struct diag *d, const char *fmt, ...);
static inline bool diag_any(const struct diag *d)
{
    return d->n + d->lost > 0;
}
/* Colour where `colour`; sorted by place. */
void diag_print(struct diag *d, FILE *out, bool colour);
/* The nearest of the NULL-terminated words by edits with transposition, or NULL if none is near. */
const char *diag_nearest(const char *word, const char *const *words);
/* Writes text of len bytes with what does not print escaped as \xNN, cut at size - 1. Returns out. */
char *diag_escape(char *out, size_t size, const char *text, size_t len);

#endif
