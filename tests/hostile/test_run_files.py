"""Run files of strangers: what is wrong with one is one sentence, and nothing happens outside of `output`."""

import os
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from hpms.errors import UserError
from hpms.figures.record import record
from hpms.results.collection import Run
from hpms.results.formats import FORMATS
from hpms.results.run import StoredRun
from hpms.results.run_list import long_list, run_list
from hpms.results.summary_table import long_table, summary_table
from tests.cli.conftest import with_perceptron
from tests.stored import edited

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def replaced(path, value):
    def change(file):
        del file[path]
        file[path] = value

    return change


def text(old, new):
    def change(file):
        found = file["config"][()].decode()
        assert old in found
        replaced("config", found.replace(old, new, 1))(file)

    return change


def retyped(path, kind):
    return lambda file: replaced(path, file[path][()].astype(kind))(file)


def attribute(path, name, value):
    return lambda file: file[path].attrs.__setitem__(name, value)


def removed(path):
    return lambda file: file.__delitem__(path)


CHANGES = {
    "config is a list": replaced("config", "[1, 2]"),
    "config is a number": replaced("config", "3"),
    "config is empty": replaced("config", ""),
    "config is an array": replaced("config", np.arange(3)),
    "config is a bomb": replaced("config", BOMB),
    "config is nested deeply": replaced("config", "[" * 50_000),
    "an option is a bomb": text("name: ms_pinn", f"name: {'[' * 90}{']' * 90}"),
    "a group is missing": text("network:", "netwerk:"),
    "the seed is text": text("seed: 0", "seed: zero"),
    "four dimensions": text("dim: 1", "dim: 4"),
    "a network of a petabyte": text("width: 8", "width: 10000000"),
    "no checkpoint": removed("checkpoint"),
    "no latest checkpoint": removed("checkpoint/latest"),
    "no coarse record": removed("coarse"),
    "no summary": removed("summary"),
    "no points": removed("points/interior"),
    "points of another dimension": replaced("points/interior", np.zeros((5, 2))),
    "points that are references": lambda file: file["points"].create_dataset("x", (3,), h5py.ref_dtype),
    "points that are not there": replaced("points/interior", np.full((200, 1), np.nan)),
    "no status": lambda file: file["summary"].attrs.__delitem__("status"),
    "a status of one's own": attribute("summary", "status", "excellent"),
    "iteration -5": replaced("checkpoint/latest/iteration", np.int32(-5)),
    "a best iteration that was never logged": replaced("checkpoint/best/iteration", np.int32(7)),
    "parameters that are not finite": lambda file: file["checkpoint/best/theta"].__setitem__(3, np.nan),
    "a best residual that is no number": attribute("checkpoint/best", "residual", np.nan),
    "fewer parameters": replaced("checkpoint/best/theta", np.zeros(3, np.float32)),
    "columns of different lengths": replaced("metrics/loss", np.zeros(2)),
    "iterations that fall": replaced("metrics/iteration", np.arange(5)[::-1]),
    "a place elsewhere": attribute("/", "experiment", "../../x"),
    "an absolute place": attribute("/", "experiment", "/tmp/x"),
    "an identity elsewhere": attribute("/", "identity", "../x"),
    "a link into another file": replaced("points/interior", h5py.ExternalLink("other.h5", "/x")),
    "a link within": replaced("points/interior", h5py.SoftLink("/points/boundary")),
    "a circle": lambda file: file["points"].__setitem__("self", file["points"]),
    "an array larger than the file": lambda file: file["fields"].create_dataset("x", (10**9,), "f8", chunks=(10,)),
    "arrays larger than the file together": lambda file: [
        file["network"].create_dataset(f"x{i}", (1000,), "f8", chunks=(10,)) for i in range(20)
    ],
    "texts for numbers": replaced("points/interior", np.full((200, 1), "x" * 100, object)),
    "points of another precision": retyped("points/interior", "g"),
    "an integer of twenty thousand digits": text("interval: 10", f"interval: 0x{'f' * 20000}"),
    "a length of four hundred digits": text("eps: 0.25", f"eps: {'9' * 400}"),
    "a finished run without its best iteration": removed("checkpoint/best"),
    "a reason of twelve thousand characters": attribute("summary", "reason", "x" * 12_000),
    "values in another file": lambda file: file["fields"].create_dataset(
        "x", (10,), "f8", external=[("/etc/passwd", 0, 80)]
    ),
}


OTHER_NETWORKS = {
    "no untrained arrays": removed("network/0"),
    "untrained arrays of another shape": replaced("network/0", np.zeros((2, 7), np.float32)),
    "more scales than arrays": text("scales:\n", "scales:\n  - 1.0\n"),
    "parameters of another precision": retyped("checkpoint/best/theta", "f8"),
}


@pytest.mark.parametrize("change", OTHER_NETWORKS.values(), ids=OTHER_NETWORKS)
def test_a_network_that_is_not_that_of_its_configuration_is_one_sentence(hpms, stored, change):
    with edited(stored / "run.h5") as file:
        change(file)
    code, out, err = hpms("evaluate", "run=run")
    assert code == 1 and err.startswith("hpms evaluate: ") and err.count("\n") == 1 and not out


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_not_a_run_is_one_sentence(hpms, stored, change):
    with edited(stored / "run.h5") as file:
        change(file)
    before = sorted(Path().rglob("*"))
    code, out, err = hpms("evaluate", "run=run")
    assert code == 1 and err.startswith("hpms evaluate: ") and err.count("\n") == 1 and not out
    assert len(err) < 400
    assert hpms("table", "run").code == 1 or "GB of memory" in err
    assert sorted(Path().rglob("*")) == before


def test_a_run_file_does_not_choose_where_references_are_kept(hpms, stored):
    with edited(stored / "run.h5") as file:
        found = file["config"][()].decode()
        replaced("config", re.sub("cache: .*", "cache: chosen/by/the/file", found))(file)
        for name in list(file["fields"]):
            del file["fields"][name]
    assert hpms("plot", "run", "--format", "png").code == 0
    assert not Path("chosen").exists()


@pytest.mark.parametrize(
    "line",
    ['{"iteration": [1]}', '{"iteration": 1, "loss": [1]}', f'{{"iteration": {"9" * 400}}}', "[]", '{"iteration": 0'],
)
def test_a_log_of_a_stranger_is_read_up_to_what_is_no_row(stored, line):
    expected, log = StoredRun(stored).history(), stored / "metrics.jsonl"
    rows = log.read_text().splitlines()
    for begun in (rows, []):
        log.write_text("\n".join([*begun, *[line] * 20]) + "\n")
        found = StoredRun(stored).history()
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], column, equal_nan=True) for name, column in expected.items())


def test_a_file_that_could_not_be_read_replaces_none(stored, hpms, tiny, monkeypatch):
    short = (*tiny, "training.wall_limit=1e-9", "run_dir=other")
    assert hpms("train", *short).code == 0
    before = Path("other/run.h5").read_bytes()
    monkeypatch.setattr("hpms.results.run.summary", lambda *arguments: {"status": "excellent"})
    result = hpms("train", *short)
    assert result.code == 1 and "stays as it is" in result.err
    assert Path("other/run.h5").read_bytes() == before


@pytest.mark.thorough
@pytest.mark.parametrize("optimizer", ["lbfgs", "ssbroyden", "adam_then_lbfgs"])
def test_a_line_search_that_has_not_begun_is_a_checkpoint(hpms, tiny, optimizer):
    plain = (each for each in tiny if not each.startswith(("coupling.", "balancing.")))
    command = ("train", *with_perceptron(plain), "coupling=none", "balancing=none", f"optimizer={optimizer}")
    result = hpms(*command, "training.wall_limit=1e-9")
    assert result.code == 0, result.err
    assert StoredRun(Path(result.last_line).parent).status == "interrupted"
    assert hpms(*command, "training.wall_limit=1e-9").code == 0


def test_every_flipped_bit_is_noticed(stored):
    path = stored / "run.h5"
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for place in [0, 5, 13, 100, 511, 512, *random.integers(0, len(whole), 40)]:
        data = bytearray(whole)
        data[place] ^= 1 << int(random.integers(8))
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"run\.h5"):
            StoredRun(stored)
    for length in (0, 8, 600, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"run\.h5"):
            StoredRun(stored)
    path.write_bytes(whole)
    assert StoredRun(stored).status == "finished"


def test_a_file_without_a_seal_is_read_as_before(hpms, stored):
    path = stored / "run.h5"
    path.write_bytes(path.read_bytes()[512:])
    assert hpms("table", "run").code == 0


def test_a_pipe_is_not_waited_for(hpms, tiny, stored):
    for name in ("run.h5", "metrics.jsonl", ".lock"):
        place = Path("pipes", name, "run.h5")
        shutil.copytree(stored, place.parent)
        (place.parent / name).unlink(missing_ok=True)
        os.mkfifo(place.parent / name)
    assert "not a plain file" in hpms("evaluate", "run=pipes/run.h5").err
    assert "not a plain file" in hpms("plot", "pipes/metrics.jsonl", "--format", "png").err
    result = hpms("train", *tiny, "training.iterations=21", "run_dir=pipes/.lock")
    assert result.code == 1 and "Traceback" not in result.err


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_leaf_may_be_missing_or_of_another_type(stored, every):
    """A reader has a sentence or does its work, whatever one leaf of the file is."""
    path, whole, leaves = stored / "run.h5", (stored / "run.h5").read_bytes(), []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: leaves.append((name, None)))
        file.visititems(lambda name, item: leaves.extend((name, key) for key in item.attrs))
        leaves.extend(("/", key) for key in file.attrs)
    values = (None, "text", np.float64(np.nan), np.arange(6.0).reshape(2, 3), np.int64(-1))
    for i, (name, key) in enumerate(leaves if every else leaves[::3]):
        for value in values if every else values[i % 5 : i % 5 + 1]:
            path.write_bytes(whole)
            with edited(path) as file:
                place = file if key is None else file[name].attrs
                del place[key or name]
                if value is not None:
                    place[key or name] = value
            read(stored)


def read(directory):
    """What list, table and plot do with a run before they draw it."""
    try:
        run = Run(StoredRun(directory))
    except UserError:
        return
    for make in (run_list, long_list, summary_table, long_table):
        for written in FORMATS.values():
            written(*make([run]))
    found = record(run.stored)
    assert found.iterations.size == found.seconds.size and found.terms is not None and found.coarse is not None
