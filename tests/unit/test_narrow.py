import pytest

from hpms.results.narrow import WIDTH, narrow
from hpms.results.table import width

HEADER = ["experiment", "coupling", "problem.eps", "coefficient.formula", "status", "run"]
FORMULA = "2.5+sin(2*pi*x1/eps)*sin(2*pi*x2/eps)+0.7*sin(2*pi*(x1+x2)/eps)+0.1*cos(2*pi*x1/eps)"


def rows(**changes):
    first = {"coupling": "ball", "eps": "0.1", "formula": "2", "run": "outputs/a"}
    second = {"coupling": "none", "eps": "0.1", "formula": FORMULA, "run": "outputs/b"} | changes
    return [["osc2d", v["coupling"], v["eps"], v["formula"], "finished", v["run"]] for v in (first, second)]


def test_what_agrees_in_all_rows_is_said_once():
    found = narrow(HEADER, rows(formula="3"), 4).splitlines()
    assert found[:2] == ["all: experiment=osc2d, problem.eps=0.1", ""]
    assert found[2].split() == ["coupling", "coefficient.formula", "status", "run"]
    one = narrow(HEADER, rows()[:1], 4).splitlines()
    assert one[0].startswith("all: experiment=osc2d, coupling=ball") and one[2].split() == ["status", "run"]


@pytest.mark.parametrize("run", ["outputs/b", "outputs/" + "b" * 90])
def test_a_wide_table_is_cut_in_the_middle(run):
    found = narrow(HEADER, rows(run=run), 4)
    assert max(width(line) for line in found.splitlines()) <= WIDTH
    assert "2.5+" in found and "…" in found and "finished" in found and found.endswith("b")
    assert "--wide" not in found


def test_what_does_not_fit_is_left_out_and_named():
    header = [*(f"group.key{i}" for i in range(20)), "status"]
    found = narrow(header, [[f"{i}{row}" for i in range(20)] + ["finished"] for row in range(2)], 20)
    assert max(width(line) for line in found.splitlines()[:-1]) <= WIDTH
    assert found.splitlines()[-1] == "without " + ", ".join(f"key{i}" for i in range(14, 20)) + ": --wide has all"
