// SPDX-License-Identifier: GPL-3.0-or-later
/* buf.h - text that grows as it is written. Always ends in a NUL that its length does not count. */
#ifndef VLAB_BASE_BUF_H
#define VLAB_BASE_BUF_H

#include <stddef.h>
#include <stdio.h>

struct buf {
    char *text; /* never NULL after buf_init */
    size_t len, size;
};

void buf_init(struct buf *b);
void buf_done(struct buf *b);
void buf_add(struct buf *b, const char *text, size_t len);
void buf_puts(struct buf *b, const char *text);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
/* A string as JSON has it, quotes included. What is not UTF-8 is the caller's to keep out. */
void buf_json(struct buf *b, const char *text, size_t len);
/* Hands the text over (free it) and leaves the buffer as after buf_done. */
char *buf_take(struct buf *b, size_t *len);
/* All of a stream, at most max bytes. 0; -EFBIG where there is more; -errno. */
int buf_read(struct buf *b, FILE *in, size_t max);

#endif
