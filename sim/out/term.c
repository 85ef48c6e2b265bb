// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/term.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool set(const char *name)
{
    const char *v = getenv(name);
    return v && *v;
}

struct term_style term_style_of(int fd)
{
    struct term_style s = {0};
    const char *term = getenv("TERM");
    s.colour = isatty(fd) && !set("NO_COLOR") && term && *term && strcmp(term, "dumb") != 0;
    /* The order in which setlocale looks, without setting anything. */
    const char *locale = set("LC_ALL")     ? getenv("LC_ALL")
                         : set("LC_CTYPE") ? getenv("LC_CTYPE")
                                           : getenv("LANG");
    s.utf8 = locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
    return s;
}

const char *term_ink(struct term_style s, enum term_ink ink)
{
    static const char *const codes[TERM_NINKS] = {
        [TERM_PLAIN] = "\x1b[0m", [TERM_BOLD] = "\x1b[1m", [TERM_DIM] = "\x1b[2m",
        [TERM_GOOD] = "\x1b[32m", [TERM_BAD] = "\x1b[31m", [TERM_WARN] = "\x1b[33m",
    };
    return s.colour ? codes[ink] : "";
}
