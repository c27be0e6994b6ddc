"""A run of the tests as a JUnit report, the XML that build servers read.

Source: the `xunit2` family that pytest writes, https://github.com/jenkinsci/xunit-plugin (junit-10.xsd).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

from voice_kernel.tools.terminal import plain
from voice_kernel.tools.testing.record import Record, Run

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped", "xfailed": "skipped"}


def report(run: Run) -> bytes:
    """Return a run as XML; tests that were only counted are told of as a property."""
    number = dict.fromkeys(("failed", "error", "skipped", "xfailed"), 0)
    for record in run.records:
        if record.outcome in number:
            number[record.outcome] += 1
    suites = ElementTree.Element("testsuites", name="tests")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name="voice_kernel",
        tests=str(len(run.records)),
        failures=str(number["failed"]),
        errors=str(number["error"]),
        skipped=str(number["skipped"] + number["xfailed"]),
        time=f"{run.duration_s:.3f}",
        timestamp=datetime.fromtimestamp(run.started_at, UTC).isoformat(timespec="seconds"),
    )
    if run.left_out:
        properties = ElementTree.SubElement(suite, "properties")
        ElementTree.SubElement(properties, "property", name="left_out", value=str(run.left_out))
    for record in run.records:
        _add(suite, record)
    xml: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return xml


def _add(suite: ElementTree.Element, record: Record) -> None:
    file, _, name = record.id.partition("::")
    # A parameter may hold anything, `::` too.
    bare, bracket, parameter = name.partition("[")
    classes, _, function = bare.rpartition("::")
    parts = [file.removesuffix(".py").replace("/", "."), *classes.split("::")]
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_text(".".join(part for part in parts if part)),
        name=_text(function + bracket + parameter) or _text(file) or "pytest",
        time=f"{record.duration_s:.3f}",
    )
    tag = _TAGS.get(record.outcome)
    if tag is not None:
        why = ElementTree.SubElement(case, tag, message=_text(record.message))
        if record.detail:
            why.text = _text(record.detail)


def _text(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return _NO_XML.sub("?", plain(text))
