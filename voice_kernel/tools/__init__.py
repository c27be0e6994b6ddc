"""What can be done, one module per area; each has a `register(registry, ...)` that takes its ports.

data         variables, plots and code in the kernel
shell        commands; judged beforehand by commandline, which reads them with shellwords and knows programs
files        folders
tests        pytest, with its plugin in pytest_plugin
notebook     cells, through the front end that shows them; which ones are meant is for cells
tasks        what is running and what has run
planned      tools that are known by name and answer why they are not there yet
terminal     text as terminals print it
suggestion   the nearest of the names that exist
"""
