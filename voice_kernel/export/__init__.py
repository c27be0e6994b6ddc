"""What was done, for people: a session as a notebook or as a report in Markdown."""
