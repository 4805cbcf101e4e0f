"""A run as one zip file: inputs, rows, dictionary, provenance, report; out and in again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from glass_core.errors import GlassError, InputError
from glass_core.impact.as_json import from_json, to_json
from glass_core.inputs.text import decode
from glass_core.report.impact.html import impact_report
from glass_core.report.screen.exports import read_screen_parquet, screen_csv, screen_parquet
from glass_core.report.screen.html import screen_report
from glass_core.report.screen.tables import dictionary_frame, rejected_csv
from glass_core.runs.store import RunStore
from glass_core.screen.columns import RANKINGS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow

BUNDLE_FORMAT, FORMAT_1 = "glass-run/2", "glass-run/1"
"""Rows and analyses inside are of their own formats; what those read is read here."""
MAX_MEMBER, MAX_TOTAL = 500_000_000, 1_000_000_000
"""Bytes a bundle may unpack to; more is refused before it is unpacked."""
_ZIP = b"PK\x03\x04"
"""Every zip file with content begins so."""
RUN, INPUTS, ROWS, IMPACT = "run.json", "inputs.json", "rows.parquet", "impact.json"


def export_bundle(store: RunStore, run: str, script: str | None = None) -> bytes:
    """The zip file of a run.

    Parameters
    ----------
    script : str, optional
        3Dmol.js for the report of an analysis.

    Raises
    ------
    RunError
        The run is not known.
    """
    known = store.get(run)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:

        def put(name: str, content: str | bytes) -> None:
            bundle.writestr(name, content)

        impact = store.impact(run)
        if impact is not None:
            put(IMPACT, to_json(impact))
            put("report.html", impact_report([impact], script))
        else:
            inputs, rows = store.inputs(run), store.rows(run)
            put(INPUTS, inputs.to_json())
            put(ROWS, screen_parquet(rows))
            put("rows.csv", screen_csv(rows))
            own = rows[0].own if rows else ()
            put("columns.csv", dictionary_frame(own).to_csv(index=False))
            put("provenance.json", json.dumps(inputs.provenance, indent=1))
            put("report.html", screen_report(inputs, rows, "" if known is None else known.name))
            if rejected := rejected_csv(rows):
                put("rejected.csv", rejected)
        if known is not None:
            put(
                RUN,
                json.dumps(
                    {
                        "format": BUNDLE_FORMAT,
                        "kind": known.kind,
                        "name": known.name,
                        "created": known.created,
                        "state": known.state,
                    }
                ),
            )
    return target.getvalue()


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds: an analysis, or a screen with its rows.

    Attributes
    ----------
    name : str
        Of the run.
    impact : str
        JSON of the analysis; '' of a screen.
    request : ScreenRequest or None
        None of an analysis.
    rows : tuple of ScreenRow
    """

    name: str
    impact: str = ""
    request: ScreenRequest | None = None
    rows: tuple[ScreenRow, ...] = ()


def read_bundle(content: bytes) -> Bundle:
    """What `export_bundle` wrote, or that of the format before.

    Raises
    ------
    InputError
        Not a bundle, one that claims to unpack to more than is allowed, or a damaged one.
    """
    with _damage_told(), zipfile.ZipFile(io.BytesIO(content)) as bundle:
        sizes = [member.file_size for member in bundle.infolist()]
        if sum(sizes) > MAX_TOTAL or max(sizes, default=0) > MAX_MEMBER:
            raise InputError("bundle: unpacks to more than 1 GB; it is not from GLASS.")
        about: dict[str, Any] = json.loads(_read(bundle, RUN))
        if about.get("format") not in (BUNDLE_FORMAT, FORMAT_1):
            raise InputError("bundle: is of another format; export it again with this version.")
        name = str(about["name"])
        if about["kind"] == "impact":
            return Bundle(name, impact=_read(bundle, IMPACT).decode())
        request = ScreenRequest.from_json(_read(bundle, INPUTS).decode())
        rows = tuple(read_screen_parquet(_read(bundle, ROWS)))
        names = {p.short_name for p in request.proteins}
        if not names or {r.protein for r in rows} - names or request.ranking not in RANKINGS:
            raise ValueError("rows and inputs do not belong together")
        if len({r.row for r in rows}) < len(rows):
            raise ValueError("a row is there twice")
        return Bundle(name, request=request, rows=rows)


def read_result(content: bytes, name: str) -> Bundle:
    """A run that was exported, or the JSON of an analysis alone; `name`: of the file.

    Raises
    ------
    InputError
        It is a damaged bundle, or no text.
    """
    if content.startswith(_ZIP):
        return read_bundle(content)
    return Bundle(name, impact=decode(content, name))


def import_bundle(store: RunStore, content: bytes) -> str:
    """Add the run of a bundle under a new id.

    Raises
    ------
    InputError
        As `read_bundle` does.
    """
    read = read_bundle(content)
    if read.request is None:
        return store.keep_impact(from_json(read.impact), read.name)
    with _damage_told():
        rows = (replace(row, analysis=None) for row in read.rows)  # which are not kept here
        run = store.create(read.request, rows, read.name)
    if not any(row.status == "waiting" for row in read.rows):
        store.set_state(run, "done")
    return run


@contextmanager
def _damage_told() -> Iterator[None]:
    """Turn whatever goes wrong with strange content into one line."""
    try:
        yield
    except GlassError:
        raise
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        OSError,
        RecursionError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise InputError("bundle: is damaged or not a GLASS bundle; export the run again.") from (
            error
        )


def _read(bundle: zipfile.ZipFile, name: str) -> bytes:
    """A member's content, never more than it may be whatever its header says."""
    with bundle.open(name) as member:
        content = member.read(MAX_MEMBER + 1)
    if len(content) > MAX_MEMBER:
        raise InputError("bundle: unpacks to more than 1 GB; it is not from GLASS.")
    return content
