"""The web as something to read: addresses, fetching, pages, digests and search engines.

Everything that comes from outside is bounded in size, time and reach, and is text: never markup, never a
command. Knows nothing of tools, tasks or notebooks. httpcore, trafilatura, pypdf, protego and ddgs (the
extra `research`) are imported when they are first needed.
"""
