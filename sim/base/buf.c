// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static void grow(struct buf *b, size_t more)
{
    if (b->size - b->len > more) return;
    size_t size = b->size;
    while (size - b->len <= more)
        size *= 2;
    char *p = realloc(b->text, size);
    if (!p) {
        fprintf(stderr, "vlab: out of memory\n");
        exit(4);
    }
    b->text = p;
    b->size = size;
}

void buf_init(struct buf *b)
{
    b->size = 256;
    b->len = 0;
    b->text = malloc(b->size);
    if (!b->text) {
        fprintf(stderr, "vlab: out of memory\n");
        exit(4);
    }
    b->text[0] = '\0';
}

void buf_done(struct buf *b)
{
    free(b->text);
    *b = (struct buf){0};
}

void buf_add(struct buf *b, const char *text, size_t len)
{
    grow(b, len);
    if (len) memcpy(b->text + b->len, text, len);
    b->len += len;
    b->text[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    grow(b, (size_t)n);
    vsnprintf(b->text + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
    b->len += (size_t)n;
}

void buf_json(struct buf *b, const char *text, size_t len)
{
    buf_puts(b, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else if (c == '\n')
            buf_puts(b, "\\n");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(b, "\\u%04x", c);
        else
            buf_add(b, text + i, 1);
    }
    buf_puts(b, "\"");
}

char *buf_take(struct buf *b, size_t *len)
{
    char *text = b->text;
    if (len) *len = b->len;
    *b = (struct buf){0};
    return text;
}

int buf_read(struct buf *b, FILE *in, size_t max)
{
    char chunk[4096];
    for (;;) {
        size_t n = fread(chunk, 1, sizeof chunk, in);
        if (n > max - b->len) return -EFBIG;
        buf_add(b, chunk, n);
        if (n < sizeof chunk) break;
    }
    return ferror(in) ? -(errno ? errno : EIO) : 0;
}
