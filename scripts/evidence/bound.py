"""The bound of the energy error of a stored run, computed anew.

python scripts/evidence/bound.py RUN [RUN ...]
"""

import sys

import hpms


def main() -> None:
    for place in sys.argv[1:]:
        solution = hpms.load(place)
        found = solution.error_bound
        kind = "bound" if found.is_bound else f"estimate ({found.lacks})"
        print(f"{kind} of the relative energy error at iteration {solution.iteration}: {found.relative:.3e}")
        print(f"  oscillation {found.oscillation:.3e}, carried by the flux {found.carried:.3e}, norm {found.norm:.3e}")
        print(f"  {found.points:,} points, {found.seconds:.0f} s")


if __name__ == "__main__":
    main()
