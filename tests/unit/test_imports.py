"""Imports run one way: what is trained knows nothing of the runs that are made of it."""

import ast
from pathlib import Path

import hpms

PACKAGE = Path(hpms.__file__).parent
OBJECTS = ("problem", "network", "fem", "bound", "coupling", "training", "experiment.py")
RUNS = ("hpms.results", "hpms.start", "hpms.runs", "hpms.commands", "hpms.cli")


def imported(path):
    """The modules that a file imports from."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {str(node.module) for node in tree if isinstance(node, ast.ImportFrom)}


def test_objects_import_nothing_of_runs():
    files = [file for name in OBJECTS for file in ([PACKAGE / name] if "." in name else (PACKAGE / name).rglob("*.py"))]
    wrong = {(file.name, module) for file in files for module in imported(file) if module.startswith(RUNS)}
    assert len(files) > 100 and not wrong
