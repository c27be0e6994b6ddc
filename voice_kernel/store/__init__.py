"""What outlives a session: conversations, tasks and what happened to them, in a database.

`Store` is what a session keeps its history with; `History` reads and prunes it from a command line.
Importing this package imports no SQLAlchemy: that happens on the store's own thread, when it opens.
"""

from voice_kernel.store.history import History
from voice_kernel.store.kept import Conversation, Event, Left, PastSession, Pruned, Statistics, Wanted
from voice_kernel.store.store import Store

__all__ = [
    "Conversation",
    "Event",
    "History",
    "Left",
    "PastSession",
    "Pruned",
    "Statistics",
    "Store",
    "Wanted",
]
