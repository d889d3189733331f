"""A random sample of the mutants that mutmut made: python mutation_sample.py PART COUNT, beside ``mutants``.

A part is a room or one of its modules, as in ``model`` or ``crypto._text``. The seed is fixed, so that
the same source gives the same sample.
"""

import json
import random
import sys
from pathlib import Path

SEED = 5


def sample(part: str, count: int) -> list[str]:
    """The names of so many mutants of a room or a module, or of all where there are fewer."""
    metas = Path("mutants/src/custinfo", part.partition(".")[0]).rglob("*.meta")
    names = [name for meta in metas for name in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]]
    names = [name for name in names if name.startswith(f"custinfo.{part}.")]
    return sorted(random.Random(SEED).sample(sorted(names), min(count, len(names))))


if __name__ == "__main__":
    sys.stdout.write("\n".join(sample(sys.argv[1], int(sys.argv[2]))) + "\n")
