"""`coefficient=image`: pixels read, smoothed, and told of."""

import os
from types import SimpleNamespace

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.config.schema import read
from hpms.errors import ConfigError, UserError
from hpms.options.image import ImageOptions
from hpms.rasters import read_pixels, remember
from hpms.study.smoothing import lost
from tests.problems import quick_jit

PHASES = {0: 1, 255: 10}


def squares(count=64, turns=8):
    """Squares of 255 in the middle of turns × turns cells of 0."""
    inside = (np.arange(count) % (count // turns)) // (count // turns // 4) % 3 != 0
    return 255 * (inside[:, None] & inside).astype(np.uint8)


def saved(folder, pixels, name="image.npy"):
    np.save(folder / name, pixels)
    return str(folder / name)


def config(sides=(1.0, 1.0)):
    return SimpleNamespace(problem=SimpleNamespace(lengths=sides, dim=len(sides)))


def test_a_picture_is_read_from_left_to_right_and_from_bottom_to_top(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rows = np.arange(20, dtype=np.uint8).reshape(4, 5)  # from the top
    for name in ("a.png", "a.tif"):
        image.fromarray(rows).save(tmp_path / name)
        pixels = read_pixels(str(tmp_path / name), 2)
        assert pixels.shape == (5, 4)
        assert pixels[0, 0] == 15 and pixels[4, 0] == 19 and pixels[0, 3] == 0
    image.fromarray(np.stack([rows] * 3, axis=2)).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_pixels(str(tmp_path / "grey.png"), 2), pixels)


@pytest.mark.parametrize("shape", [(6,), (5, 7), (4, 5, 6)])
def test_an_array_is_read_as_it_is(tmp_path, shape):
    pixels = np.random.default_rng(0).random(shape) + 1
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/k"] = pixels
    for path in (saved(tmp_path, pixels), f"{tmp_path}/a.h5:/group/k"):
        np.testing.assert_array_equal(read_pixels(path, len(shape)), pixels)


@pytest.mark.parametrize(("dim", "periodic"), [(1, False), (1, True), (2, False), (2, True), (3, True)])
def test_a_smoothed_image_has_its_gradient_its_bounds_and_its_periods(tmp_path, dim, periodic):
    pixels = np.random.default_rng(0).random((8,) * dim) + 1
    sides = (2.0, 1.0, 0.5)[:dim]
    options = ImageOptions(saved(tmp_path, pixels), None, 0.05, sides if periodic else None)
    options.check(config(sides))
    k = options.over(sides, 0.1)
    points = jnp.asarray(np.random.default_rng(1).random((50, dim)) * sides)
    value, found, expected = quick_jit(
        lambda x: (jax.vmap(k.value)(x), jax.vmap(k.gradient)(x), jax.vmap(jax.grad(k.value))(x))
    )(points)
    np.testing.assert_allclose(found, expected, atol=1e-10 * np.abs(expected).max())
    assert pixels.min() < value.min() and value.max() < pixels.max()
    if periodic:
        np.testing.assert_allclose(jax.vmap(k.value)(points + jnp.asarray(sides)), value, rtol=1e-10)
    assert isinstance(k.periods, tuple) == periodic


def test_fine_pixels_give_the_function_that_they_sample(tmp_path):
    x = (np.arange(200) + 0.5) / 200
    pixels = 2 + np.sin(2 * np.pi * x)[:, None] * np.cos(2 * np.pi * x)
    k = ImageOptions(saved(tmp_path, pixels), None, 0.0, (1.0, 1.0)).over((1.0, 1.0), 0.1)
    points = jnp.asarray(np.random.default_rng(1).random((50, 2)))
    exact = 2 + np.sin(2 * np.pi * points[:, 0]) * np.cos(2 * np.pi * points[:, 1])
    np.testing.assert_allclose(jax.vmap(k.value)(points), exact, atol=1e-3)


def test_what_smoothing_loses_is_said(tmp_path):
    options = ImageOptions(saved(tmp_path, squares()), PHASES, 0.01, (1 / 8, 1 / 8))
    (said,) = options.remarks(options.over((1.0, 1.0), 0.1))
    assert "64×64 pixels is smoothed" in said and "shares of K = 1 0." in said and "diagonal of K* " in said
    sharp = ImageOptions(options.path, PHASES, 0.0, (1 / 8, 1 / 8))
    sentences = [each.remarks(each.over((1.0, 1.0), 0.1))[0] for each in (options, sharp)]
    stars = [sentence.rpartition("K* ")[2].split(", ")[0] for sentence in sentences]
    before, after = zip(*(map(float, star.split(" → ")) for star in stars), strict=True)
    assert before[0] == before[1] and abs(after[0] - before[0]) > abs(after[1] - before[1])
    values = np.full((8, 8), 3.0)
    flat = ImageOptions(saved(tmp_path, values, "flat.npy"), None, 0.1, None).over((1.0, 1.0), 0.1)
    assert "mean 3 → 3; harmonic mean 3 → 3; diagonal of K* 3 → 3, 3 → 3" in lost(values, flat, None)


def test_a_large_image_is_compared_at_a_fixed_number_of_points(tmp_path, monkeypatch):
    monkeypatch.setattr("hpms.study.smoothing._MOST_SAMPLES", 20_000)
    options = ImageOptions(saved(tmp_path, squares()), PHASES, 0.01, None)
    (said,) = options.remarks(options.over((2.0, 1.0), 0.1))
    assert "is smoothed (at 20,000 random points): mean " in said
    before = float(said.partition("mean ")[2].partition(" → ")[0])
    assert before == pytest.approx(options.values(2).mean(), rel=0.02)


def test_pixels_of_a_run_stand_for_a_file_that_is_gone(tmp_path):
    path = saved(tmp_path, squares())
    known = remember(path, np.full((8, 8), 7.0))
    assert read_pixels(path, 2).max() == 255 and known != path
    assert (read_pixels(known, 2) == 7).all()
    assert remember(known, np.full((8, 8), 7.0)) == known


def test_an_image_that_changes_is_read_again(tmp_path):
    path = saved(tmp_path, np.full((8, 8), 7.0))
    assert read_pixels(path, 2).max() == 7
    saved(tmp_path, np.full((8, 8), 5.0))
    os.utime(path, ns=(1, 1))
    assert read_pixels(path, 2).max() == 5


@pytest.mark.parametrize(
    ("pixels", "phases", "message"),
    [
        (np.ones((1, 1)), None, "its 1×1 pixels are too few"),
        (np.ones((0, 8)), None, "too few"),
        (np.ones((8, 8, 8)), None, "it has 3 axes"),
        (np.zeros((8, 8)), None, "it has the value 0, and K must be positive"),
        (np.full((8, 8), np.nan), None, "not finite"),
        (np.ones((8, 8), complex), None, "its values are complex128"),
        (squares(), {0: 1}, "1 other value.s., such as 255"),
        (squares(), {0: 0, 255: 1}, r"coefficient.phases.0=0 is not allowed: K must be positive"),
        (squares(), {0: "a", 255: 1}, "are numbers"),
        (squares(), 3, "write {grey:K}"),
    ],
)
def test_what_is_no_medium_is_refused(tmp_path, pixels, phases, message):
    with pytest.raises(UserError, match=message):
        ImageOptions(saved(tmp_path, pixels), phases, 0.0, None).check(config())


def test_a_path_is_that_of_a_file():
    values = {"path": "~/a.png", "phases": None, "smoothing": 0, "periods": None}
    with pytest.raises(ConfigError, match=r"it must be the path of a file, with \$HOME instead of ~"):
        read(ImageOptions, values, "coefficient")


def test_files_that_are_no_images_are_refused(tmp_path):
    image = pytest.importorskip("PIL.Image")
    colours = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    image.fromarray(colours).save(tmp_path / "c.png")
    image.fromarray(colours).quantize(4).save(tmp_path / "palette.png")
    image.fromarray(colours).convert("CMYK").save(tmp_path / "inks.tif")
    page = image.fromarray(colours[:, :, 0])
    page.save(tmp_path / "stack.tif", save_all=True, append_images=[page])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.npy").write_text("hello")
    for name, message in [
        ("c.png", "it is coloured"),
        ("palette.png", "it is coloured"),
        ("inks.tif", "its mode is CMYK"),
        ("stack.tif", "it has 2 pages"),
        ("empty.png", "it cannot be read"),
        ("text.npy", "it cannot be read"),
        ("none.png", "there is no such file"),
        ("none.h5:/k", "there is no such file"),
        (".", "there is no such file"),
    ]:
        with pytest.raises(ConfigError, match=message):
            ImageOptions(f"{tmp_path}/{name}", None, 0.0, None).check(config())
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"give a \.png, \.tif or \.npy file"):
        read_pixels(str(tmp_path / "a.jpg"), 2)


@pytest.mark.parametrize(
    ("smoothing", "periods", "message"),
    [
        (1.0, None, "smoothing=1 is not allowed"),
        (0.0, (0.3, 1.0), "must be multiples"),
        (0.0, (1.0, 1.0, 1.0), "one per axis"),
    ],
)
def test_lengths_have_to_fit_the_domain(tmp_path, smoothing, periods, message):
    with pytest.raises(ConfigError, match=message):
        ImageOptions(saved(tmp_path, np.ones((8, 8))), None, smoothing, periods).check(config())
