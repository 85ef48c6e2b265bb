// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab completion bash: what a shell needs to finish our words. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char bash[] =
    "# vlab completion bash: put into ~/.bashrc:  source <(vlab completion bash)\n"
    "_vlab() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]} words=\n"
    "    COMPREPLY=()\n"
    "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
    "        words='run batch compare validate plot check explain schema kvm doctor completion'\n"
    "    elif [[ $prev = = ]]; then\n"
    "        case ${COMP_WORDS[COMP_CWORD-2]} in\n"
    "        --backend) words='sim kvm proc' ;;\n"
    "        --fidelity) words=exact ;;\n"
    "        esac\n"
    "    elif [[ $cur = -* ]]; then\n"
    "        case $cmd in\n"
    "        run) words='-s -o --set --backend= --fidelity= --json --trace --per-entity --help' ;;\n"
    "        compare) words='-m -a --csv --help' ;;\n"
    "        batch) words='-j -r -s -o --set --resume --list --one= --json --no-plots --engine= --help' ;;\n"
    "        validate) words='-r -p -o --set --all --help' ;;\n"
    "        kvm) words='--quick -o --help' ;;\n"
    "        plot) words='--ascii' ;;\n"
    "        esac\n"
    "    elif [[ $cmd = kvm && $COMP_CWORD -eq 2 ]]; then\n"
    "        words='probe calibrate baseline'\n"
    "    elif [[ $cmd = explain ]]; then\n"
    "        words=\"keys metrics events distributions $(\"${COMP_WORDS[0]}\" explain keys metrics | awk '/^ "
    " /{print $1}')\"\n"
    "    elif [[ $cmd = completion ]]; then\n"
    "        words=bash\n"
    "    elif [[ $cmd = plot && $COMP_CWORD -eq 3 ]]; then\n"
    "        local f\n"
    "        for f in \"${COMP_WORDS[2]}\"/plots/*.gp; do\n"
    "            f=${f##*/}\n"
    "            [[ $f = style.gp || $f = '*.gp' ]] || words+=\" ${f%.gp}\"\n"
    "        done\n"
    "    else\n"
    "        local d=f\n"
    "        [[ $cmd = plot ]] && d=d\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -\"$d\" -- \"$cur\")\n"
    "        return\n"
    "    fi\n"
    "    [[ $cur = = ]] && cur=\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "    [[ ${COMPREPLY[0]} = *= ]] && compopt -o nospace 2>/dev/null\n"
    "}\n"
    "complete -F _vlab vlab ./vlab\n";

int cli_completion(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "bash") == 0) {
        fputs(bash, stdout);
        return CLI_OK;
    }
    bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    fputs("usage: vlab completion bash\n"
          "Prints what bash needs to finish commands, options, keys and figures with the Tab key.\n"
          "For this shell: source <(./vlab completion bash)    For all: that line, with vlab's path, in "
          "~/.bashrc.\n",
          help ? stdout : stderr);
    return help ? CLI_OK : CLI_USAGE;
}
