"""The surfaces: the panel, the inline card of a turn, their channels, and what a turn leaves behind."""
