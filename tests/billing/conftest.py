"""The tests of billing share their makers of cases (made.py), which lie beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
