"""What README and docs/ tell the reader to type: command lines, and Python."""

import re
import shlex

import numpy as np
import pytest

import hpms as package
from hpms.cli.compose import composed
from hpms.cli.invocation import read_command
from hpms.cli.main import VERBS
from tests.cli.conftest import PLUGINS
from tests.pages import FENCED, ROOT, WRITTEN

PAGES = [ROOT / "README.md", *WRITTEN]
TEXT = "\n".join(page.read_text() for page in PAGES)
MODULES = {path.read_text(): path.stem for path in PLUGINS.glob("*.py")}  # which are blocks of a page, too
SHORT = ("training.iterations=2", "training.log_every=1", "training.accuracy=null", "training.bound_points=1e3")
SHORT += (
    "collocation.interior_points=64",
    "collocation.boundary_points=8",
    "reference.h=1/20",
    "reference.baseline_h=1/20",
)


def blocks(*languages):
    """(page, text) of the code blocks in these languages."""
    for page in PAGES:
        yield from ((page, body) for language, body in FENCED.findall(page.read_text()) if language in languages)


def commands():
    """Every command of hpms once, as words."""
    found = {}
    for body in re.findall(r"(?<!<!-- exits 1 -->\n)^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        for line in body.replace("\\\n", " ").splitlines():
            words = shlex.split(re.sub(r"^.*&& (?=hpms )", "", line), True)
            if len(words) > 1 and words[0] == "hpms" and words[1][0] != "-":
                found[" ".join(words[1:])] = words[1:]
    return found


def one_of_each(words):
    """The overrides of a command, of a sweep those of its first job."""
    overrides = [word for word in words if word not in ("-m", "-v", "--quiet", "--help")]
    if "-m" not in words:
        return overrides
    return [re.sub(r"=([^\[{(,]+),.*", r"=\1", each) for each in overrides]


def configured(verb, words):
    """What a command is composed to, of a sweep its first job."""
    folder = "conf" if words[:2] == ["--config-dir", "conf"] else None
    return composed(verb, *one_of_each(words[2:] if folder else words), beside=folder)


CONFIGURED = {
    text: (words[0], words[1:]) if words[:2] != ["plot", "coefficient"] else ("plot_coefficient", words[2:])
    for text, words in commands().items()
    if words[0] in VERBS or words[:2] == ["plot", "coefficient"]
}
READING = {text: words for text, words in commands().items() if text not in CONFIGURED}


@pytest.fixture
def picture(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    period = np.kron(255 * np.eye(2), np.ones((4, 4)))
    Image.fromarray(np.tile(period, (8, 8)).astype("uint8")).save(tmp_path / "rock.png")


@pytest.fixture
def mesh(tmp_path, monkeypatch):
    """What a page writes with meshio."""
    pytest.importorskip("meshio")
    (body,) = (body for page, body in blocks("python") if page.stem == "meshes")
    monkeypatch.chdir(tmp_path)
    exec(body, {})


@pytest.mark.parametrize("text", CONFIGURED, ids=str)
def test_a_configuration_that_a_page_shows_is_accepted(text, picture, mesh, plugins):
    verb, words = CONFIGURED[text]
    read_command(verb, configured(verb, words))


@pytest.mark.slow
@pytest.mark.parametrize("text", READING, ids=str)
def test_what_a_page_does_with_runs_works(text, hpms, finished):
    pytest.importorskip("matplotlib")
    words = [str(finished.parents[3]) if "outputs/" in word else word for word in READING[text]]
    result = hpms(*words)
    assert result.code == 0, result.err


@pytest.mark.slow
@pytest.mark.parametrize("text", CONFIGURED, ids=str)
def test_a_command_that_a_page_shows_runs(text, hpms, picture, mesh, plugins, finished):
    verb, words = CONFIGURED[text]
    said = [f"run={finished.parent}" if word.startswith("run=") else word for word in one_of_each(words)]
    if verb == "train":
        alone = ("init_from=", "chain=", "runtime.devices=")  # by a run, a sweep, a process of its own
        said = [word for word in said if not word.startswith(alone)]
        said += [each for each in SHORT if "reference=none" not in said or not each.startswith("reference")]
        balls = configured(verb, words)["coupling"]["name"] == "ball"
        said += ["collocation.interior_points=2000"] if balls else []  # some in each ball
    result = hpms(*verb.split("_"), *said)
    assert result.code == 0, result.err


@pytest.mark.thorough
@pytest.mark.parametrize(
    "page", dict.fromkeys(page for page, _ in blocks("python") if page.stem != "README"), ids=lambda page: page.stem
)
def test_the_python_of_a_page_runs(page, plugins, monkeypatch):
    solve, configure = package.solve, package.configure
    monkeypatch.setattr(package, "solve", lambda *given, **more: solve(*given, *SHORT, **more))
    monkeypatch.setattr(package, "configure", lambda *given, **more: configure(*given, *SHORT, **more))
    names = {}
    for body in [body for where, body in blocks("python") if where == page]:
        names["__name__"] = MODULES.get(body, "page")
        exec(compile(body, str(page), "exec"), names)
