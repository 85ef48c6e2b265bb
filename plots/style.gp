# SPDX-License-Identifier: GPL-3.0-or-later
# The house style of every figure. A figure sets FIGURE, QUESTION, CAPTION1 and CAPTION2 (and HEIGHT, where it
# needs another), loads this and plots. TERM is svg (the default), png or dumb:
#   gnuplot gantt.gp                        writes gantt.svg
#   gnuplot -e "TERM='png'" gantt.gp        writes gantt.png
#   gnuplot -e "TERM='dumb'" gantt.gp       draws on this terminal, 79 columns by 23 lines
if (!exists("TERM")) TERM = 'svg'
if (!exists("HEIGHT")) HEIGHT = 540
ASCII = TERM eq 'dumb'
if (TERM eq 'svg') set terminal svg size 960,HEIGHT font 'sans-serif,14' background '#ffffff'
if (TERM eq 'png') set terminal pngcairo size 960,HEIGHT font 'sans,11' background '#ffffff'
if (ASCII) set terminal dumb size 79,23 nofeed
if (!ASCII) set output FIGURE.'.'.TERM

set termoption noenhanced
set encoding utf8
set datafile separator tab
set datafile commentschars ''
set datafile missing 'nan'

# Okabe and Ito's colours, told apart by the colour-blind; dash and point change with them.
set linetype 1 lc rgb '#0072b2' dt 1         pt 7  lw 2
set linetype 2 lc rgb '#d55e00' dt (12,4)    pt 5  lw 2
set linetype 3 lc rgb '#009e73' dt (4,3)     pt 9  lw 2
set linetype 4 lc rgb '#e69f00' dt (12,4,3,4) pt 11 lw 2
set linetype 5 lc rgb '#56b4e9' dt 1         pt 13 lw 2
set linetype 6 lc rgb '#cc79a7' dt (12,4)    pt 6  lw 2
set linetype 7 lc rgb '#000000' dt (4,3)     pt 4  lw 2
set linetype 8 lc rgb '#d8c800' dt (12,4,3,4) pt 8  lw 2
set linetype cycle 8
THEORY = '#8c8c8c'
FAINT  = '#f0f0f0'
INK    = '#333333'

set border 3 lc rgb INK
set format '%h'
set tics nomirror out textcolor rgb INK
set grid ytics lt 1 dt 1 lw 0.6 lc rgb '#e4e4e4'
set key outside right top Left reverse samplen 2 width 1 textcolor rgb INK

# The title asks the question; beneath the axes: of what, how many, how sure.
if (ASCII) { # a title too long for the terminal would be left out; a line of text is not
    set print '-'
    print QUESTION
    unset grid
}
if (!ASCII) {
    set label 901 QUESTION at screen 0.02, screen 1 - 24.0 / HEIGHT left font (TERM eq 'svg' ? ',20' : ',16') textcolor rgb '#000000'
    set label 902 CAPTION1 at screen 0.02, screen 38.0 / HEIGHT left font (TERM eq 'svg' ? ',12' : ',10') textcolor rgb '#666666'
    set label 903 CAPTION2 at screen 0.02, screen 18.0 / HEIGHT left font (TERM eq 'svg' ? ',12' : ',10') textcolor rgb '#666666'
    set tmargin at screen 1 - 58.0 / HEIGHT
    set bmargin at screen 124.0 / HEIGHT
}
