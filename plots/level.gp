# SPDX-License-Identifier: GPL-3.0-or-later
# A level over time, a curve a device and point, and its bound in grey. Data: blocks of t (s), mean, low, high.
set xrange [0:TO]
set yrange [0:TOP]
set xlabel XLABEL
set ylabel YLABEL textcolor rgb INK
if (BOUND > 0 && !ASCII) {
    set arrow from graph 0, first BOUND to graph 1, first BOUND nohead lc rgb THEORY lw 1.6 back
    set label 'size of the pool' at graph 0.01, first BOUND left offset 0, 0.6 textcolor rgb '#777777'
}
plot for [i = 1:BANDS] FIGURE.'.tsv' index i - 1 using ($1 * XSCALE):($3 * SCALE):($4 * SCALE) with filledcurves lt i fs transparent solid 0.18 noborder notitle, \
    for [i = 1:CURVES] FIGURE.'.tsv' index i - 1 using ($1 * XSCALE):($2 * SCALE) with lines lt i title NAMES[i]
