# SPDX-License-Identifier: GPL-3.0-or-later
# Where a host's memory is: resident, saved by sharing, in balloons, on the swap disk. Data: t (s), then a column a level.
set xrange [FROM:TO]
set yrange [0:TOP]
set xlabel 'time, s'
set ylabel YLABEL textcolor rgb INK
plot for [i = 1:LEVELS_N] FIGURE.'.tsv' using 1:(column(i + 1)) with lines lt i lw 2 title word(LEVELS, i), \
    for [i = 1:SIZED] SIZE with lines lc rgb THEORY dt (2,3) lw 1.5 title 'what the host has'
