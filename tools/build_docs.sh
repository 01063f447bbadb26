#!/usr/bin/env bash
# Build the documentation site: bash tools/build_docs.sh [OUT] [--links], from anywhere.
#
# OUT (default: build/site) gets the pages; open OUT/index.html. A warning is an error: a link or an
# anchor that leads nowhere fails. --links asks every address of other sites instead, which needs the network.
source "$(dirname "${BASH_SOURCE[0]}")/_venv.sh"

out='' links=''
for word in "$@"; do
    case $word in
        --links) links=1 ;;
        -*) echo "build_docs.sh: $word is no option; write [OUT] [--links]." >&2; exit 2 ;;
        *)
            [[ -z $out ]] || { echo "build_docs.sh: one folder, not $out and $word." >&2; exit 2; }
            out=$word
            ;;
    esac
done
out=${out:-$root/build/site}
cached=$root/build/doctrees # parsed pages: a second build reads what has changed

export PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
build=("$python" -m sphinx --jobs auto -d "$cached")
if [[ -n $links ]]; then
    exec "${build[@]}" -b linkcheck "$root/docs" "$out/links"
fi
if ! "${build[@]}" --quiet --fail-on-warning --keep-going -b html "$root/docs" "$out"; then
    rm -rf "$cached" # or the next build would pass over the pages at fault
    echo "build_docs.sh: the site has faults, see above." >&2
    exit 1
fi
echo "Written: $out/index.html"
