"""The user's own functions as tools: spoken, approved, cancelled and kept like any other.

`@tool` (see api) puts a function on the shelf of this process; each session adopts what is there.

shelf        what the user has defined, by name
definition   a function is checked and becomes a `UserTool`, at the line where it is written
signature    its parameters become the arguments of a tool
sentences    its templates become sentences of the grammar, and who else means the same words
understanding  its sentences mean the tool; what they meant before is told
adoption     the tools of the shelf in one session: registered, and understood
calling      how one call runs: in a thread of its own, on the loop, on the main thread, or elsewhere
elsewhere    a function in a process of its own, here or on a cluster
worker       a function in a thread, and how it is ended
mainthread   a function on the kernel's main thread, through the kernel's door
toolcontext  what the function holds of its task: progress, output, cancellation
relay        from any thread to the task on the loop thread
printing     what the function prints goes to its task, and not to some cell
tracebacks   what it raised, from its own first line on
outcome      what it returns becomes a result
"""
