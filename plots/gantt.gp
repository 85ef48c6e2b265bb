# SPDX-License-Identifier: GPL-3.0-or-later
# Who ran when: a row a pCPU, a box a slice, coloured by VM. Data: pcpu, start, end (s), vm, vcpu, label.
x(t) = (t - FROM) * SCALE
HALF = 0.36
# Black is the switches'; the seventh VM is yellow. Dark letters on light boxes, white ones on dark.
ink(name) = name eq 'host OS' ? 0xffffff : ink_of(index_of(name))
ink_of(i) = i == 4 || i == 5 || i == 6 || i == 7 || i == 0 ? 0x000000 : 0xffffff
index_of(name) = sum [k=1:COLOURS] (name eq word(VMS, k) ? k : 0)

set xrange [0:x(ASCII ? ASCII_TO : TO)]
set yrange [ROWS - 0.5:-0.5]
set xlabel XLABEL
set ytics (0) scale 0
eval YTICS
unset grid
if (!ASCII) {
    do for [r = 0:ROWS - 1] {
        set object r + 1 rectangle from graph 0, first r - HALF to graph 1, first r + HALF behind fs solid noborder fc rgb FAINT
    }
}
# The host's own threads are dark grey.
LIGHT(name) = name ne 'switch' && name ne 'host OS' && index_of(name) == 0

# A terminal has letters: A is the first VM. Each slice is drawn at 61 places, more than it has columns; half a
# column is left out at its ends, which would else be its neighbour's.
if (ASCII) {
    HALF_COLUMN = (ASCII_TO - FROM) / 112.0
    inner(a, b, k) = b - a > 2.2 * HALF_COLUMN ? a + HALF_COLUMN + (b - a - 2 * HALF_COLUMN) * (k + 0.5) / 61.0 : (a + b) / 2.0
    plot for [i = 1:COLOURS] for [k = 0:60] FIGURE.'.tsv' skip 1 \
        using (x(inner($2, $3, k))):(strcol(4) eq word(VMS, i) ? $1 : NaN) \
        with points pt i title (k == 0 ? word(VMS, i) : '')
} else {
    plot for [i = 1:COLOURS] FIGURE.'.tsv' skip 1 \
            using (x(($2 + $3) / 2)):(strcol(4) eq word(VMS, i) ? $1 : NaN):(x($2)):(x($3)):($1 - HALF):($1 + HALF) \
            with boxxyerror lt (i == 7 ? 8 : i) dt 1 fs solid noborder title word(VMS, i), \
        for [i = 1:OTHERS] FIGURE.'.tsv' skip 1 \
            using (x(($2 + $3) / 2)):(LIGHT(strcol(4)) ? $1 : NaN):(x($2)):(x($3)):($1 - HALF):($1 + HALF) \
            with boxxyerror lc rgb '#b0b0b0' dt 1 fs solid noborder title 'other VMs', \
        for [i = 1:HOSTS] FIGURE.'.tsv' skip 1 \
            using (x(($2 + $3) / 2)):(strcol(4) eq 'host OS' ? $1 : NaN):(x($2)):(x($3)):($1 - HALF):($1 + HALF) \
            with boxxyerror lc rgb '#606060' dt 1 fs solid noborder title 'host OS', \
        for [i = 1:SWITCHES] FIGURE.'.tsv' skip 1 \
            using (x(($2 + $3) / 2)):(strcol(4) eq 'switch' ? $1 : NaN):(x($2)):(x($3)):($1 - HALF - 0.06):($1 + HALF + 0.06) \
            with boxxyerror dt 1 lw 0.5 lc rgb '#000000' fs solid border rgb '#000000' title 'switch', \
        for [i = 1:LABELS] FIGURE.'.tsv' skip 1 \
            using (x(($2 + $3) / 2)):(strlen(strcol(6)) > 0 ? $1 : NaN):6:(ink(strcol(4))) \
            with labels font (TERM eq 'svg' ? ',12' : ',9') tc rgb variable notitle, \
        keyentry with boxes dt 1 lw 1 lc rgb FAINT fs solid border rgb '#c0c0c0' title 'idle'
}
