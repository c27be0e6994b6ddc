"""What can be done, one module per area; each has a `register(registry, ...)` that takes its ports.

data, queries  variables, plots and code in the kernel; questions to a table (charts: their code)
notebook     cells; running runs them, navigation goes to one, reading reads back, editing and dictation
             change what is in one (lines, caret), proposals are a model's changes, snippets and repairs
             what becomes of a result or an error (diagnosis); desk is how all of these reach the cells, cells
             which ones are meant
lab          commands of JupyterLab
shell        commands; judged beforehand by commandline: judge reads them with shellwords and options, knows
             programs and programrules; sourcecode judges Python
files        folders
testing      pytest and unittest, with the plugins in pytest_plugin
browser, research, mcp  a browser, the web's own words, other people's tools
tasks, history, replay, session  what is running and what has run (moments: times), what can be said
terminal     text as terminals print it
suggestion   the nearest of the names that exist
"""
