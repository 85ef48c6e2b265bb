# SPDX-License-Identifier: GPL-3.0-or-later
# What the swept key does: a curve a figure, with the interval of its mean. Data: blocks of x, mean, low, high.
if (LOGX) set logscale x
if (LOGY) set logscale y
set xrange [FROM:TO]
set yrange [BOTTOM:TOP]
set xlabel XLABEL
set ylabel YLABEL textcolor rgb INK
if (XTICS ne '') eval XTICS
plot for [i = 1:BANDS] FIGURE.'.tsv' index i - 1 using 1:($3 * SCALE):($4 * SCALE) with filledcurves lt i fs transparent solid 0.2 noborder notitle, \
    for [i = 1:CURVES] FIGURE.'.tsv' index i - 1 using 1:($2 * SCALE) with linespoints lt i ps 1 title NAMES[i]
