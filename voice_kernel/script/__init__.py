"""What was done, in a form that can be kept, read and done again.

    outcome     how a task ended, as far as it can be compared with another time
    step        one utterance with its exact calls; a conversation as steps
    voicefile   steps as a `.voice` file

Knows turns and tasks as the wire has them. It neither carries anything out nor knows where history is kept.
"""
