#!/usr/bin/env bash
# Rehearses the loop without a model and without a trainer: skill, seconds and prices of all three are planted.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cp "$here"/{stand_ins.py,before.yaml,after.yaml} "$folder"
cd "$folder"

markscheme run before.yaml --quiet
markscheme small-large latest --small planted-base --large planted-large --margin 0.1
markscheme export finetune latest --output tuning --candidate planted-large \
    --measure function_name_and_args_accuracy --min-score 1 --shares 0.4,0.1,0.5
echo "a trainer would read $(wc -l < tuning/train.jsonl) lines of tuning/train.jsonl here"
markscheme run after.yaml --fresh --quiet
markscheme small-large latest --small planted-tuned --base planted-base --large planted-large --margin 0.1 \
    --trained-on tuning
echo "planted: not a measurement of any model"
