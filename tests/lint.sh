#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# clang-format, cppcheck and clang-tidy over all sources, without a finding; or the one that is named.
set -u
cd "$(dirname "$0")/.."
files=$(git ls-files '*.c' '*.h')
sources=$(git ls-files 'sim/*.c' 'kvm/*.c')
bad=0

lint_format() { clang-format --dry-run -Werror $files; }
lint_cppcheck() {
    cppcheck --quiet --std=c11 --inline-suppr --enable=warning,performance,portability --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -j "$(nproc)" -Isim -I. $sources
}
# clang's static analyser and the checks for plain mistakes; -std and include paths as in the Makefile. Left out:
# - DeprecatedOrUnsafeBufferHandling: wants memcpy_s and the like, which glibc has not;
# - easily-swappable-parameters: is no finding but a taste, and units are in the names;
# - reserved-identifier: _GNU_SOURCE and the payload's symbols are meant to be reserved;
# - narrowing-conversions, implicit-widening: -Wconversion says what is true of them;
# - assignment-in-if-condition, branch-clone: two cases of a table may say the same;
# - sizeof-expression: takes the elements of every array of pointers for a mistake;
# - valist.Uninitialized: version 14 takes every va_list of a file after the first for unset;
# - insecureAPI.strcpy, FloatLoopCounter: refuse the call and the loop whatever they are given;
# - unix.MallocSizeof: wants one type to a block; those of a boot page begin with a struct and go on as bytes.
tidy='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,bugprone-*'
for c in valist.Uninitialized security.insecureAPI.strcpy security.FloatLoopCounter unix.MallocSizeof; do
    tidy=$tidy,-clang-analyzer-$c
done
for c in easily-swappable-parameters reserved-identifier narrowing-conversions assignment-in-if-condition \
    implicit-widening-of-multiplication-result branch-clone sizeof-expression; do
    tidy=$tidy,-bugprone-$c
done
lint_clang_tidy() {
    echo $sources | xargs -n 4 -P "$(nproc)" sh -c 'checks=$1; shift
        clang-tidy --quiet --warnings-as-errors="*" --checks="$checks" "$@" -- -std=c17 -D_GNU_SOURCE -Isim -I. 2>/dev/null' sh "$tidy"
}
for what in ${1:-format cppcheck clang-tidy}; do
    case $what in
    format) lint_format ;;
    cppcheck) lint_cppcheck ;;
    clang-tidy) lint_clang_tidy ;;
    esac || { echo "lint: $what has findings" && bad=1; }
done
exit $bad
