"""The session over HTTP: a ChatKit endpoint, the tasks, the MCP servers, and the panel in a plain page.

    app          routes: what is asked over HTTP, and by whom
    chatkit      ChatKit's requests as turns of a session
    turnstream   what a turn tells, as ChatKit's thread stream events
    store        ChatKit's store on our database
    attachments  files that clients send
    kernels      one kernel for each session, or one that runs already
    line         one kernel's events, to whoever waits for them
    ear          recordings that clients send, as text
    panel        the panel's own protocol over HTTP
    sse          server-sent events
    secrets      who may ask: tokens and client secrets
    limits       how much and how often, and from which pages
    openapi      the routes as an OpenAPI document
    run          uvicorn

It talks to sessions only through `voice_kernel.client`. Installed with the extra `server`.
"""
