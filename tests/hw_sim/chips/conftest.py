"""Puts the slow references of this folder, whose name the package bears too, within reach of its tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
