"""Any text for any key is a configuration or one sentence."""

import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hpms import runs
from hpms.cli.compose import composed
from hpms.cli.hydra_errors import _flatten
from hpms.errors import UserError

KEYS = sorted(_flatten(composed("train", resolve=False), ""))
ODD = ["", "null", "[]", "{}", "[1,2]", "{a:1}", "???", "${seed}", "${nothing}", "1/0", "9**9**9", "nan", "inf", "true"]
ODD += ["'", '"', "a=b", "x,y", "[[[", "\\", "~/x", "../x", "$(id)", "eps", "1e"]
VALUES = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,5})?(e-?[0-9]{1,4})?", fullmatch=True),
    st.sampled_from(ODD),
)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "examples", [15, pytest.param(int(os.environ.get("HPMS_EXAMPLES", 1000)), marks=pytest.mark.slow)]
)
def test_any_text_for_any_key(hpms, tmp_path, monkeypatch, examples):
    def read(*arguments):
        raise UserError("this is a configuration.")

    monkeypatch.setattr(runs, "fine_problem", read)

    @settings(
        max_examples=examples,
        deadline=10_000,
        derandomize=examples < 100,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @example("balancing", "\x1e\r\x85")  # line breaks in what cannot be read
    @given(st.sampled_from(KEYS), VALUES)
    def check(key, value):
        code, _, err = hpms("train", f"{key}={value}")
        assert code in (1, 2) and "Traceback" not in err and err.strip()
        assert len(err.strip().splitlines()) <= 3 and len(err) < 3000

    hpms("train", "seed=-1")  # imports what it needs
    check()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]  # a folder may be that of compilation_cache
