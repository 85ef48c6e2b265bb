# SPDX-License-Identifier: GPL-3.0-or-later
# What the swept words do: a group of bars a point, a bar a figure, with its interval. Data: blocks of group, name, mean, low, high.
WIDTH = 0.8 / CURVES
at(g, i) = g + (i - (CURVES + 1) / 2.0) * WIDTH
set xrange [-0.6:GROUPS - 0.4]
set yrange [BOTTOM:TOP]
set xlabel XLABEL offset 0, 1 - LINES # below names of several lines
set ylabel YLABEL textcolor rgb INK
set xtics scale 0
plot for [i = 1:CURVES] FIGURE.'.tsv' index i - 1 using (at($1, i)):($3 * SCALE):(WIDTH * 0.92) with boxes lt i dt 1 fs solid 0.9 noborder title NAMES[i], \
    for [i = 1:BANDS] FIGURE.'.tsv' index i - 1 using (at($1, i)):($4 * SCALE):(0):(($5 - $4) * SCALE) \
        with vectors heads size screen 0.005,90 lc rgb '#000000' lw 1.2 dt 1 notitle, \
    FIGURE.'.tsv' index 0 using 1:(0):xtic(2) with points pt -1 notitle
