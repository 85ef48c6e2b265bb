# SPDX-License-Identifier: GPL-3.0-or-later
# Who got the CPU: a bar a VM, its states side by side, 100 % of its vCPUs' time.
# Data: row, vm, run (without overhead), overhead, ready, throttled, costop, swapwait, diskwait, netwait, idle, down (%), low and
# high end of the interval of run and overhead together.
HALF = 0.36
# STATES names those that occur, "-" stands for the others, which the key leaves out.
COLOURS = '#0072b2 #003050 #d55e00 #e69f00 #f0e442 #cc79a7 #009e73 #56b4e9 #e8e8e8 #b8b8b8'
named(k) = word(STATES, k - 2) eq '-' ? '' : word(STATES, k - 2)
left(k) = sum [j=3:k - 1] column(j)
set xrange [0:100]
set yrange [ROWS - 0.5:-0.5]
set xlabel 'share of wall time, mean over the vCPUs, %'
set ytics scale 0
set grid xtics
unset grid
if (ASCII) { # letters at 61 places of each bar: A is run
    plot for [k = 3:12] for [j = 0:60] FIGURE.'.tsv' skip 1 \
        using (column(k) > 0 ? left(k) + column(k) * (j + 0.5) / 61.0 : NaN):1:ytic(2) with points pt k - 2 \
        title (j == 0 ? named(k) : '')
} else {
    plot for [k = 3:12] FIGURE.'.tsv' skip 1 \
            using (left(k) + column(k) / 2):1:(left(k)):(left(k) + column(k)):($1 - HALF):($1 + HALF):ytic(2) \
            with boxxyerror lc rgb word(COLOURS, k - 2) dt 1 fs solid noborder title named(k), \
        for [i = 1:INTERVALS] FIGURE.'.tsv' skip 1 using ($3 + $4):1:13:14 with xerrorbars lc rgb '#000000' pt -1 lw 1.2 dt 1 \
            title 'run, '.CONFIDENCE
}
