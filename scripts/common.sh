# What table1.sh and figures.sh share. SCALE=paper (default) is the paper's size, for a GPU; SCALE=cpu a reduced one for
# 2 cores: fewer points, steps and seeds, a milder ε. RUNS is where runs lie, RESULTS where tables and figures go.
# Both scripts only call hpms: finished runs are skipped, interrupted ones go on, so start them as often as you like.
set -euo pipefail
SCALE=${SCALE:-paper}
case $SCALE in paper | cpu) ;; *) echo "SCALE=$SCALE is not allowed: choose paper or cpu." >&2; exit 2 ;; esac
RUNS=${RUNS:-outputs/runs/$SCALE}
RESULTS=${RESULTS:-outputs/paper/$SCALE}
mkdir -p "$RESULTS"

# A sweep whose jobs fail (a trapped or NaN run is a result too) still has its table; a signal ends the script.
sweep() {
  local code=0
  hpms train -m "$@" "output=$RUNS" || code=$?
  if [ "$code" -gt 128 ]; then exit "$code"; fi
}
