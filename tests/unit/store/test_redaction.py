"""Secrets do not get into a history, and what only names one stays as it is."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.store.redaction import MARKERS, REDACTED, Redaction

KEY = "AbC123dEf456GhI789jKl012MnO345pQr678"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{KEY}\n-----END RSA PRIVATE KEY-----"
PLAIN = Redaction()

HIDDEN = [
    (f"export OPENAI_API_KEY=sk-proj-{KEY}", f"sk-proj-{KEY}"),
    (f"key sk-ant-api03-{KEY} there", KEY),
    (f"git push https://ghp_{KEY}@host/x", f"ghp_{KEY}"),
    (f"github_pat_{KEY}", KEY),
    (f"glpat-{KEY}", KEY),
    ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    (f"xoxb-{KEY}", KEY),
    (f"hf_{KEY}", KEY),
    (f"AIza{KEY}", KEY),
    (f"npm_{KEY}", KEY),
    (f"pypi-{KEY}{KEY}", KEY),
    (f"sk_live_{KEY}", KEY),
    (f"eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.{KEY}", KEY),
    (PEM, KEY),
    (PEM[:60], KEY[:20]),
    ("curl -H 'Authorization: Bearer abc.def-123456'", "abc.def-123456"),
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("authorization: 0123456789abcdef", "0123456789abcdef"),
    ("git clone https://me:s3cret@host/x", "s3cret"),
    ("postgresql://user:p@host/db", ":p@"),
    ("PGPASSWORD=hunter2 psql", "hunter2"),
    ("password=hunter2", "hunter2"),
    ("password:hunter2", "hunter2"),
    ("password: hunter22", "hunter22"),
    ('password = "hunter two"', "hunter two"),
    ("DB_PASSWORD='hunter'", "hunter"),
    ('{"password": "hunter"}', "hunter"),
    ('{"api_key": "abcdef"}', "abcdef"),
    ('os.environ["TOKEN"] = "abcdef"', "abcdef"),
    ('password: str = "abc"', "abc"),
    ("mysql --password hunter2", "hunter2"),
    ("tool --api-key abcdef --other x", "abcdef"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "wJalrXUtnFEMI"),
    ("?access_token=abcdef123&x=1", "abcdef123"),
    ("curl -H 'X-Api-Key: abc123def456' https://x", "abc123def456"),
    ('psycopg2.connect("host=h password=hunter22")', "hunter22"),
    ("['mysql', '--password=hunter22']", "hunter22"),
    ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    ("Cookie: session=abcdef; csrftoken=ghijkl", "abcdef"),
    ("Set-Cookie: sessionid=abcdef; Path=/", "abcdef"),
    ("curl -u me:s3cret https://x", "s3cret"),
    ("curl -sS --user 'me:s3cret' https://x", "s3cret"),
    ("mysql -u root -ps3cret db", "s3cret"),
    ("sshpass -p s3cret ssh x", "s3cret"),
    ("docker login -u me -p s3cret", "s3cret"),
    ("https://x/y?sv=2024&sig=abcDEF%2Fghi%3D&se=1", "abcDEF"),
    ("https://x/y?X-Amz-Signature=0123456789abcdef", "0123456789abcdef"),
    ("https://x/y?apikey=abcdefghijkl", "abcdefghijkl"),
    ("http://127.0.0.1:9/callback?code=abcdefghijklmnopqrst&state=x", "abcdefghijklmnopqrst"),
    (f"https://{KEY}@host/x", KEY),
    ("https://hooks.slack.com/services/T00000000/B00000000/abcdefgh", "abcdefgh"),
    (f"https://discord.com/api/webhooks/1234567890/{KEY}", KEY),
    (f"AccountName=me;AccountKey={KEY}==;EndpointSuffix=x", KEY),
    (f"[default]\naws_secret_access_key = {KEY}\nregion = x", KEY),
    (f"gsk_{KEY}", KEY),
    (f"SG.{KEY[:22]}.{KEY}", KEY),
    (r"\"token=\\\"abcdef\\\"\"", "abcdef"),
]

LEFT = [
    "password = getpass()",
    'password=os.environ["PGPASSWORD"]',
    "psql $PGPASSWORD",
    "PASSWORD=$(cat file)",
    'password="$PW"',
    "tokens = text.split()",
    "max_tokens=100",
    "f(token=tokenizer)",
    "token: Token | None = None",
    'print("token: ", token)',
    "df['token'] = df['a']",
    "the password is wrong",
    "bearer of good news",
    "basic authorization",
    "a@b.example",
    "http://host:8080/path",
    "sk-learn and scikit-learn",
    "asian cuisine, sky, risk-free",
    "key=5",
    "secret = f'{x}'",
    "secret_key = compute_the_key_of_2026",
    "api_key = secrets.token_hex(16)",
    'print("token=", token)',
    'f"password={password}"',
    'url = "https://host/x?code=DE&auth=" + auth',
    "cookie: str = 'x'",
    "cookies = {'a': 1}",
    "curl -u $USER:$PASSWORD https://x",
    "mysql -p -u root db",
    "mysql -u root --port 3306",
    "ssh://deploy1@host/x",
    "docker run -p 8080:80 image",
    "wget -q https://example.com",
]


@pytest.mark.parametrize(("text", "secret"), HIDDEN)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    hidden = PLAIN.text(text)
    assert secret not in hidden
    assert REDACTED in hidden


@pytest.mark.parametrize("text", LEFT)
def test_what_only_names_a_secret_stays(text: str) -> None:
    assert PLAIN.text(text) == text


def test_what_is_around_a_secret_stays() -> None:
    text = "git clone https://me:s3cret@host/x && PGPASSWORD=hunter2 psql -h x"
    assert PLAIN.text(text) == f"git clone https://me:{REDACTED}@host/x && PGPASSWORD={REDACTED} psql -h x"


def test_known_values_are_hidden_wherever_they_are() -> None:
    redaction = Redaction(['quo"te\\d', "short", "abcdefgh", "abcdef"])
    assert redaction.text('a quo"te\\d b') == f"a {REDACTED} b"
    assert redaction.text("xabcdefghx") == f"x{REDACTED}x"
    assert redaction.text("short") == "short"  # less than six characters are in too many words
    document = json.dumps({"a": ['x quo"te\\d'], "b": 1})
    assert json.loads(redaction.json(document)) == {"a": [f"x {REDACTED}"], "b": 1}


def test_keys_of_json_name_secrets() -> None:
    document = json.dumps({"db_password": "x", "n": {"Authorization": "y"}, "passwords": ["z"], "user": "u"})
    assert json.loads(PLAIN.json(document)) == {
        "db_password": REDACTED,
        "n": {"Authorization": REDACTED},
        "passwords": ["z"],
        "user": "u",
    }


def test_pictures_are_left_alone() -> None:
    picture = "password=abcdef" * 10
    document = json.dumps({"data": {"image/png": picture, "text/plain": "password=abcdef"}})
    assert json.loads(PLAIN.json(document))["data"] == {
        "image/png": picture,
        "text/plain": f"password={REDACTED}",
    }


def test_a_document_without_a_trace_of_a_secret_is_not_touched() -> None:
    document = '{"a":  "just text"}'
    assert PLAIN.json(document) is document


def test_every_format_has_a_marker_by_which_it_is_looked_for() -> None:
    for text, _ in HIDDEN:
        assert any(marker in text.lower() for marker in MARKERS), text


@given(st.text(max_size=300))
def test_any_text_can_be_redacted_and_twice_is_as_good_as_once(text: str) -> None:
    once = PLAIN.text(text)
    assert PLAIN.text(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        "curl ",
        "mysql ",
        "docker login ",
        "cookie: a=",
        "?sig=",
        "password=",
        "token: ",
        "://a:",
        "eyJ",
        "sk-",
        "Authorization: ",
        '"secret": "',
        "-----BEGIN ",
    ],
)
def test_no_text_takes_long(unit: str) -> None:
    begin = time.process_time()
    PLAIN.text(unit * (400_000 // len(unit)))
    assert time.process_time() - begin < 60  # in fact 0.6 s at most; what grows with the square takes minutes
