// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/csv_read.h"

#include <stdbool.h>

/* Takes a field from the stream into text; what ended it: ',', '\n' or EOF; -2: it cannot be. */
static int field(FILE *f, struct csv_row *r, size_t *at, size_t *lines)
{
    bool quoted = false;
    int c = getc(f);
    if (c == '"') {
        quoted = true;
        c = getc(f);
    }
    for (;; c = getc(f)) {
        if (c == EOF && quoted) return -2;
        if (quoted && c == '"') {
            c = getc(f);
            if (c != '"') quoted = false;
        }
        if (!quoted && c == '\r') c = getc(f); /* before the line feed */
        if (!quoted && (c == ',' || c == '\n' || c == EOF)) break;
        if (*at + 1 >= CSV_MAX_ROW || c == '\0') return -2;
        *lines += c == '\n';
        r->text[(*at)++] = (char)c;
    }
    r->text[(*at)++] = '\0';
    *lines += c == '\n';
    return c;
}

int csv_read(FILE *f, struct csv_row *r)
{
    size_t at = 0, lines = 0;
    int c = getc(f);
    if (c == EOF) return 0;
    ungetc(c, f);
    r->n = 0;
    do {
        if (r->n == CSV_MAX_FIELDS) return -1;
        r->field[r->n++] = r->text + at;
        c = field(f, r, &at, &lines);
        if (c == -2 || at >= CSV_MAX_ROW) return -1;
    } while (c == ',');
    r->line += lines + (c == EOF);
    return 1;
}
