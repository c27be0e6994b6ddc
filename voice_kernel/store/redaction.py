"""Secrets are hidden before anything is written: values that are known, and what looks like one.

Knows strings and JSON, and nothing of what they mean to a session. It errs on the side of hiding where
a format is unmistakable (`ghp_…`, `AKIA…`), and leaves code alone that only names a secret
(`password=getpass()`, `$TOKEN`): a history is there to be run again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

REDACTED = "[secret]"
MIN_SECRET_CHARS = 6
"""Shorter values are no secrets: hiding every `1` or `test` would make a history unreadable."""

# fmt: off
MARKERS = (
    "sk-", "sk_", "rk_", "pk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "akia",
    "asia", "xox", "hf_", "aiza", "ya29", "eyj", "pypi-", "npm_", "bearer", "authorization", "passw",
    "pwd", "passphrase", "secret", "token", "credential", "private", "_key", "-key", "apikey",
    "accesskey", "accountkey", "authkey", "@", "cookie", "curl", "wget", "mysql", "mariadb", "sshpass",
    "login", "sig=", "signature=", "auth=", "code=", "webhooks/", "hooks.slack", "sg.", "gsk_", "xai-",
    "pplx-", "tvly-", "dop_v1_", "dapi", "whsec_", "tskey-", "ntn_", "lin_api_",
)
# fmt: on
"""In lower case; text without any of them holds nothing to hide. Looking for them costs a tenth of what
the patterns cost."""

FORMATS = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic
    r"|\b[srp]k_(?:live|test)_[A-Za-z0-9]{10,}"  # Stripe
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}"
    r"|\bhf_[A-Za-z0-9]{20,}"
    r"|\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{20,}"
    r"|\bpypi-[A-Za-z0-9_-]{40,}|\bnpm_[A-Za-z0-9]{30,}"
    r"|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"  # SendGrid
    r"|\b(?:gsk_|xai-|pplx-|tvly-|lin_api_|ntn_)[A-Za-z0-9_-]{24,}"  # Groq, xAI, Perplexity, Tavily, ...
    r"|\bdop_v1_[a-f0-9]{40,}|\bdapi[a-f0-9]{32}\b|\bwhsec_[A-Za-z0-9+/=]{20,}|\btskey-[A-Za-z0-9-]{16,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"  # JSON Web Token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)

_PASSWORDS = r"(?:password|passwd|pwd|passphrase)"
_TOKENS = r"(?:secret|token|credential|(?:api|access|private|secret|auth|account)[_-]?key)"

# Each keeps its groups `before` and `after`; what lies between is hidden.
PLACES = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"(?P<before>\bauthorization[\"']?\s*[=:]\s*[\"']?bearer\s+)[^\s\"'$<{]{6,}(?P<after>)",
        r"(?P<before>\bbearer\s+)(?=\S*\d)[\w.~+/=-]{8,}(?P<after>)",
        r"(?P<before>\bauthorization[\"']?\s*[=:]\s*[\"']?(?:basic|token|digest)\s+)[^\s\"'$<{]{6,}(?P<after>)",
        r"(?P<before>\bauthorization[\"']?\s*[=:]\s*[\"']?)(?=\S*\d)(?!bearer\b|basic\b)[^\s\"'$<{]{6,}(?P<after>)",
        # scheme://user:password@host
        r"(?P<before>://[^\s/:@\"']{0,100}:)[^\s/@\"'$<{]{1,200}(?P<after>@)",
        # scheme://token@host
        r"(?P<before>://)(?=[^\s/:@\"']*\d)[^\s/:@\"'$<{\[]{16,200}(?P<after>@)",
        # ?sig=VALUE, &auth=VALUE, as addresses that were signed have them
        r"(?P<before>[?&](?:[\w-]*(?:signature|[_-]?token|api[_-]?key)|sig|auth)=)[^\s&#\"'$<{\[]{6,}(?P<after>)",
        r"(?P<before>[?&]code=)[^\s&#\"'$<{\[]{16,}(?P<after>)",
        r"(?P<before>hooks\.slack\.com/services/|/api/webhooks/\d+/)[\w/-]{16,}(?P<after>)",
        # Cookie: name=VALUE; name=VALUE
        r"(?P<before>\b(?:set-)?cookie\\*[\"']?:\s*\\*[\"']?)(?=[\w.-]+=)[^\n\"'\\]+(?P<after>)",
        # curl -u name:VALUE, mysql -pVALUE, docker login -p VALUE
        r"(?P<before>\b(?:curl|wget)\b[^\n|;&]{0,300}?\s(?:-u|--user|--proxy-user)[\s=]*[\"']?[^\s:\"']{1,100}:)"
        r"[^\s\"'$<{]+(?P<after>)",
        r"(?P<before>\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;&]{0,300}?\s-p)(?![$<{])[^\s\"'-][^\s\"']*"
        r"(?P<after>)",
        r"(?P<before>\b(?:sshpass|(?:docker|podman|az|oc)\s+login\b[^\n|;&]{0,300}?)\s-p\s*[\"']?)(?![$<{])"
        r"[^\s\"']+(?P<after>)",
        # --password VALUE, --api-key VALUE
        rf"(?P<before>(?<!\S)--?[\w-]*(?:{_PASSWORDS}|{_TOKENS})\s+[\"']?)(?![-$<{{])[^\s\"']{{3,}}(?P<after>)",
        # name = "VALUE", name: 'VALUE', also where the quotes are escaped
        rf"(?P<before>\b[\w-]*(?:{_PASSWORDS}|{_TOKENS})\\*[\"']?\]?\s*(?::\s*\w+\s*)?[=:]\s*[brfu]?\\*(?P<q>[\"']))"
        r"(?![$<{])(?:(?!(?P=q))[^\\\n]){3,}(?P<after>\\*(?P=q))",
        # PASSWORD=VALUE as shells, URLs and connection strings have it; not a name or call in code
        rf"(?P<before>\b[\w-]*{_PASSWORDS}=)(?![$<{{%*\[])[^\s\"'&;,()\[\]{{}}\\]{{3,}}+(?![(\[])(?P<after>)",
        # A token so given has a digit, unlike the names of variables
        rf"(?P<before>\b[\w-]*(?:{_PASSWORDS}|{_TOKENS})(?:=|:\s*))(?=[^\s\"'&;,()\[\]{{}}\\]*\d)"
        r"(?![$<{%*\[])[^\s\"'&;,()\[\]{}\\]{6,}+(?![(\[])(?P<after>)",
        # name = VALUE as ~/.aws/credentials has it; a value that long and mixed is no name
        rf"(?P<before>^[ \t]*[\w-]*{_TOKENS}[ \t]*=[ \t]*)(?=\S*\d)(?-i:(?=\S*[A-Z])(?=\S*[a-z]))"
        r"[A-Za-z0-9/+=]{20,}(?P<after>[ \t]*$)",
    )
)

SECRET_KEY = re.compile(rf"(?:^|[_\-. ])(?:{_PASSWORDS}|{_TOKENS}|authorization)$", re.IGNORECASE)
"""A key of a JSON object whose text is a secret, e.g. `db_password`."""

BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")
"""Mime types that hold base64, in which nothing is to be found."""


class Redaction:
    """Hides secrets in text and in JSON.

    Args:
        secrets: values that are known; those shorter than `MIN_SECRET_CHARS` are left out.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values = sorted({s for s in secrets if len(s) >= MIN_SECRET_CHARS}, key=len, reverse=True)
        # As JSON has them: quotes and backslashes escaped.
        self._quoted = [json.dumps(value, ensure_ascii=False)[1:-1] for value in self._values]

    def text(self, text: str) -> str:
        """Return the text with every secret in it hidden."""
        for value in self._values:
            text = text.replace(value, REDACTED)
        if not _has_marker(text):
            return text
        text = FORMATS.sub(REDACTED, text)
        for place in PLACES:
            text = place.sub(_hidden, text)
        return text

    def suspects(self, *documents: str) -> bool:
        """Return whether there may be a secret in any of some JSON documents; quick, and seldom wrong."""
        document = "\n".join(documents)
        return _has_marker(document) or any(value in document for value in self._quoted)

    def json(self, document: str) -> str:
        """Return a JSON document with every secret in its strings hidden."""
        if not self.suspects(document):
            return document
        return json.dumps(self.value(json.loads(document)), ensure_ascii=False, separators=(",", ":"))

    def value(self, value: Any, key: str = "") -> Any:
        """Return a JSON value with every secret in its strings hidden.

        Args:
            value: what `json.loads` gives.
            key: its name in the object that holds it.
        """
        if isinstance(value, str):
            if key in BINARY or not value:
                return value
            return REDACTED if SECRET_KEY.search(key) else self.text(value)
        if isinstance(value, list):
            return [self.value(item, key) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.value(item, name) for name, item in value.items()}
        return value


def _hidden(match: re.Match[str]) -> str:
    return f"{match['before']}{REDACTED}{match['after']}"


def _has_marker(text: str) -> bool:
    lower = text.lower()
    # Not any(): this is most of what writing a history costs.
    for marker in MARKERS:  # noqa: SIM110
        if marker in lower:
            return True
    return False
