"""A front end without a browser: opens a notebook file and answers the same cell requests as JupyterLab.

document     the file: its cells, undo, saving
execution    a kernel and the runs of cells in it, on nbclient
frontend     the surface that connects the two to a session
commands     what is to be done: words, recordings, `.voice` scripts
run          one scripted run, from opening the file to its outcomes
report       the outcomes as JUnit XML or JSON
progress     the outcomes as lines for a terminal
"""
