"""K and q, which a problem with conditions of one's own leaves open."""

from hpms.errors import UserError

_WAVES = "'2+sin(2*pi*x1/eps)'"
EXAMPLES = {
    "coefficient": f"coefficient=constant coefficient.constants.k=1, or coefficient=expression coefficient.formula={_WAVES}",
    "source": "source=constant source.constants.q=1, or source=expression source.formula='1+x1'",
}


def not_chosen(group: str) -> UserError:
    """The error for a group that nothing was chosen for."""
    if group in EXAMPLES:
        return UserError(f"the {group} has to be chosen with this problem: {EXAMPLES[group]}.")
    return UserError(f"the group '{group}' is missing: choose one with {group}=... .")
