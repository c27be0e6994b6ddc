"""Tasks: what one action is, from queued to ended, with its processes and its log."""
