"""`python -m voice_kernel.cli`: the same as `voice-kernel`."""

import sys

from voice_kernel.cli import main

sys.exit(main())
