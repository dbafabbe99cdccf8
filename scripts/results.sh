#!/usr/bin/env bash
# The stored tables that README and docs/ quote, outputs/paper/*.md, and their copies on the pages.
#   [RUNS=DIR] [RESULTS=DIR] [MHM=PYTHON] scripts/results.sh \
#     [gaps|upscaling|fast|media|certified|domains|three_dimensions|stiffness|semilinear|chain|small|osc1d|speed|fbpinn ...]
# Without a part: all but osc1d, the paper's method for 20,000 steps, which takes hours, and small, speed and fbpinn, which
# need a machine that does nothing else, small for hours, too. The others take some ten minutes each on 2 cores. Finished runs
# are skipped, interrupted ones go on, and of outputs what is stored stays: start it as often as you like; delete a table
# of outputs to make it anew. RUNS and RESULTS are taken from the top of the project, MHM is the interpreter of the
# environment of scripts/benchmark/small_eps_mhm.py; without it small leaves that method out.
RUNS=${RUNS:-outputs/runs/results} RESULTS=${RESULTS:-outputs/paper}
parts=("$@")
parts_known="gaps upscaling fast media certified domains three_dimensions stiffness semilinear chain small osc1d speed fbpinn"
if [ $# = 0 ]; then parts=(gaps upscaling fast media certified domains three_dimensions stiffness semilinear chain); fi
for part in "${parts[@]}"; do
  case " $parts_known " in
    *" $part "*) ;;
    *)
      echo "$part is no part: choose one of $parts_known." >&2
      exit 2
      ;;
  esac
done
cd "$(dirname "$0")/.." # the tables name commands as they are typed here
. scripts/common.sh
tilted=(coefficient=expression 'coefficient.periods=[eps,eps]' 'coefficient.formula=2+1.6*sin(2*pi*(x1+x2)/eps)')
smooth=(source=expression 'source.formula=5*sin(pi*x1)*sin(pi*x2)')
aperiodic=(coefficient=expression coefficient.periods=null
  'coefficient.formula=2+sin(2*pi*x1/eps)*cos(2*pi*x2/(1.3*eps))+x1*x2' 'network.periods=[eps,1.3*eps]')

# table NAME TITLE PLACE...: of the runs below RUNS
table() {
  local name=$1 title=$2
  shift 2
  python scripts/stored.py runs "$RESULTS/$name.md" "$title" "${@/#/$RUNS/}"
}

gaps() {
  local reference=(hpms reference coupling=consistent) words=() average
  for average in box hat; do
    words+=("${reference[@]}" "coupling.average=$average" +experiment=osc1d --)
    words+=("${reference[@]}" "coupling.average=$average" +experiment=osc2d --)
    words+=("${reference[@]}" "coupling.average=$average" +experiment=osc2d "${tilted[@]}" "${smooth[@]}" --)
  done
  words+=("${reference[@]}" +experiment=osc1d problem.eps=0.01 --)
  words+=("${reference[@]}" +experiment=osc2d problem.eps=0.2 coarse.h=0.1 --)
  words+=("${reference[@]}" +experiment=osc2d "${tilted[@]}" "${smooth[@]}" upscaling=tensor --)
  words+=(hpms consistency +experiment=osc1d)
  python scripts/stored.py output "$RESULTS/gaps.md" "What the fine solution says of the couplings" "${words[@]}"
}

upscaling() {
  python scripts/stored.py output "$RESULTS/upscale.md" "The classical answers" \
    hpms upscale +experiment=osc2d -- hpms upscale +experiment=osc2d "${tilted[@]}"
  local runs=$RUNS
  RUNS=$runs/tensor sweep +experiment=osc2d_fast "${tilted[@]}" "${smooth[@]}" upscaling=tensor \
    training.iterations=60 seed=0,1,2
  RUNS=$runs/cells sweep +experiment=osc2d_fast "${aperiodic[@]}" "${smooth[@]}" upscaling=cells \
    'upscaling.cells=[4,4]' coupling=ball training.iterations=60 seed=0,1,2
  table upscaling_tensor "A tensor from both lifted problems" tensor/train
  table upscaling_cells "A tensor in each of sixteen cells" cells/train
}

fast() {
  RUNS=$RUNS/fast sweep +experiment=osc1d_fast problem.eps=1/15,1/30,0.01 seed=0,1,2,3,4
  RUNS=$RUNS/fast sweep +experiment=osc2d_fast seed=0,1,2,3,4
  table fast "Fast training" fast/train
}

media() {
  local formula
  for formula in 'exp(0.8*sin(2*pi*x1/eps)*cos(2*pi*x2/eps))' '2+1.6*sin(2*pi*(x1+x2)/eps)'; do
    RUNS=$RUNS/media sweep +experiment=osc2d_fast coefficient=expression 'coefficient.periods=[eps,eps]' \
      "coefficient.formula=$formula" seed=0,1,2,3,4
  done
  table media "Fast training on other media" media/train
}

small() {
  local program=(python scripts/benchmark/small_eps.py ${MHM:+--mhm "$MHM"} --output "$RUNS/small_eps")
  "${program[@]}" --problems osc2d locally layered2d --methods network --seeds 0 1 2 >/dev/null
  python scripts/stored.py output "$RESULTS/crossing.md" "Seconds to a certified energy error as ε → 0" "${program[@]}"
  cp "$RUNS/small_eps/small_eps.png" "$RESULTS/crossing.png"
}

certified() {
  local runs=$RUNS/certified place
  local -A media=([locally_periodic]='(1+x1*x2/2)*(2.5+sin(2*pi*x1/eps)*cos(2*pi*x2/eps)+0.8*sin(2*pi*(x1+x2)/eps))'
    [oblique]='2.5+1.5*sin(2*pi*(x1+x2)/eps)')
  RUNS=$runs/osc2d sweep +experiment=osc2d_small problem.eps=0.05,0.02,0.01,0.005 seed=0,1,2 \
    coupling=galerkin,consistent_small training.accuracy=0.02 reference=none
  RUNS=$runs/smaller sweep +experiment=osc2d_small problem.eps=0.002,0.001 training.accuracy=0.02 reference=none
  for place in "${!media[@]}"; do
    RUNS=$runs/$place sweep +method=small problem.dim=2 problem.eps=0.0125 source=osc2d coefficient=expression \
      "coefficient.formula='${media[$place]}'" seed=0,1,2
  done
  RUNS=$runs/discs sweep +method=small problem.dim=2 problem.eps=0.05 source=osc2d coefficient=inclusions
  RUNS=$runs/plate sweep +method=small problem=box problem.dim=2 problem.eps=0.0125 'problem.sides=[2,1]' \
    'problem.conditions={left:{dirichlet:0},right:{dirichlet:x2},all:{neumann:0}}' coefficient=osc2d source=constant
  python scripts/stored.py bounds "$RESULTS/certified.md" "Errors that are known without a reference" "$runs"
}

domains() {
  local common=(coefficient=osc2d source=constant source.constants.q=1 "output=$RUNS/domains")
  python scripts/stored.py output "$RESULTS/domains.md" "Domains that are no boxes" \
    hpms train problem=polygon "${common[@]}" +method=fast training.iterations=40 -- \
    hpms train problem=polygon problem.singular=false "${common[@]}" +method=fast training.iterations=40 -- \
    hpms train problem=polygon 'problem.vertices=[[0,0],[2,0],[2,1],[0,1]]' \
    'problem.holes=[{circle:[0.5,0.5,0.2]},{circle:[1.4,0.45,0.25]}]' \
    'problem.conditions={edge4:{dirichlet:0},edge2:{neumann:1},hole1:{dirichlet:1},all:{neumann:0}}' \
    "${common[@]}" +method=small training.iterations=60 reference.h=0.01 -- \
    hpms train problem=perforated coefficient=constant source=constant "output=$RUNS/domains" +method=fast \
    training.iterations=60 collocation.boundary_points=2000 reference.h=eps/12 -- \
    python examples/bracket.py
}

three_dimensions() {
  python scripts/stored.py output "$RESULTS/three_dimensions.md" "Fine solutions on tetrahedra" \
    python scripts/benchmark/three_dimensions.py --cells 25 --parts 4 -- \
    python scripts/benchmark/three_dimensions.py --cells 6 --parts 16
}

stiffness() {
  python scripts/stored.py output "$RESULTS/stiffness.md" "A stiffness from a network" \
    hpms train +experiment=hooke_strains reference.h=eps/24 "output=$RUNS/stiffness"
}

semilinear() {
  python scripts/stored.py output "$RESULTS/semilinear.md" "A reaction that is not linear" \
    hpms train +experiment=semilinear "output=$RUNS/semilinear"
}

chain() {
  local runs=$RUNS/chain which
  local swept=(problem.eps=0.2,0.1,0.05 seed=0,1,2 training.bound_points=0)
  local newton=(+experiment=osc1d_fast collocation.interior_points=500 training.iterations=30 training.log_every=1)
  local plane=(+experiment=osc2d_fast collocation.interior_points=1000 training.iterations=60 training.log_every=1)
  local adam=(+experiment=osc1d network=ms_pinn_light coupling=none optimizer.learning_rate=1e-3
    collocation.interior_points=1000 training.iterations=6000)
  for which in false true; do
    RUNS=$runs/newton sweep "${newton[@]}" "${swept[@]}" "chain=$which"
    RUNS=$runs/plane sweep "${plane[@]}" "${swept[@]}" "chain=$which"
    RUNS=$runs/adam sweep "${adam[@]}" "${swept[@]}" "chain=$which"
  done
  python scripts/stored.py output "$RESULTS/chain.md" "Starts from a neighbour, and cold ones" \
    python scripts/evidence/chain.py 8e-3 "$runs/newton" -- \
    python scripts/evidence/chain.py 8e-3 "$runs/plane" -- python scripts/evidence/chain.py 0.1 "$runs/adam"
}

osc1d() {
  RUNS=$RUNS/osc1d sweep +experiment=osc1d training.iterations=20000 coupling=ball,consistent,none seed=0,1,2
  table osc1d_20000 "The paper's 1-D example, 20,000 steps" osc1d/train
}

speed() {
  python scripts/stored.py output "$RESULTS/speed.md" "Speed of a step" \
    python scripts/benchmark/step.py --rounds 9 -- python scripts/benchmark/least_squares.py --rounds 15 -- \
    python scripts/benchmark/startup.py --rounds 2 -- python scripts/benchmark/devices.py --points 10000 --rounds 7
}

fbpinn() {
  python scripts/stored.py output "$RESULTS/fbpinn.md" "Subdomains" python scripts/benchmark/subdomains.py -- \
    python scripts/couplings/subdomains.py --output "$RUNS/subdomains"
}

for part in "${parts[@]}"; do "$part"; done
python scripts/stored.py copy README.md docs/*.md docs/results/*.md
