"""Prints every figure beside what was promised; exit status 1 if one is missed.

`python -m bench tokens startup` measures only these parts.
"""

import sys

from bench import crowd, pacing, startup, tokens
from bench.table import HEAD

PARTS = {"tokens": tokens, "startup": startup, "pacing": pacing, "crowd": crowd}

print(HEAD)
missed = 0
for name in sys.argv[1:] or PARTS:
    for row in PARTS[name].rows():
        print(row, flush=True)
        missed += not row.kept
sys.exit(1 if missed else 0)
