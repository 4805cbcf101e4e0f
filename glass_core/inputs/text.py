"""Bytes as text, in the encodings that spreadsheets and editors write."""

from __future__ import annotations

import codecs
import re

from glass_core.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_START = 1000
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
"""Letters that no text has."""


def decode(content: bytes, name: str) -> str:
    """The text of a file: by its byte order mark, else UTF-8, UTF-16 or Windows-1252.

    UTF-16 without a mark is told by the zeros that Latin letters have in it; what is no UTF-8
    is Windows-1252, as Excel saves CSV.

    Raises
    ------
    InputError
        It is no text.
    """
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        raise _no_text(name) from error
    if _CONTROL.search(text[:_START]):
        raise _no_text(name)
    return text


def guessed_encoding(content: bytes) -> str:
    """A sentence about an encoding that the content does not prove; '' where it does."""
    if _encoding(content) != "cp1252":
        return ""
    return "The text is no UTF-8 and was read as Windows-1252."


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    even, odd = content[:_START:2], content[1:_START:2]
    # Latin letters have their zero behind them in little-endian order, else before.
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if 2 * zeros.count(0) > len(zeros) and not others.count(0):
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _no_text(name: str) -> InputError:
    return InputError(f"{name}: is not a text file; give a table or text, saved as UTF-8.")
