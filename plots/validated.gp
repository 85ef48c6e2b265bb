# SPDX-License-Identifier: GPL-3.0-or-later
# Simulated against measured: what agrees lies on the diagonal. Data: blocks of scenario, simulated, measured.
set logscale xy 10
set xrange [FROM:TO]
set yrange [FROM:TO]
set format xy (ASCII ? '%h' : '10^{%L}')
set xlabel 'simulated'
set ylabel 'measured on KVM' textcolor rgb INK
if (!ASCII) {
    set termoption enhanced
    set grid xtics ytics lt 1 dt 1 lw 0.6 lc rgb '#e4e4e4'
    set size ratio 1
}
plot x * 1.1 with lines lc rgb THEORY lw 0.8 dt (2,4) notitle, \
    x / 1.1 with lines lc rgb THEORY lw 0.8 dt (2,4) notitle, \
    x with lines lc rgb THEORY lw 1 notitle, \
    for [i = 1:KINDS] FIGURE.'.tsv' index i - 1 using 2:3 with points lt i ps 1 title NAMES[i]
