#!/usr/bin/env bash
# Rehearses a week of nights: four without a change, which must not stop the job, and one with a regression, which must.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cp "$here"/{assistant.py,exam.yaml,gate.yaml} "$folder"
cd "$folder"

for night in 1 2 3 4; do
    NIGHT=$night markscheme run exam.yaml --fresh --no-report --quiet
done
code=0
markscheme compare latest --gate gate.yaml || code=$?
echo "without a change: exit code $code"
[ "$code" = 0 ] || exit 3

sed -i.old 's/assistant:answer/assistant:answer_in_a_hurry/' exam.yaml
NIGHT=5 markscheme run exam.yaml --fresh --no-report --quiet
code=0
NIGHT=6 markscheme compare latest --gate gate.yaml --confirm || code=$?
echo "with a regression: exit code $code"
exit "$code"
