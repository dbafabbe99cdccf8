"""A run without a fine solution: no errors, and the network's fields all the same."""

from pathlib import Path

import h5py
import numpy as np
import pytest


@pytest.fixture
def run(hpms, tiny):
    few = [each for each in tiny if not each.startswith("reference.")]

    def trained(*more):
        result = hpms("train", *few, "reference=none", *more)
        assert result.code == 0, result.err
        return Path(result.last_line)

    return trained


def test_no_errors_are_logged_and_the_fields_are_those_of_the_network(run, hpms):
    path = run()
    with h5py.File(path) as file:
        assert not [name for name in file["metrics"] if name.startswith("relative")]
        assert not [name for name in file["summary"].attrs if name.startswith(("relative", "fem", "reference"))]
        network = {"points", "weights", "value", "gradient", "w", "flux", "nodes", "averages", "coarse_state"}
        assert set(file["fields"]) == network
        value, iteration = np.asarray(file["fields/value"]), int(file["summary"].attrs["iteration"])
    folder = str(path.parent)
    listed = hpms("list", folder)
    assert listed.code == 0 and listed.out.split()[-5:-3] == ["-", "-"] and f" {iteration} " in listed.out
    assert "nan" not in hpms("table", folder).out
    assert hpms("plot", folder, "--format", "png,vtu").code == 0
    assert hpms("report", folder).code == 0
    again = hpms("evaluate", f"run={folder}")
    assert again.code == 0, again.err
    with h5py.File(again.last_line) as file:
        np.testing.assert_array_equal(file["fields/value"], value)


def test_evaluated_against_one_later_it_has_the_errors_of_a_run_that_had_it(run, hpms, tiny):
    given = [each for each in tiny if each.startswith("reference.")] + ["reference.method=p1"]
    result = hpms("evaluate", f"run={run().parent}", *given)
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as found, h5py.File(hpms("train", *tiny, *given[1:]).last_line) as expected:
        for name in ("relative_l2", "relative_h1", "fem_relative_l2"):
            assert found["summary"].attrs[name] == pytest.approx(expected["summary"].attrs[name], rel=1e-5), name
        np.testing.assert_array_equal(found["fields/reference_value"], expected["fields/reference_value"])


@pytest.mark.parametrize("verb", ["reference", "consistency"])
def test_what_is_about_a_fine_solution_needs_one(hpms, tiny, verb):
    few = [each for each in tiny if not each.startswith(("reference.", "training."))]
    code, _, err = hpms(verb, *few, "reference=none")
    assert code == 1 and "reference=none is not allowed" in err and err.count("\n") == 1
