"""One colour for one meaning."""

from __future__ import annotations

from pathlib import Path

from glass_core.report import style

REPORT = Path(style.__file__).parent


def test_no_two_meanings_share_a_colour():
    meanings = (
        style.PREDICTED,
        style.MEASURED,
        style.STRAIN,
        style.FLOOR,
        style.EVALUATED,
        style.BESIDE,
        style.EXTERNAL,
        style.WILD,
        style.MUTANT,
        *style.STRETCHES,
    )
    assert len(set(meanings)) == len(meanings)
    assert not set(style.CHANGE_SCALE) & {colour for _, colour in style.PLDDT}


def test_the_evidence_page_leaves_predicted_and_measured_alone():
    """There they would stand for two kinds of error, or for a trend."""
    for path in (REPORT / "evidence").glob("*.py"):
        text = path.read_text()
        assert "style.PREDICTED" not in text and "style.MEASURED" not in text, path
