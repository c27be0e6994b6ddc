"""From what happened to what is heard: spoken answers.

    phrases        the sentences of our own that are only ever spoken, per language
    pronunciation  names, paths, numbers and symbols as a person would say them
    prose          Markdown and long texts as sentences, cut so that the first is heard early
    failures       why tests and code failed, in a few words
    renderer       a turn, a task or a question as a short spoken answer
    voice          the port `Voice`: words in, PCM out
    local          the voice on this machine (hibari), in a thread of its own
    openai         a voice of OpenAI, or of any server with its `/v1/audio/speech`

The third voice, the browser's, needs nothing here: the page is given the words.

It does not know surfaces, nor when somebody wants to hear something: `answering` decides. Importing this
package loads no engine.
"""
