"""Where the repository, its folders and the real images are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
TOOLS = ROOT / "tools"

DATA = Path(os.environ.get("MMREID_DATA_ROOT") or ROOT.parent / "shared" / "data")
"""Real images; a test that needs a set of them skips itself where it is missing."""
