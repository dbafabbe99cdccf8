#!/usr/bin/env bash
# The package as a user meets it: builds sdist and wheel of what is tracked here, looks what is in them, installs the wheel
# into an empty environment, and trains, plots and reports there in an empty folder.
#   scripts/wheel.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK=1 LC_ALL=C.UTF-8

python3 -m venv "$scratch/build"
"$scratch/build/bin/pip" install -q build hatchling
build=("$scratch/build/bin/python" -m build --no-isolation --outdir)
"${build[@]}" "$scratch/dist" . # the wheel from the sdist
"${build[@]}" "$scratch/tree" --wheel .
sdist=$(ls "$scratch"/dist/*.tar.gz) wheel=$(ls "$scratch"/dist/*.whl)
cmp "$wheel" "$scratch/tree/$(basename "$wheel")"
diff <(git ls-files hpms conf | sed 's,^conf/,hpms/conf/,' | sort) \
  <(python3 -c 'import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep="\n")' "$wheel" |
    grep -v '^hpms-[^/]*\.dist-info/' | sort)
diff <(git ls-files hpms conf docs .gitignore README.md CHANGELOG.md CITATION.cff pyproject.toml | sort) \
  <(tar -tzf "$sdist" | cut -d/ -f2- | grep -vx PKG-INFO | sort)

python3 -m venv "$scratch/env"
. "$scratch/env/bin/activate"
pip install -q "$wheel[plot]"
mkdir "$scratch/empty"
cd "$scratch/empty"
python - <<'END'
from importlib.resources import files
from importlib.util import find_spec

assert files("hpms").joinpath("py.typed").is_file()
assert not [name for name in ("conf", "docs", "scripts", "tests") if find_spec(name)]
END
tiny=(+experiment=osc1d training.iterations=20 training.bound_points=0)
hpms train "${tiny[@]}"
run=$(dirname outputs/train/osc1d/*/seed=0/run.h5)
hpms list outputs
hpms plot "$run" --format pdf,vtu
hpms report outputs/train --output report.html
ls "$run"/{run.h5,metrics.jsonl,figure.pdf,fields.vtu} report.html
code=0
hpms train "${tiny[@]}" network.width=-1 || code=$?
[ "$code" = 1 ]
