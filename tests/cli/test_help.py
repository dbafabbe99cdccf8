import re
import subprocess
import sys

import pytest

from hpms.cli.main import READERS, VERBS, typed


def test_hpms_alone_lists_the_verbs(hpms):
    code, out, _ = hpms()
    assert code == 0
    assert all(f"\n  {verb} " in out for verb in [*VERBS, *READERS])


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_two_examples(hpms, verb):
    code, out, _ = hpms(verb, "--help")
    assert code == 0
    assert len(re.findall(rf"^ +hpms {verb} ", out.split("== Examples ==")[1], re.MULTILINE)) == 2


@pytest.mark.parametrize("verb", READERS)
def test_help_of_what_reads_runs_has_two_examples(hpms, verb):
    code, out, _ = hpms(verb, "--help")
    assert code == 0
    assert len(re.findall(rf"^ +hpms {verb} ", out.split("examples:")[1], re.MULTILINE)) == 2


def test_help_explains_every_group(hpms):
    _, out, _ = hpms("train", "--help")
    listed = re.findall(r"^(\w+): \w", out.split("== Keys")[0], re.MULTILINE)
    assert {"problem", "network", "coupling", "experiment"} <= set(listed)
    assert all(re.search(rf"^  {group} +\S", out, re.MULTILINE) for group in listed)


def test_nothing_heavy_is_imported_before_a_command_runs():
    code = "import sys, hpms, hpms.cli.main; print([m for m in ('jax', 'hydra', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_python_dash_m():
    out = subprocess.run([sys.executable, "-m", "hpms", "--version"], capture_output=True, text=True).stdout
    assert re.fullmatch(r"hpms \d+\.\d+\.\d+(\.dev\d+)?\n", out)


def test_completion_knows_verbs_groups_and_options(hpms, monkeypatch):
    def complete(line):
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line)))
        return hpms("-sc", "query=bash").out.split()

    assert complete("hpms tr") == [*VERBS, *READERS]
    assert "network=mlp" in complete("hpms train network=m")
    assert "+experiment=osc1d" in complete("hpms train +experiment=o")
    assert "+method=fast" in complete("hpms train +method=f")
    assert "problem.eps=" in complete("hpms train problem.e")


@pytest.mark.parametrize(
    ("argument", "read"),
    [
        ("coefficient.formula=2+sin(x1)", "coefficient.formula='2+sin(x1)'"),
        ("coefficient.formula='2+sin(x1)'", "coefficient.formula='2+sin(x1)'"),
        ("run=outputs/seed=0", "run='outputs/seed=0'"),
        ("coefficient.path=data/seed=3.png", "coefficient.path='data/seed=3.png'"),
        ("x.y=where(a<=1,2,3)", "x.y=where(a<=1,2,3)"),
        ("problem.eps=1/15,0.01", "problem.eps=1/15,0.01"),
        ("run_dir=null", "run_dir=null"),
        ("-m", "-m"),
        ("+method=fast", "method=fast"),
        ("coefficient.constants.a=1,2", "++coefficient.constants.a=1,2"),
        ("source.constants={a:1}", "++source.constants={a:1}"),
        ("+source.constants.a=1", "+source.constants.a=1"),
    ],
)
def test_formulas_and_paths_are_quoted_for_hydra(argument, read):
    assert typed(argument) == read
