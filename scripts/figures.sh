#!/usr/bin/env bash
# Figs. 1 and 2 (osc1d), Fig. 3 (osc2d, from the runs of table1.sh, which it starts if need be), and the gaps and rates
# of Theorem 2.11.   [SCALE=cpu] [RUNS=DIR] [RESULTS=DIR] scripts/figures.sh
# SCALE=cpu: ε = 1/15 and 1/30, 500 points, 5000 steps, coarse h = 0.02; three seeds instead of five.
. "$(dirname "$0")/common.sh"

reduced=() epsilons=1/15,0.01 seeds=0,1,2,3,4
if [ "$SCALE" = cpu ]; then
  reduced=(collocation.interior_points=500 coarse.h=0.02 training.iterations=5000) epsilons=1/15,1/30 seeds=0,1,2
fi
sweep +experiment=osc1d coupling=ball,consistent,none "problem.eps=$epsilons" "seed=$seeds" "${reduced[@]}"
hpms table "$RUNS/train/osc1d" --format markdown --output "$RESULTS/osc1d.md"
hpms table "$RUNS/train/osc1d" --findings --format markdown --output "$RESULTS/osc1d_findings.md"
hpms plot "$RUNS/train/osc1d" --output "$RESULTS/osc1d"

for experiment in osc1d osc2d; do
  if [ -e "$RESULTS/consistency_$experiment.png" ]; then continue; fi
  gaps=$(hpms consistency "+experiment=$experiment" "output=$RUNS" | tee -a /dev/stderr | tail -n 1)
  cp "${gaps%.h5}.png" "$RESULTS/consistency_$experiment.png"
done

"$(dirname "$0")/table1.sh"
hpms plot "$RUNS/train/osc2d" --output "$RESULTS/osc2d"
