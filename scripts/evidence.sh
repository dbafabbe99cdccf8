#!/usr/bin/env bash
# osc1d at the paper's length, 2e5 steps: ε = 1/15 and 0.01; paper's, consistent and no coupling.
#   [MINUTES=60] [SEEDS=0] [RUNS=DIR] [RESULTS=DIR] scripts/evidence.sh [key=value ...]
# Two runs beside each other, on one core each, for MINUTES at most; a run that is cut (Ctrl-C and kill cut both) goes on at
# the next call, a finished one is left alone. RUNS should outlive the working tree. At the end what was reached is written
# to RESULTS, small and tracked. Further keys go to every run, such as training.iterations=20000: then these are others.
set -euo pipefail
RUNS=${RUNS:-${XDG_CACHE_HOME:-$HOME/.cache}/hpms/evidence} RESULTS=${RESULTS:-outputs/paper/osc1d}
MINUTES=${MINUTES:-60} SEEDS=${SEEDS:-0}
case $MINUTES in '' | *[!0-9]*) echo "MINUTES=$MINUTES is not allowed: give a whole number." >&2; exit 2 ;; esac
end=$(($(date +%s) + 60 * MINUTES)) keys=("$@") cut=
export OMP_NUM_THREADS=1 XLA_FLAGS="${XLA_FLAGS:-} --xla_cpu_multi_thread_eigen=false"
trap 'cut=1; kill -TERM $(jobs -p) 2>/dev/null || true' INT TERM HUP

# Starts the run of a seed, ε and coupling, if there is a minute left for it.
start() {
  local left=$((end - $(date +%s)))
  if [ -n "$cut" ] || [ "$left" -lt 60 ]; then return; fi
  hpms train +experiment=osc1d "seed=$1" "problem.eps=$2" "coupling=$3" "training.wall_limit=$left" "output=$RUNS" \
    ${keys[@]+"${keys[@]}"} &
}

for seed in $SEEDS; do
  for eps in 1/15 0.01; do
    for coupling in ball consistent none; do
      while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n || true; done
      start "$seed" "$eps" "$coupling"
    done
  done
done
while [ -n "$(jobs -pr)" ]; do wait || true; done
if [ -d "$RUNS" ]; then
  python "$(dirname "$0")/evidence/report.py" "$RUNS" "$RESULTS" "SEEDS='$SEEDS' scripts/evidence.sh $*"
fi
