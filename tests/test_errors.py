"""What is put into messages: one line, and short."""

from __future__ import annotations

import pytest

from glass_core.errors import one_line, shown


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("a\n  b\t c"), "a b c"),
        (EOFError(), "EOFError"),
        (KeyError(" "), "' '"),
        (OSError("x" * 200), "x" * 120 + "..."),
    ],
)
def test_what_a_library_says_in_one_line(error, line):
    assert one_line(error) == line


def test_what_a_user_wrote_is_cut_to_its_length():
    assert shown("K2R\n T3A") == "K2R T3A"
    assert shown("K2R T3A", 3) == "K2R..."
