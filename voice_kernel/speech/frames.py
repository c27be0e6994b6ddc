"""How sound is looked at for speech: in frames of 32 ms, each with a probability. Standard library only."""

from voice_kernel.speech.transcriber import RATE_HZ

FRAME = 512
"""Samples of a frame."""
FRAME_S = FRAME / RATE_HZ
ONSET = 0.5
"""From this probability on, a frame begins speech; Silero's own default."""
OFFSET = 0.35
"""Below this one, a frame ends it."""
