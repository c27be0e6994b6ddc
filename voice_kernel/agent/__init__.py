"""The model brain: an openai-agents agent whose function tools are the toolbox.

Importing this package costs nothing: the SDK is imported by the first question, in a worker thread.
"""
