from pathlib import Path

import hpms


def test_every_module_that_names_shapes_is_checked_as_it_is_called(pytestconfig):
    *checked, _ = pytestconfig.getoption("--jaxtyping-packages").split(",")
    package = Path(hpms.__file__).parent
    for path in package.rglob("*.py"):
        if "from jaxtyping import" in path.read_text():
            name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
            assert any(f"{name}.".startswith(f"{each}.") for each in checked), name
