"""The modules of the sample notebooks, importable as they are beside their notebooks."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "notebooks" / "samples"))
