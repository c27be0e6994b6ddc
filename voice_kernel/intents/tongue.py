"""In which language words are, as far as a handful of words can tell: for saying that it is the wrong one.

Knows the commonest words of each language that we understand and that the others do not have, and nothing
of grammar. Whoever is told is somebody whose command was not understood: a guess is enough, silence is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from voice_kernel.language import N_

TONGUES: Mapping[str, str] = {"en": N_("English"), "de": N_("German")}
"""What the languages are called that a session can be in."""
_ENGLISH = """
    about add all and are below by can cancel cell cells clear close column columns could create cursor
    delete describe do does each everything execute explain file files find first fix for from give go
    have heading help how i insert install is it last make many me mean move my next of open page please
    rename replace replay restart row rows run save search select show sort start stop take task tasks
    tell that the them then there these this to turn type undo up variable variables what when where which
    why with would write you your
"""
_GERMAN = """
    aber alle allem allen aller alles als andere anzeigen auf aufgabe aus ausführen bei beschreibe bitte
    brich da dann das datei dateien dem den der des die diese diesem diesen dieser dieses dir doch du
    durch ein eine einem einen einer eines einfügen er erkläre erste ersten es fasse fehler füge führ
    führe für geh gehe gib gibt habe hier hilfe ich ihr im ins ist jetzt kann kannst kein keine klick
    klicke lass laufen letzte letzten lies lösch lösche löschen mach mache mein meine mich mir mit nach
    nein neu neue nicht noch nochmal nummer nur nächste nächsten oben oder paket plotte pro punkt
    rückgängig sage schließ schließe schreib schreibe sei seite sie sind sortiere spalte speicher
    speichere starte starten stopp suche tippe um und uns unter von vor weiter welche wer wie wieder
    wiederhole wo wähle zeichne zeig zeige zeigen zeile zeilen zelle zellen zu zum zur ändere öffne über
"""
WORDS: Mapping[str, frozenset[str]] = {
    "en": frozenset(_ENGLISH.split()),
    "de": frozenset(_GERMAN.split()),
}
"""By language: words that stand in almost every sentence of it, and in none of the others'."""
_ONLY_GERMAN = re.compile("[äöüß]")


def other_tongue(text: str, language: str) -> str:
    """Return the language that words are in when it clearly is another one than expected, else nothing.

    Args:
        text: what was said or typed.
        language: what was expected, ISO 639-1; one that is not known here is never contradicted.
    """
    if language not in WORDS:
        return ""
    words = re.findall(r"[^\W\d_]+", text.lower())
    found = {
        name: sum(word in known or (name == "de" and bool(_ONLY_GERMAN.search(word))) for word in words)
        for name, known in WORDS.items()
    }
    own = found.pop(language)
    other = max(found, key=lambda name: found[name])
    return other if found[other] > 2 * own else ""
