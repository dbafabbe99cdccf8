"""`hpms report`: the page of a set of runs."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.stored import edited

EVIL = "<script>alert('1')</script>"
VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """The tags, and the text of every cell; fails where an element is closed that is not the innermost open one."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.targets = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.targets += [value for name, value in attrs if name in ("src", "href", "data", "action")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


@pytest.fixture
def runs(trained_once):
    """Two seeds without a coupling, one of them broken off with a reason, and one run with a hybrid coupling."""
    return trained_once(train)


def train(hpms, tiny):
    few = [key for key in tiny if not key.startswith("coupling.")]
    assert hpms("train", "-m", *few, "coupling=none", "seed=0,1").code == 0
    assert hpms("train", *few, "coupling=hybrid").code == 0
    folder = Path("outputs/train/osc1d")
    (path,) = [p for p in folder.rglob("run.h5") if p.parent.name == "seed=1"]
    with edited(path) as file:
        file["summary"].attrs.update({"status": "nan", "reason": f"the residual is not finite {EVIL}"})
        values = yaml.safe_load(file["config"][()].decode())
        values["source"]["formula"] = EVIL
        del file["config"]
        file["config"] = yaml.safe_dump(values, sort_keys=False)
        file["provenance/0"].attrs["command"] = f"'hpms train' {EVIL}"
    (folder / "broken").mkdir()
    (folder / "broken/run.h5").write_bytes(b"not HDF5")


def test_the_page_has_tables_figures_and_failures_and_nothing_that_runs(hpms, runs, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, err = hpms("report", str(runs), "--by", "coupling,network")
    assert code == 0 and out.splitlines()[-1] == str(runs / "report.html")
    assert "broken/run.h5 cannot be read as a run" in err
    text = (runs / "report.html").read_text()
    page = Page(text)
    assert "script" not in page.tags and EVIL not in text and "&lt;script&gt;" in text
    assert all(target.startswith(("#", "data:image/png;base64,iVBOR")) for target in page.targets)
    assert not re.search(r"@import|url\(", text)
    _, table, _ = hpms("table", str(runs), "--by", "coupling,network")
    for line in table.splitlines()[2:]:
        assert [*filter(None, re.split(r"\s{2,}", line))][2] in page.cells
    assert any(cell.startswith(f"the residual is not finite {EVIL} (after ") for cell in page.cells)
    assert any("broken/run.h5 cannot be read as a run" in cell for cell in page.cells)
    assert {"finished, trapped", "nan", "fine FEM", "reference", "source.formula", "environment 1"} <= set(page.cells)
    assert f"hpms train {EVIL}".replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;") in text
    # A name that Matplotlib cannot set costs the figures it stands in, not the page.
    assert page.tags.count("img") + text.count("This figure could not be drawn") == 3


@pytest.mark.usefixtures("finished")
def test_one_run_has_two_figures(hpms, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, _ = hpms("report", "outputs/train", "--output", "page.html")
    assert code == 0 and out == "page.html\n"
    text = (tmp_path / "page.html").read_text()
    assert Page(text).tags.count("img") == 2 and "What failed" in text
    assert "all runs have the same configuration" in text


def test_without_matplotlib_the_page_says_so(hpms, runs, monkeypatch):
    find = sys.modules["importlib.util"].find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *a: None if name == "matplotlib" else find(name, *a))
    assert hpms("report", str(runs)).code == 0
    text = (runs / "report.html").read_text()
    assert Page(text).tags.count("img") == 0 and text.count("figures need Matplotlib") == 1


def test_what_is_wrong_is_one_sentence(hpms, runs, tmp_path):
    _, _, err = hpms("report", "nowhere")
    assert err == "hpms report: nowhere: there are no runs, no folder with a run.h5 in it.\n"
    code, _, err = hpms("report", str(runs), "--output", "no/page.html")
    assert code == 1 and err == "hpms report: --output no/page.html: there is no folder no.\n"
    _, _, err = hpms("report", str(runs), "--output", "outputs")
    assert err == "hpms report: --output outputs: this is a folder, name a file such as outputs/report.html.\n"
    code, _, err = hpms("report", str(runs), "--by", "netwrok")
    assert code == 1 and "--by=netwrok is not allowed" in err and "Did you mean 'network'" in err
