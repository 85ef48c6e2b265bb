# SPDX-License-Identifier: GPL-3.0-or-later
# Useful time and overhead: a group of bars a swept word, a bar a VM. Data: blocks of group, name, useful, overhead (%).
WIDTH = 0.8 / CURVES
at(g, i) = g + (i - (CURVES + 1) / 2.0) * WIDTH
set xrange [-0.6:GROUPS - 0.4]
set yrange [0:105]
set xlabel XLABEL offset 0, 1 - LINES # below names of several lines
set ylabel 'share of wall time, %' textcolor rgb INK
set xtics scale 0
plot for [i = 1:CURVES] FIGURE.'.tsv' index i - 1 using (at($1, i)):($3 / 2):(WIDTH * 0.46):($3 / 2) \
        with boxxyerror lt i dt 1 fs solid 0.9 noborder title NAMES[i], \
    for [i = 1:CURVES] FIGURE.'.tsv' index i - 1 using (at($1, i)):($3 + $4 / 2):(WIDTH * 0.46):($4 / 2) \
        with boxxyerror lc rgb '#003050' dt 1 fs solid 0.9 noborder title (i == 1 ? 'overhead' : ''), \
    FIGURE.'.tsv' index 0 using 1:(0):xtic(2) with points pt -1 notitle
