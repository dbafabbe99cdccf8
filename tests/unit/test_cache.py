"""Cache files: whole, or recomputed."""

import threading

import h5py
import numpy as np
import pytest

from hpms.errors import UserError
from hpms.fem.fine import cache
from hpms.fem.fine.baseline import baseline
from hpms.fem.fine.method import choose
from hpms.fem.fine.reference import reference
from hpms.machine import files

ARRAYS = {"a": np.arange(3000.0), "b": np.asarray(2)}


def source(x):
    return np.ones(len(x))


class Counted:
    """K, and how often it was asked for."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return 2 + np.sin(2 * np.pi * x[:, 0] / 0.2)


def find(path, coefficient, delta=0.2, dim=2, method="auto", h=1 / 20, key="abc"):
    return reference(dim, 0.2, coefficient, source, method=method, h=h, delta=delta, cache_dir=path, key=key)


def damage_flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "one bit": damage_flip,
    "foreign": lambda content: b"not an HDF5 file at all",
}


def test_what_is_saved_is_loaded(tmp_path):
    cache.save(tmp_path / "new" / "x.h5", "key", ARRAYS)
    loaded = cache.load(tmp_path / "new" / "x.h5", "key", ARRAYS)
    assert loaded.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["x.h5"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_not_loaded(damage, tmp_path):
    path = tmp_path / "x.h5"
    cache.save(path, "key", ARRAYS)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert cache.load(path, "key", ARRAYS) is None


def test_other_peoples_files_are_not_loaded(tmp_path):
    path = tmp_path / "x.h5"
    assert cache.load(path, "key", ARRAYS) is None
    assert cache.load(tmp_path, "key", ARRAYS) is None
    cache.save(path, "key", ARRAYS)
    assert cache.load(path, "other key", ARRAYS) is None
    assert cache.load(path, "key", ["a"]) is None
    assert cache.load(path, "key", ["a", "b", "c"]) is None
    with h5py.File(path, "w") as file:
        file["a"], file["b"] = ARRAYS["a"], 2
    assert cache.load(path, "key", ARRAYS) is None


def test_a_writer_that_dies_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.h5"
    cache.save(path, "key", ARRAYS)

    def die(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        cache.save(path, "key", {"a": np.zeros(9), "b": np.asarray(3)})
    assert cache.load(path, "key", ARRAYS)["b"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["x.h5"]


def test_readers_never_see_half_a_file(tmp_path):
    path, failures = tmp_path / "x.h5", []
    cache.save(path, "key", ARRAYS)

    def write(value):
        for _ in range(15):
            cache.save(path, "key", {"a": np.full(20_000, value), "b": np.asarray(value)})

    def read():
        for _ in range(60):
            loaded = cache.load(path, "key", ARRAYS)
            if loaded is None or (len(loaded["a"]) == 20_000 and (loaded["a"] != loaded["b"]).any()):
                failures.append(loaded)

    threads = [threading.Thread(target=write, args=(v,)) for v in (1, 2, 3)] + [threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [p.name for p in tmp_path.iterdir()] == ["x.h5"]


def test_a_directory_that_cannot_be_written_costs_a_warning_only(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    cache.save(tmp_path / "file" / "x.h5", "key", ARRAYS)
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize(("dim", "method"), [(1, "auto"), (1, "p2"), (2, "auto"), (2, "p1")])
def test_the_second_reference_comes_from_the_file(dim, method, tmp_path):
    first = find(tmp_path, Counted(), dim=dim, method=method)
    coefficient = Counted()
    second = find(tmp_path, coefficient, dim=dim, method=method)
    assert coefficient.calls == 0 and second.cached and not first.cached
    points = np.random.default_rng(0).random((50, dim))
    for ours, theirs in zip(second.evaluate(points), first.evaluate(points), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(second.coarse.values(points), first.coarse.values(points))
    for name in ("norm_l2", "norm_h1", "coarse_norm_l2", "interior_gap", "frame_gap", "solve_seconds", "unknowns", "h"):
        assert getattr(second, name) == getattr(first, name)
    np.testing.assert_array_equal(second.upscaled_coefficient, first.upscaled_coefficient)
    assert second.method == first.method == ({1: "exact", 2: "p2"}[dim] if method == "auto" else method)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_reference_is_computed_again_and_mended(damage, tmp_path):
    first, path = find(tmp_path, Counted()), tmp_path / "abc.h5"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    coefficient = Counted()
    second = find(tmp_path, coefficient)
    assert coefficient.calls > 0 and not second.cached
    assert second.norm_l2 == first.norm_l2
    assert find(tmp_path, Counted()).cached


def test_another_mesh_or_method_is_another_reference(tmp_path):
    find(tmp_path, Counted())
    assert not find(tmp_path, Counted(), h=1 / 24).cached
    assert not find(tmp_path, Counted(), method="p1").cached
    assert not find(tmp_path, Counted(), key="def").cached


def test_another_delta_needs_no_new_solution(tmp_path):
    first, coefficient = find(tmp_path, Counted()), Counted()
    second = find(tmp_path, coefficient, delta=0.4)
    assert coefficient.calls == 0 and second.delta == 0.4
    assert second.consistency_gap != first.consistency_gap
    assert find(tmp_path / "fresh", Counted(), delta=0.4).consistency_gap == second.consistency_gap


def test_impossible_references_are_refused(tmp_path):
    with pytest.raises(ValueError, match="1-D only"):
        find(tmp_path, Counted(), method="exact")
    with pytest.raises(ValueError, match="not a method"):
        choose("p3", 2)
    with pytest.raises(UserError, match=r"reference\.h=1e-06"):
        find(tmp_path, Counted(), h=1e-6)
    with pytest.raises(UserError, match=r"reference\.baseline_h=1e-06"):
        baseline(2, Counted(), source, h=1e-6, exact=find(tmp_path, Counted()).lifted, cache_dir=tmp_path, key="abc")


def test_a_negative_upscaled_coefficient_has_no_coarse_state(tmp_path):
    def graded(x):
        return 0.2 + 2 * x[:, 0]

    down, up = (
        reference(
            1,
            0.2,
            graded,
            lambda x, s=s: np.full(len(x), s),
            method="auto",
            h=None,
            delta=0.2,
            cache_dir=tmp_path,
            key=str(s),
        )
        for s in (100.0, -100.0)
    )
    assert down.upscaled_coefficient[0, 0] < 0 < up.upscaled_coefficient[0, 0]
    assert np.isnan(down.consistency_gap) and np.isnan(down.coarse_norm_l2)
    assert up.consistency_gap > 0 and up.coarse_norm_l2 > 0


def test_own_errors_are_close_to_the_true_ones(tmp_path):
    exact = find(tmp_path, Counted(), dim=1, h=None, key="exact")
    assert exact.own_error_l2 < 1e-9 and exact.own_error_h1 < 1e-9
    for method in ("p1", "p2"):
        found = find(tmp_path, Counted(), dim=1, method=method, h=1 / 80, key=method)
        points = np.random.default_rng(0).random((20_000, 1))
        value, slope = exact.evaluate(points)
        ours, our_slope = found.evaluate(points)
        true_l2 = np.linalg.norm(ours - value) / np.linalg.norm(value)
        true_h1 = np.linalg.norm(our_slope - slope) / np.linalg.norm(slope)
        assert 0.8 < found.own_error_l2 / true_l2 < 1.3
        assert 0.9 < found.own_error_h1 / true_h1 < 1.1


def test_the_baseline_is_cached_with_its_seconds(tmp_path):
    exact, coefficient = find(tmp_path, Counted()), Counted()
    first = baseline(2, coefficient, source, h=1 / 30, exact=exact.lifted[:1], cache_dir=tmp_path, key="abc")
    again = baseline(2, coefficient, source, h=1 / 30, exact=exact.lifted[:1], cache_dir=tmp_path, key="abc")
    assert again.cached and not first.cached
    assert again.solve_seconds == first.solve_seconds and again.unknowns == 29**2 and again.h == 1 / 30
    assert again.relative_l2 == first.relative_l2 > 0
    np.testing.assert_array_equal(again.upscaled_coefficient, first.upscaled_coefficient)
    assert not baseline(2, coefficient, source, h=1 / 31, exact=exact.lifted[:1], cache_dir=tmp_path, key="abc").cached
    assert find(tmp_path, Counted()).cached
