# SPDX-License-Identifier: GPL-3.0-or-later
# When VMs waited: per VM the share of time in which it could have run but had no pCPU, averaged over bins.
# Data: t (s), then mean, low and high (%) for each VM.
set xrange [FROM:TO]
set yrange [0:TOP]
set xlabel 'time, s'
set ylabel 'ready without a pCPU, % of time' textcolor rgb INK
if (ASCII) {
    plot for [i = 1:VMS_N] FIGURE.'.tsv' skip 1 using 1:(column(3 * i - 1)) with lines lt i title word(VMS, i)
} else {
    plot for [i = 1:BANDS] FIGURE.'.tsv' skip 1 using 1:(column(3 * i)):(column(3 * i + 1)) \
            with filledcurves lt i fs transparent solid 0.18 noborder notitle, \
        for [i = 1:VMS_N] FIGURE.'.tsv' skip 1 using 1:(column(3 * i - 1)) with lines lt i title word(VMS, i)
}
