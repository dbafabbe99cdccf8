"""The pages that are written, not those that a build leaves beside them, and their code blocks."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/results").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
