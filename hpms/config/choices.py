"""K and q, which a problem with conditions of one's own leaves open."""

from hpms.errors import UserError, brief
from hpms.formula import Formula, FormulaError

_CONSTANT = {"coefficient": "k", "source": "q"}
EXAMPLES = {
    "coefficient": "coefficient=constant coefficient.constants.k=1, or coefficient=expression "
    "coefficient.formula='2+sin(2*pi*x1/eps)'",
    "source": "source=constant source.constants.q=1, or source=expression source.formula='1+x1'",
}


def check_choice(group: str, name: str) -> None:
    """Raises `UserError` that says what to type where a number or a formula stands for an option of K or q."""
    if group not in EXAMPLES:
        return
    try:
        Formula(name, ["x1", "x2", "x3", "eps"])
    except FormulaError:
        return
    typed = f"{group}=expression {group}.formula='{name}'"
    if not any(letter.isalpha() for letter in name.replace("e", "")):
        typed = f"{group}=constant {group}.constants.{_CONSTANT[group]}={name}"
    raise UserError(f"{group}={brief(name)} is not an option: write {typed}.")


def not_chosen(group: str) -> UserError:
    """The error for a group that nothing was chosen for."""
    if group in EXAMPLES:
        return UserError(f"the {group} has to be chosen with this problem: {EXAMPLES[group]}.")
    return UserError(f"the group '{group}' is missing: choose one with {group}=... .")
