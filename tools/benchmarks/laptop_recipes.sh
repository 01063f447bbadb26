#!/usr/bin/env bash
# Train and test the laptop recipes from ImageNet and from random weights, and compare them.
#
#   bash tools/benchmarks/laptop_recipes.sh [WORK_DIR [SEED...]]
#
# WORK_DIR is work_dirs/laptop, the seeds are 0 1 2 unless given. MMREID_DATA_ROOT names the data sets. The same command goes on
# where the last one was interrupted, and skips what is finished. JOBS (2) runs train side by side, each on its share of the cores.
# Verdicts go to WORK_DIR/verdicts.txt. 18 runs take about 13 hours of CPU time.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
[[ -x $python ]] || python=python
work=${1:-work_dirs/laptop} seeds=("${@:2}")
(( ${#seeds[@]} )) || seeds=(0 1 2)
if ! [[ "${seeds[*]}" =~ ^[0-9]+(\ [0-9]+)*$ ]]; then
    echo "usage: $(basename "$0") [WORK_DIR [SEED...]]; seeds must be whole numbers, got '${seeds[*]}'" >&2
    exit 2
fi
weights=$root/weights/mobilenetv2_imagenet.pth
[[ -f $weights ]] || "$python" "$root/tools/get_imagenet_mobilenetv2.py" --out "$weights"

mkdir -p "$work"

runs() { # START RECIPE: its results files
    for seed in "${seeds[@]}"; do echo "$work/$1/$2/seed_$seed/results.json"; done
}

for start in imagenet scratch; do
    option=model.backbone.init_cfg.checkpoint=$weights
    [[ $start == imagenet ]] || option=model.backbone.init_cfg=None
    for recipe in bn metabin strong_baseline; do
        "$python" "$root/tools/train_seeds.py" "$root/configs/${recipe}_mobilenetv2_laptop.py" \
            --seeds "${seeds[@]}" --jobs "${JOBS:-2}" --work-dir "$work/$start/$recipe" \
            --train-args=--no-validate --cfg-options "$option"
    done
done

compare() { # START RECIPE START RECIPE: the second against the first
    mapfile -t a < <(runs "$1" "$2")
    mapfile -t b < <(runs "$3" "$4")
    "$python" "$root/tools/compare.py" --a "${a[@]}" --b "${b[@]}"
}

{
    for start in imagenet scratch; do
        compare "$start" bn "$start" metabin
        compare "$start" bn "$start" strong_baseline
    done
    for recipe in bn metabin strong_baseline; do
        compare scratch "$recipe" imagenet "$recipe"
    done
} | tee "$work/verdicts.txt"
