#!/usr/bin/env bash
# osc1d at the paper's length, 2e5 steps: ε = 1/15 and 0.01; paper's, consistent and no coupling.
#   [MINUTES=60] [SEEDS=0] [RUNS=DIR] [RESULTS=DIR] scripts/evidence.sh [key=value ...]
# Two runs beside each other, on one core each, for MINUTES at most; a run that is cut goes on at the next call, a finished
# one is left alone. RUNS should outlive the working tree. At each end what was reached is written to RESULTS, small and
# tracked. Further keys go to every run, such as training.iterations=20000, in a place of their own.
set -euo pipefail
RUNS=${RUNS:-${XDG_CACHE_HOME:-$HOME/.cache}/hpms/evidence}
RESULTS=${RESULTS:-outputs/paper/osc1d}
end=$(($(date +%s) + 60 * ${MINUTES:-60}))
export RUNS end

go_on() {
  local left=$((end - $(date +%s))) code=0
  if [ "$left" -lt 60 ]; then return; fi
  hpms train +experiment=osc1d "training.wall_limit=$left" "output=$RUNS" "$@" || code=$?
  if [ "$code" -gt 128 ]; then exit 255; fi # a signal: xargs starts no more
}
export -f go_on

for seed in ${SEEDS:-0}; do
  for eps in 1/15 0.01; do
    for coupling in ball consistent none; do
      echo "problem.eps=$eps coupling=$coupling seed=$seed $*"
    done
  done
done | OMP_NUM_THREADS=1 XLA_FLAGS="${XLA_FLAGS:-} --xla_cpu_multi_thread_eigen=false" \
  xargs -P 2 -I{} bash -c 'go_on {}' || true
python "$(dirname "$0")/evidence/report.py" "$RUNS" "$RESULTS" "scripts/evidence.sh $*"
