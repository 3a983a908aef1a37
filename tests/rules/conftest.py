"""The tests of the rules share their two judges (judges.py), which lie beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
