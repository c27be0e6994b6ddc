"""The one door through which every brain, every surface and every replay acts."""
