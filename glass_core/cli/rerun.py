"""The command that repeats a result and says whether it comes out the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glass_core.cli.options import FILE, PARTLY_FAILED, device_option, json_option, settings_on
from glass_core.cli.progress import console_bar
from glass_core.cli.writing import writing
from glass_core.errors import InputError

if TYPE_CHECKING:
    from glass_core.impact.compare import Comparison
    from glass_core.runs.bundle import Bundle
    from glass_core.settings import Settings

DIFFERS = 1
_SHA256, _SHOWN = 64, 12
"""Digits that a hash has, and that are enough to tell two apart."""


@click.command("rerun")
@click.argument("result", type=FILE)
@click.option("--out", type=FILE, help="Where to write the new result: JSON, of a screen CSV.")
@click.option("--model", help="Another model than that of the result; see the command 'models'.")
@device_option
@json_option
def rerun_command(
    result: Path, out: Path | None, model: str | None, device: str | None, as_json: bool
) -> None:
    """Repeat RESULT with what is installed now, and tell what differs and what was changed.

    RESULT is the JSON of an analysis, or a run exported as a zip file. Exit code 0 when all
    numbers come out as they were within the tolerance that is told, 1 when some do not, 3 when
    all do but a part could not be repeated.
    """
    from glass_core.inputs.upload import Upload
    from glass_core.runs.bundle import read_result

    bundle = read_result(Upload.from_path(result).content, result.name)
    settings = settings_on(device)
    comparison, text = (_analysis if bundle.request is None else _screen)(bundle, settings, model)
    if out is not None:
        with writing(out):
            out.write_text(text, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(comparison.to_dict(), allow_nan=False))
    else:
        _print(comparison)
    if not comparison.repeats:
        sys.exit(DIFFERS)
    if comparison.left_out:
        sys.exit(PARTLY_FAILED)


def _analysis(bundle: Bundle, settings: Settings, model: str | None) -> tuple[Comparison, str]:
    from glass_core.impact.as_json import from_json, to_json
    from glass_core.impact.rerun import rerun
    from glass_core.models.registry import load_predictor
    from glass_core.progress import Watch

    name = model or from_json(bundle.impact).prediction.model.name
    with console_bar("loading the model") as bar:
        predictor = load_predictor(settings, name)
        made = rerun(bundle.impact, predictor=predictor, watch=Watch(bar.stage))
    return made.comparison, to_json(made.impact)


def _screen(bundle: Bundle, settings: Settings, model: str | None) -> tuple[Comparison, str]:
    from glass_core.models.registry import load_predictor
    from glass_core.report.screen.exports import screen_csv
    from glass_core.screen.rerun import rerun_screen

    if bundle.request is None:
        raise InputError("bundle: holds no screen.")
    rows = bundle.rows
    with console_bar("loading the model") as bar:
        made = rerun_screen(
            bundle.request,
            rows,
            predictor=load_predictor(settings, model or bundle.request.model),
            progress=lambda done: bar.stage("predicting", done / len(rows)),
        )
    return made.comparison, screen_csv(made.rows)


def _print(comparison: Comparison) -> None:
    number, differ = comparison.compared, len(comparison.differences)
    if comparison.repeats:
        click.echo(f"It repeats in all of {number} respects, within their tolerances.")
    else:
        click.echo(f"It differs in {differ} of {number} respects.")
    for one in comparison.differences:
        tolerance = f" (tolerance {one.tolerance:g})" if one.tolerance else ""
        click.echo(f"  {one.name}: {_value(one.before)} before, {_value(one.now)} now{tolerance}")
    if comparison.changed:
        click.echo("What it was made with has changed:")
    elif differ:
        click.echo(
            "Nothing that is recorded of how it was made has changed: another processor may round "
            "otherwise, or the file was edited."
        )
    for change in comparison.changed:
        click.echo(f"  {change.name}: {_short(change.before)} before, {_short(change.now)} now")
    for sentence in comparison.left_out:
        click.echo(f"Not repeated: {sentence}")
    for kept in comparison.kept:
        click.echo(f"Taken from the result as it stands: {kept}")


def _value(value: float | str | None) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else f"{value:.4g}"


def _short(text: str) -> str:
    """The start of a SHA-256, anything else as it is."""
    return text[:_SHOWN] if len(text) == _SHA256 else text or "not recorded"
