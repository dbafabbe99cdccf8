import re
from pathlib import Path

import pytest

from hpms.commands import plot_coefficient
from hpms.errors import UserError

EPS = ("problem.eps=0.25", "collocation.interior_points=50")
PLANE = ("problem.dim=2", *EPS)


@pytest.fixture
def undrawn(monkeypatch):
    """What would be drawn."""
    views = []
    monkeypatch.setattr(plot_coefficient, "plot_medium", lambda view, folder: views.append(view) or [folder / "a.png"])
    return views


def row(text, name):
    """The last column of a row of the table."""
    (found,) = re.findall(rf"^ *{re.escape(name)}  +(.*)$", text, re.MULTILINE)
    return found


def test_a_medium_is_drawn_and_described(hpms):
    result = hpms("plot", "coefficient", "+experiment=osc1d", *EPS)
    assert result.code == 0 and not result.err
    path = Path(result.last_line)
    assert path.parts[:3] == ("outputs", "plot", "coefficient") and path.name == "coefficient.png"
    assert path.read_bytes().startswith(b"\x89PNG") and path.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    assert float(row(result.out, "contrast")) == pytest.approx(3, rel=1e-3)  # 2 + sin
    assert row(result.out, "arithmetic mean of K") == "2" and row(result.out, "harmonic mean of K") == "1.7321"  # √3
    assert row(result.out, "features in Ω") == "4" and row(result.out, "per feature, on average") == "12.5"


def test_materials_have_shares_and_a_box_its_sides(hpms, undrawn):
    formula = "coefficient.formula=where(x1<0.5,100,1)"
    box = ("problem=box", "problem.sides=[2,1]", "problem.conditions={all:{dirichlet:0}}")
    out = hpms("plot", "coefficient", *PLANE, *box, "coefficient=expression", formula).out
    assert float(row(out, "share of Ω where K = 100")) == pytest.approx(0.25, abs=1e-3)
    assert float(row(out, "share of Ω where K = 1")) == pytest.approx(0.75, abs=1e-3)
    assert float(row(out, "arithmetic mean of K")) == pytest.approx(25.75, rel=1e-3)
    assert row(out, "features in Ω") == "32" and "none given" in row(out, "periods")
    (view,) = undrawn
    assert (*view.low, *view.high) == (0.875, 0.375, 1.125, 0.625)
    assert ((view.points >= view.low) & (view.points <= view.high)).all()
    assert len(view.points) == int(row(out, "in the feature that is drawn"))


def test_a_tensor_has_eigenvalues_and_matrices(hpms):
    result = hpms("plot", "coefficient", *PLANE, "coefficient=tensor", "coefficient.entries={k11:2,k12:1,k22:2}")
    assert result.code == 0
    assert (row(result.out, "least eigenvalue"), row(result.out, "largest eigenvalue")) == ("1", "3")
    assert row(result.out, "harmonic mean of K") == "[2, 1; 1, 2]"


def test_a_feature_without_points_is_drawn_as_well(hpms, recwarn):
    result = hpms("plot", "coefficient", "problem.eps=1e-3", "collocation.interior_points=10")
    assert result.code == 0 and row(result.out, "in the feature that is drawn") == "0"
    assert not [each for each in recwarn if "layout" in str(each.message)]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["coefficient.formla=1"], "'coefficient.formla' is not a key"),
        (["--eps=1"], "--eps=1 is not a flag: write eps=1."),
        (["coefficient=expression", "coefficient.formula=x1-0.5"], ""),
    ],
)
def test_a_mistake_is_one_sentence(hpms, arguments, sentence):
    code, out, err = hpms("plot", "coefficient", *EPS, *arguments)
    assert code == 1 and not out
    assert err.startswith(f"hpms plot coefficient: {sentence}") and len(err.splitlines()) == 1


def test_help_has_two_examples(hpms):
    code, out, _ = hpms("plot", "coefficient", "--help")
    assert (
        code == 0 and len(re.findall(r"^ +hpms plot coefficient ", out.split("== Examples ==")[1], re.MULTILINE)) == 2
    )
    assert "hpms plot coefficient" in hpms("plot", "--help").out


def test_a_folder_of_that_name_is_a_place_with_runs(hpms):
    Path("coefficient").mkdir()
    assert hpms("plot", "coefficient").err.startswith("hpms plot: coefficient: there are no runs")


def test_without_matplotlib_it_is_refused_at_once(hpms, monkeypatch):
    def missing():
        raise UserError("figures need Matplotlib.")

    monkeypatch.setattr(plot_coefficient, "require_matplotlib", missing)
    assert hpms("plot", "coefficient").err == "hpms plot coefficient: figures need Matplotlib.\n"
