"""Configurations of earlier formats of `run.h5`, as they would be written today."""

from typing import Any

from hpms.config import aliases


def upgraded(values: dict[str, Any], version: int) -> dict[str, Any]:
    """The composed values of a file of that format in terms of today's options; they need not be sound.

    Of any format, keys and options may have earlier names (`hpms.config.aliases`).

    Files without a law, of any format, have -∇·(K∇w) = q, and without bounds of the error none.
    Up to format 4 no run ended as diverged, and the coupling by balls kept p between its updates of y. Up to format 3
    the coupling's weight was no `share` of the loss, its means were those at the coarse nodes, and runs named no
    devices. Formats 1 and 2 had isotropic upscaling alone. Format 1 called the coupling by balls `hybrid`, and
    had schedules that decayed or handed over from it to the consistent coupling; a network trained with them is read as
    one of the coupling that was to be at work in the end. The averages of its reference were those of `coupling.delta`.
    """
    values = aliases.stored(values)
    values = {"law": {"name": "diffusion", "reaction": None}} | values
    if isinstance(values.get("training"), dict):
        values = values | {"training": {"bound_every": None, "bound_points": 0, "accuracy": None} | values["training"]}
    if version > 4:
        return values
    values = values | {"training": {"divergence": None} | dict(values["training"])}
    if version > 3:
        return values | {"coupling": _keeping(values["coupling"])}
    one_device = {"devices": None, "distributed": False} | dict(values["runtime"])
    values = {"upscaling": {"name": "isotropic"}} | values | {"runtime": one_device}
    coupling = dict(values["coupling"])
    if coupling["name"] != "none":
        coupling = {"share": None} | coupling
    if coupling["name"] == "consistent":
        coupling = {"spacing": None} | coupling
    if version > 1:
        return values | {"coupling": _keeping(coupling)}
    if coupling["name"] == "hybrid":
        coupling["name"] = "ball"
    for key in ("half_life", "switch"):
        coupling.pop(key, None)
    if coupling.get("schedule", "until") != "until":
        coupling["schedule"] = "constant"
    reference = {"delta": coupling["delta"]} | dict(values["reference"])
    if coupling["name"] == "none":
        coupling.pop("delta", None)
    return values | {"coupling": _keeping(coupling), "reference": reference}


def _keeping(coupling: dict[str, Any]) -> dict[str, Any]:
    """The coupling by balls with the adjoint of its last update."""
    return {"adjoint": "lazy"} | dict(coupling) if coupling["name"] == "ball" else coupling
