# SPDX-License-Identifier: GPL-3.0-or-later
# A distribution, whole: for every duration the share of those that took no longer. Data: blocks of x (s), share (%).
if (LOGX) set logscale x 10
set xrange [FROM * SCALE:TO * SCALE]
set yrange [0:100]
set xlabel XLABEL
set ylabel YLABEL textcolor rgb INK
set ytics (0, 25, 50, 75, 100)
if (!ASCII) {
    set grid xtics ytics lt 1 dt 1 lw 0.6 lc rgb '#e4e4e4'
    do for [p in '50 95 99'] {
        set arrow from graph 0, first p + 0 to graph 1, first p + 0 nohead lc rgb THEORY lw 0.8 dt (2,4) back
        set label 'p'.p at graph 0.008, first p + 0 left offset 0, (p eq '95' ? -0.6 : 0.5) font (TERM eq 'svg' ? ',12' : ',9') textcolor rgb '#777777'
    }
}
plot for [i = 1:VMS_N] FIGURE.'.tsv' index i - 1 using ($1 * SCALE):2 with steps lt i title word(VMS, i)
