"""The registry of MCP servers: searching it, and what command a server's entry means.

Source: the official registry's API v0.1 and the server.json schema,
https://github.com/modelcontextprotocol/registry (docs/reference). Entries are strangers' text: a command is
made of them part by part and never goes through a shell, and a person sees all of it before it runs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from voice_kernel.errors import ToolError, WebError
from voice_kernel.language import N_, _
from voice_kernel.tools.mcp.running import program_path
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.web.addresses import Reach, address_of
from voice_kernel.web.fetch import Fetcher

LIMIT_S = 20.0
MAX_FOUND = 20
RUNNERS = {"npm": "npx", "pypi": "uvx", "oci": "docker", "nuget": "dnx"}
INSTALL_HINTS = {
    "npx": N_("Install Node.js, which brings npx."),
    "uvx": N_("Install uv, which brings uvx: pip install uv."),
    "docker": N_("Install Docker."),
    "dnx": N_("Install the .NET SDK 10 or later."),
}
_PACKAGE = re.compile(r"[@\w][\w./@:+-]{0,250}")
_VERSION = re.compile(r"[\w][\w.+!-]{0,80}")


@dataclass(frozen=True)
class Question:
    """A value that a person must give before a server can start."""

    name: str
    description: str = ""
    secret: bool = False
    required: bool = True
    default: str = ""


@dataclass(frozen=True)
class Offer:
    """A server of the registry, and what it would take to run it.

    Attributes:
        server: as it would be kept; holes `{name}` in its arguments stand for the questions.
        questions: what must be asked first.
        publisher: who published it: the namespace of its name.
        description: a stranger's sentence.
    """

    server: Server
    questions: tuple[Question, ...] = ()
    publisher: str = ""
    description: str = ""
    repository: str = ""
    package: str = ""
    missing: str = ""
    """What would have to be installed first; empty when all is there."""

    @property
    def hint(self) -> str:
        """How to get what is missing."""
        return _(INSTALL_HINTS.get(self.missing, ""))


class Catalog:
    """A registry of servers.

    Args:
        url: its address; a private one is allowed, since a person set it.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def search(self, words: str, limit: int = MAX_FOUND) -> list[Offer]:
        """Return servers whose name or description has the words, the newest version of each.

        Raises:
            WebError: the registry did not answer.
        """
        query = urlencode({"search": words, "limit": min(100, limit * 3), "version": "latest"})
        answer = await self._ask(f"/v0.1/servers?{query}")
        offers: dict[str, Offer] = {}
        for entry in _list(answer, "servers"):
            offer = offer_of(entry)
            if offer is not None:
                offers.setdefault(offer.server.registry_name, offer)
        return list(offers.values())[:limit]

    async def find(self, name: str) -> list[Offer]:
        """Return the servers a name may mean: exactly that, else those whose last part it is.

        Raises:
            WebError: the registry did not answer.
        """
        if "/" in name:
            answer = await self._ask(f"/v0.1/servers/{quote(name, safe='')}/versions/latest")
            offer = offer_of(answer)
            return [offer] if offer is not None else []
        found = await self.search(name, 50)
        wanted = _plain(name)
        exact = [offer for offer in found if _plain(offer.server.registry_name.rpartition("/")[2]) == wanted]
        near = [offer for offer in found if wanted in _plain(offer.server.registry_name.rpartition("/")[2])]
        return exact or near or found[:5]

    async def _ask(self, path: str) -> Any:
        address = address_of(f"{self._url}{path}")
        place = f"{address.host}:{address.port}"
        fetcher = Fetcher(Reach(private=(place,), only=(place,)), total_s=LIMIT_S)
        try:
            return await fetcher.json(address)
        except WebError as error:
            raise WebError(
                _("The registry of MCP servers did not answer: {message}").format(message=error.message),
                hint=_("Is MCP_REGISTRY_URL right, and is there a network?"),
                retryable=True,
            ) from None
        finally:
            await fetcher.close()


def offer_of(entry: Any) -> Offer | None:
    """Return what an entry of the registry offers; None for one that cannot be used here."""
    try:
        return _offer(entry)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None  # it is not as the schema says: the others of a search are none the worse for it


def _offer(entry: Any) -> Offer | None:
    about = entry.get("server", entry) if isinstance(entry, dict) else None
    if not isinstance(about, dict) or not isinstance(about.get("name"), str):
        return None
    name = about["name"][:200]
    publisher, _, short = name.rpartition("/")
    short = re.sub(r"^(mcp-server-|server-|mcp-)|(-mcp-server|-mcp|-server)$", "", short) or short
    short = re.sub(r"[^\w.-]+", "-", short).strip("-.")[:60] or "server"
    common = {
        "publisher": publisher,
        "description": " ".join(str(about.get("description") or "").split())[:300],
        "repository": str(_mapping(about, "repository").get("url") or "")[:300],
    }
    for package in _list(about, "packages"):
        try:
            server, questions, what = _packaged(short, name, about, package)
        except (ToolError, AttributeError, KeyError, TypeError, ValueError):
            continue  # an entry that is not as the schema says is not for us
        missing = "" if shutil.which(server.command, path=program_path()) else server.command
        return Offer(server, tuple(questions), package=what, missing=missing, **common)
    for remote in _list(about, "remotes"):
        kind = {"streamable-http": "http", "sse": "sse"}.get(str(remote.get("type")))
        if kind is None or not isinstance(remote.get("url"), str):
            continue
        asked = _Asked()
        headers = {}
        for header in _list(remote, "headers"):
            if isinstance(header.get("name"), str) and (value := asked.valued(header)):
                headers[header["name"]] = value
        server = Server(
            name=short,
            transport="http" if kind == "http" else "sse",
            url=asked.filled(remote["url"], remote),
            headers=headers,
            secrets=tuple(asked.secrets),
            optional=tuple(asked.optional),
            registry_name=name,
            version=str(about.get("version") or ""),
        )
        questions = asked.questions
        return Offer(server, tuple(questions), package=remote["url"], **common)
    return None


def filled(offer: Offer, answers: Mapping[str, str]) -> Server:
    """Return the server with the answers to its questions in place.

    Raises:
        ToolError: a question that must be answered is not; names all of them.
    """
    server = offer.server
    values: dict[str, str] = {}
    unanswered = []
    for question in offer.questions:
        if question.name in server.secrets:
            continue  # asked for where nobody hears it
        value = answers.get(question.name, question.default)
        if value or not question.required:
            values[question.name] = value
        else:
            unanswered.append(question)
    if unanswered:
        about = "; ".join(
            f"{one.name}: {one.description}" if one.description else one.name for one in unanswered
        )
        given = " ".join(f"--set {one.name}=..." for one in unanswered)
        raise ToolError(
            _("{server} needs to know {about}.").format(server=server.name, about=about),
            hint=_("In a terminal: {command}").format(
                command=f"voice-kernel mcp install {server.registry_name or server.name} {given}"
            ),
        )

    def fill(text: str) -> str:
        return re.sub(r"(?<!\$)\{([^{}]+)\}", lambda hole: values.get(hole[1], hole[0]), text)

    env = {name: fill(value) for name, value in server.env.items()}
    return server.model_copy(
        update={
            "args": tuple(fill(part) for part in server.args),
            "env": {name: value for name, value in env.items() if value},
            "url": fill(server.url),
            "headers": {name: fill(value) for name, value in server.headers.items()},
        }
    )


def _packaged(
    short: str, name: str, about: Mapping[str, Any], package: Mapping[str, Any]
) -> tuple[Server, list[Question], str]:
    kind = str(package["registryType"])
    identifier, version = (
        str(package["identifier"]),
        str(package.get("version") or about.get("version") or ""),
    )
    transport = _mapping(package, "transport").get("type", "stdio")
    if kind not in RUNNERS or transport != "stdio" or not _PACKAGE.fullmatch(identifier):
        raise ValueError("not for us")
    if version and (not _VERSION.fullmatch(version) or version == "latest"):
        raise ValueError("a version that is none")
    asked = _Asked()
    env: dict[str, str] = {}
    for variable in _list(package, "environmentVariables"):
        if value := asked.valued(variable):
            env[str(variable["name"])] = value
    runtime = _list(package, "runtimeArguments")
    before = asked.arguments(_containers(runtime, identifier, env, asked) if kind == "oci" else runtime)
    after = asked.arguments(_list(package, "packageArguments"))
    pinned = {
        "npm": f"{identifier}@{version}" if version else identifier,
        "pypi": f"{identifier}=={version}" if version else identifier,
        "oci": identifier
        if ":" in identifier.rpartition("/")[2] or not version
        else f"{identifier}:{version}",
        "nuget": f"{identifier}@{version}" if version else identifier,
    }[kind]
    if kind == "npm":
        args = ["-y", *(a for a in before if a != "-y"), pinned, *after]
    elif kind == "oci":
        names = [word for key in (*env, *asked.secrets) for word in ("-e", key)]
        args = ["run", "-i", "--rm", *before, *names, pinned, *after]
    elif kind == "nuget":
        args = [*before, pinned, "--yes", *(["--", *after] if after else [])]
    else:
        args = [*before, pinned, *after]
    server = Server(
        name=short,
        command=RUNNERS[kind],
        args=tuple(args),
        env=env,
        secrets=tuple(asked.secrets),
        optional=tuple(asked.optional),
        registry_name=name,
        version=version,
    )
    return server, asked.questions, f"{kind} {pinned}"


class _Asked:
    """What an entry asks before its server can run, gathered from all of its parts.

    Attributes:
        questions: in the order of the entry.
        secrets: the names of those whose values are kept apart; in a text `${name}` stands for one.
        optional: the secrets that may be missing.
    """

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self.secrets: list[str] = []
        self.optional: list[str] = []

    def valued(self, of: Mapping[str, Any]) -> str:
        """Return the value of a variable or header; empty where it has none of its own, or is a secret."""
        if of.get("value") is not None:
            return self.filled(str(of["value"]), of)
        question = _question(of)
        if question.secret:
            self.secret(question)
        elif of.get("isRequired"):
            self.questions.append(question)
            return f"{{{question.name}}}"
        return "" if question.secret else question.default

    def secret(self, question: Question) -> None:
        """Ask for a secret."""
        self.questions.append(question)
        if question.name not in self.secrets:
            self.secrets.append(question.name)
            if not question.required:
                self.optional.append(question.name)

    def filled(self, text: str, of: Mapping[str, Any]) -> str:
        """Return a text whose `{holes}` are asked for, as its `variables` describe them."""
        described = of.get("variables")
        for name, about in described.items() if isinstance(described, Mapping) else ():
            if not isinstance(about, Mapping) or f"{{{name}}}" not in text:
                continue
            if about.get("value") is not None:
                text = text.replace(f"{{{name}}}", str(about["value"]))
                continue
            question = _question({**about, "name": name})
            if question.secret:
                called = re.sub(r"[^\w.-]", "_", question.name)
                self.secret(replace(question, name=called))
                text = text.replace(f"{{{name}}}", f"${{{called}}}")
            else:
                self.questions.append(question)
        return text

    def arguments(self, given: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the words of a command that arguments describe; those nobody asked for are left out."""
        made: list[str] = []
        for argument in given:
            named = argument.get("type") == "named"
            value = argument.get("value")
            if value is None and argument.get("default") is not None and not argument.get("isSecret"):
                value = argument["default"] if not argument.get("isRequired") else None
            if named and argument.get("format") == "boolean":
                if str(value).lower() == "true" or (value is None and argument.get("isRequired")):
                    made.append(str(argument["name"]))
                continue
            if value is None and named and not argument.get("isRequired"):
                if not argument.get("description") and not argument.get("format"):
                    made.append(str(argument["name"]))  # a switch, as older entries write it
                continue
            if named:
                made.append(str(argument["name"]))
            if value is not None:
                made.append(self.filled(str(value), argument))
                continue
            name = str(argument.get("valueHint") or argument.get("name") or "value").lstrip("-")
            question = _question({**argument, "name": name})
            if question.secret:
                self.secret(question)
                made.append(f"${{{name}}}")
            else:
                self.questions.append(question)
                made.append(f"{{{name}}}")
        return made


def _containers(
    given: Sequence[Mapping[str, Any]], image: str, env: dict[str, str], asked: _Asked
) -> list[Mapping[str, Any]]:
    """Return the arguments for `docker run` beside those that are ours to write.

    Some entries spell the whole command out, `run`, `-i`, `--rm` and the image included. Secrets in
    `-e NAME={token}` become secrets by that name: a command line can be read by everybody.
    """
    left: list[Mapping[str, Any]] = []
    for argument in given:
        value = str(argument.get("value") or "")
        if argument.get("type") == "positional" and (
            value == "run" or value.split(":")[0] == image.split(":")[0]
        ):
            continue
        if argument.get("type") == "named" and argument.get("name") in ("-i", "--interactive", "--rm", "-it"):
            continue
        variable = re.fullmatch(r"(\w+)=\{([^{}]+)\}", value)
        described = (argument.get("variables") or {}).get(variable[2]) if variable else None
        if argument.get("name") in ("-e", "--env") and variable and isinstance(described, Mapping):
            name = variable[1]
            if plain := asked.valued({**described, "name": name}):
                env[name] = plain
            continue
        left.append(argument)
    return left


def _question(asked: Mapping[str, Any]) -> Question:
    return Question(
        name=str(asked["name"])[:100],
        description=" ".join(str(asked.get("description") or "").split())[:200],
        secret=bool(asked.get("isSecret")),
        required=bool(asked.get("isRequired", True)),
        default=str(asked.get("default") or "")[:500],
    )


def _mapping(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = of.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(of: Any, key: str) -> list[Any]:
    found = of.get(key) if isinstance(of, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _plain(name: str) -> str:
    bare = re.sub(r"^(mcp-server-|server-|mcp-)|(-mcp-server|-mcp|-server)$", "", name.lower())
    return re.sub(r"[^a-z0-9]+", "", bare)
