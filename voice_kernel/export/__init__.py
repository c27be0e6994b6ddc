"""What was done, for people: a conversation as a notebook, or as a report in Markdown.

    pictures    the images among outputs, as files or as data URIs
    notebook    `%voice` cells with their outputs
    report      Markdown in which nothing that came from outside is markup

Pure: turns and tasks in, text and bytes out. A script of it is `script.voicefile`.
"""
