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
lint_clang_tidy() {
    # The whole of clang's static analyser and the checks for plain mistakes; -std and include paths as in the Makefile.
    echo $sources | xargs -n 8 -P "$(nproc)" clang-tidy --quiet --warnings-as-errors='*' \
        --checks='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-narrowing-conversions,-bugprone-implicit-widening-of-multiplication-result,-bugprone-assignment-in-if-condition,-bugprone-branch-clone' \
        2>/dev/null -- 
}
for what in ${1:-format cppcheck clang-tidy}; do
    case $what in
    format) lint_format ;;
    cppcheck) lint_cppcheck ;;
    clang-tidy) lint_clang_tidy ;;
    esac || { echo "lint: $what has findings" && bad=1; }
done
exit $bad
