"""Input that means harm: bombs, script, formulas, paths, pickles, absurd claims."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import resource
import shutil
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from glass_core.errors import GlassError, InputError, ModelError, StructureError
from glass_core.impact.analyse import analyse
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.table import MAX_ROWS, read_table
from glass_core.inputs.upload import Upload
from glass_core.models.checkpoint import load_authors_checkpoint
from glass_core.models.registry import list_models, load_predictor
from glass_core.protein.annotation import Annotation, Feature, KnownVariant
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure
from glass_core.protein.variant import Variant
from glass_core.report.impact.annotation import known_variant_table
from glass_core.report.impact.exports import exports
from glass_core.report.impact.html import impact_report
from glass_core.report.impact.tables import without_formulas
from glass_core.report.impact.track import residue_track
from glass_core.report.screen.exports import screen_csv
from glass_core.runs.bundle import export_bundle, import_bundle
from glass_core.runs.database import new_id
from glass_core.runs.store import RunStore
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow
from glass_core.settings import Settings
from tests.tools.dashboard import CHROMIUM, FLAGS, wait_ms
from tests.tools.pace import patience
from tests.tools.robustness import small_structure, structure_files

SCRIPT = "</script><script>window.HARMED=1</script><img src=x onerror=window.HARMED=1>"
ROOT = Path(__file__).parents[1]
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@contextmanager
def bounded(memory: int = 1 << 30):
    """No larger than this."""
    before = _peak()
    yield
    assert _peak() - before < memory


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


# --- bombs --------------------------------------------------------------------------------


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(gzip.compress(b"\0" * 500_000_000, 9), 9)
    inner = gzip.decompress(bomb)
    for content in (bomb, inner):
        with bounded(), pytest.raises(StructureError):
            read_structure(content, name="bomb.cif.gz")


def test_a_zip_bomb_is_refused(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("run.json", json.dumps({"format": "glass-run/1", "kind": "screen"}))
        with bundle.open("inputs.json", "w", force_zip64=True) as member:
            for _ in range(60):
                member.write(b" " * 10_000_000)
    with bounded(), pytest.raises(InputError, match="unpacks to more than 1 GB"):
        import_bundle(RunStore(tmp_path / "runs.sqlite"), packed.getvalue())


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("run.json", b" " * 50_000_000)
    content = packed.getvalue().replace(
        (50_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    )
    with bounded(), pytest.raises(InputError):
        import_bundle(RunStore(tmp_path / "runs.sqlite"), content)


def _binary(change) -> bytes:
    import msgpack

    file = msgpack.unpackb(structure_files(small_structure())["bcif"])
    change({c["name"]: c for c in file["dataBlocks"][0]["categories"][0]["columns"]})
    return msgpack.packb(file)


def test_a_binary_file_of_endless_runs_is_refused():
    def endless(columns):
        for step in columns["Cartn_x"]["data"]["encoding"]:
            if "srcSize" in step:
                step["srcSize"] = 2**40
        columns["group_PDB"]["data"]["encoding"][0]["dataEncoding"][0]["srcSize"] = 2**33

    with bounded(), pytest.raises(StructureError, match="would fill the memory"):
        read_structure(_binary(endless), name="bomb.bcif")


def test_a_binary_file_without_lengths_is_refused():
    def nameless(columns):
        del columns["group_PDB"]["data"]["encoding"][0]["dataEncoding"][0]["srcSize"]

    with bounded(), pytest.raises(StructureError, match="does not say how long"):
        read_structure(_binary(nameless), name="bomb.bcif")


def test_a_binary_file_with_one_endless_word_is_refused():
    def wordy(columns):
        column = columns["group_PDB"]["data"]["encoding"][0]
        column["stringData"] = "A" * 2_000_000
        column["offsets"] = np.array([0, 2_000_000], dtype="<i4").tobytes()
        column["offsetEncoding"] = [{"kind": "ByteArray", "type": 3}]
        column["dataEncoding"][0]["srcSize"] = 1_000_000

    with bounded(), pytest.raises(StructureError, match="would fill the memory"):
        read_structure(_binary(wordy), name="bomb.bcif")


@pytest.mark.parametrize("word", ["A" * 1_000_000, "\n;" + "A\n" * 500_000 + ";"])
def test_a_text_with_one_endless_word_is_refused(word):
    good = structure_files(small_structure())["mmcif"].decode()
    atoms = [line for line in good.splitlines() if line.startswith("ATOM")]
    last = atoms[-1].split(maxsplit=2)
    long = f"{last[0]} {word}\n{last[2]}"
    content = good.replace(atoms[-1], "\n".join([*atoms * 30, long])).encode()
    with bounded(), pytest.raises(StructureError):
        read_structure(content, name="bomb.cif")


def test_a_large_honest_file_is_read(globin):
    lines = write_structure(globin, "mmcif")
    atoms = [line for line in lines.splitlines() if line.startswith("ATOM")]
    again = []
    for copy in range(1, 60):
        again += [re.sub(r" A ", f" X{copy} ", line) for line in atoms]
    content = lines.replace(atoms[-1], "\n".join([atoms[-1], *again])).encode()
    assert len(content) > 5_000_000
    assert read_structure(content, chain="A", name="large.cif").sequence == globin.sequence


def test_a_parquet_bomb_is_refused():
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = io.BytesIO()
    words = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(900_000, dtype=np.int32)), pa.array(["A" * 100_000])
    )
    pq.write_table(pa.table({"variant": words}), target)
    assert len(target.getvalue()) < 1_000_000
    with bounded(), pytest.raises(InputError, match=r"unpacks to more than"):
        read_table(target.getvalue(), "bomb.parquet")
    many = io.BytesIO()
    pq.write_table(pa.table({"variant": pa.array(np.zeros(MAX_ROWS + 1, dtype=np.int8))}), many)
    with bounded(), pytest.raises(InputError, match="more than 1,000,000"):
        read_table(many.getvalue(), "bomb.parquet")


@pytest.mark.parametrize(
    "content",
    [
        b"variant\n" + b'"' + b"A" * 5_000_000,
        b"variant" + b"," * 2_000_000 + b"\nR2K\n",
        b"\n" * 5_000_000,
        b"variant" + b"," * 1_000 + b"\n" + (b"," * 1_000 + b"\n") * 25_000,
    ],
)
def test_odd_tables_end(content):
    choice = VariantChoice("file", upload=Upload(content, "t.csv"))
    with bounded(), pytest.raises(InputError):
        list(choice.read([Protein.from_sequence("MKTAY")]).requests)


@pytest.mark.parametrize("member", ["run.json", "inputs.json"])
@pytest.mark.parametrize(
    "content",
    [b"[" * 1_000_000, b'{"a":' * 200_000, b"1" * 1_000_000, b'"' + b"\\u0000" * 100_000 + b'"'],
)
def test_deep_and_long_json(tmp_path, member, content):
    store = RunStore(tmp_path / "runs.sqlite")
    protein = Protein.from_sequence("MKTAY", "x")
    run = store.create(
        ScreenRequest((protein,), "x", "compact"), [ScreenRow(1, "x", "K2R", "done")]
    )
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(export_bundle(store, run))) as old,
        zipfile.ZipFile(made, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    with bounded(), pytest.raises(InputError, match="bundle"):
        import_bundle(store, made.getvalue())


# --- script, formulas, paths --------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tiny_predictor):
    """An analysis in which every name that a user or a database gives is hostile."""
    small = small_structure()
    atoms = small.atoms.copy()
    atoms.chain_id = np.array([SCRIPT] * len(atoms))
    structure = Structure.from_atoms(atoms, f"{SCRIPT}.pdb", notes=(SCRIPT,))
    annotation = Annotation(
        "P12345",
        small.sequence,
        SCRIPT,
        SCRIPT,
        SCRIPT,
        (Feature("Domain", 1, 5, SCRIPT), Feature("Active site", 3, 3, SCRIPT)),
        (KnownVariant(Change(1, "D", "A"), SCRIPT, f"=cmd|{SCRIPT}", (SCRIPT,), SCRIPT),),
    )
    protein = Protein.combine(small.sequence, structure, SCRIPT).annotated(annotation)
    return analyse(
        protein, Variant.parse("C2W", protein.sequence), predictor=tiny_predictor, background=0
    )


def test_the_report_runs_nothing_of_the_users(hostile):
    html = impact_report([hostile], None)
    assert "<script>window.HARMED" not in html
    assert "<img src=x" not in html


def test_figures_hold_no_tags(hostile):
    from plotly.io import to_html

    html = to_html(residue_track(hostile), include_plotlyjs=False)
    assert "<script>window.HARMED" not in html
    texts = [
        t
        for trace in residue_track(hostile).data
        if trace.text is not None
        for t in ([trace.text] if isinstance(trace.text, str) else trace.text)
    ]
    assert texts
    assert not any("<" in t for t in texts)


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_report_is_harmless_in_a_browser(hostile, tmp_path):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    path.write_text(impact_report([hostile], None), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page()
        page.set_default_timeout(wait_ms())
        page.goto(path.as_uri())
        page.wait_for_load_state("networkidle")  # an image that is not there has been asked for
        plots = page.locator(".js-plotly-plot")
        plots.first.wait_for()
        for n in range(plots.count()):
            plots.nth(n).hover()
            page.evaluate(TWO_FRAMES)  # what a hover makes is drawn
        assert page.evaluate("window.HARMED") is None
        browser.close()


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "@SUM(1)",
        "-2+3+cmd",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "＝1+1",
        "-A1",
        "- 1=1",
    ],
)
def test_spreadsheets_run_nothing(text):
    import pandas as pd

    made = without_formulas(pd.DataFrame({"a": [text]}))["a"][0]
    assert made == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "-12A", "-0.5", "-", "", "R175H", "p.Arg175=", "A:B"])
def test_numbers_and_names_stay_as_they_are(text):
    import pandas as pd

    assert without_formulas(pd.DataFrame({"a": [text]}))["a"][0] == text


def test_every_table_that_leaves_is_safe(hostile):
    rows = [ScreenRow(1, "=1+1", "K2R", "rejected", "=cmd|x", given="@x", chain="+1")]
    for text in (
        screen_csv(rows),
        next(e.make() for e in exports(hostile, None) if e.label == "Residue CSV"),
        without_formulas(known_variant_table(hostile.protein)).to_csv(index=False),
    ):
        assert not re.search(r'(?:^|,|\n)"?[=+@]', text)


def test_names_of_files_are_made_of_letters_and_digits(hostile):
    for export in exports(hostile, None):
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", export.file_name)
        assert ".." not in export.file_name


def test_a_bundle_writes_no_file_of_its_own(tmp_path):
    store = RunStore(tmp_path / "in" / "runs.sqlite")
    protein = Protein.from_sequence("MKTAY", "x")
    run = store.create(
        ScreenRequest((protein,), "x", "compact"), [ScreenRow(1, "x", "K2R", "done")]
    )
    made = io.BytesIO(export_bundle(store, run))
    with zipfile.ZipFile(made, "a") as bundle:
        bundle.writestr("../../evil.txt", "x")
        bundle.writestr("/tmp/glass-evil.txt", "x")
    before = set(tmp_path.rglob("*"))
    import_bundle(store, made.getvalue())
    assert {p.name for p in set(tmp_path.rglob("*")) - before} <= {
        "runs.sqlite-wal",
        "runs.sqlite-shm",
    }
    assert not Path("/tmp/glass-evil.txt").exists()


@pytest.mark.parametrize("run", ["../../etc/passwd", "' OR 1=1 --", "%", "", "\0", "x" * 100_000])
def test_a_link_needs_the_id_itself(tmp_path, run):
    store = RunStore(tmp_path / "runs.sqlite")
    protein = Protein.from_sequence("MKTAY", "x")
    store.create(ScreenRequest((protein,), "x", "compact"), [ScreenRow(1, "x", "K2R", "done")])
    assert store.get(run) is None
    assert store.impact(run) is None


def test_ids_cannot_be_guessed():
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert min(map(len, made)) >= 16


# --- models -------------------------------------------------------------------------------


class Evil:
    def __reduce__(self):
        return (exec, ("import pathlib; pathlib.Path('harmed').touch()",))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: torch.save({"model_state_dict": Evil(), "config": {}}, path),
        lambda path: path.write_bytes(pickle.dumps(Evil())),
        lambda path: path.write_bytes(b"\x80\x04" + b"x" * 1000),
    ],
)
def test_a_pickle_is_never_run(tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="cannot be read as a checkpoint of tensors only"):
        load_authors_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    "config",
    [
        {"hidden_dim": 16384, "prottrans_dim": 16384, "num_layers": 200},
        {"hidden_dim": 2**40},
        {"num_layers": 10**9},
        {"nhead": 0},
        {"hidden_dim": "512"},
        {"dropout": float("nan")},
        {"output_dim": -1},
    ],
)
def test_a_checkpoint_that_claims_absurd_shapes(tmp_path, config):
    torch.save({"model_state_dict": {"a": torch.zeros(1)}, "config": config}, tmp_path / "x.pt")
    with bounded(), pytest.raises(ModelError):
        load_authors_checkpoint(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("part", "claim"),
    [
        ("encoder", {"dim": 16384, "feedforward": 16384, "layers": 200}),
        ("encoder", {"layers": 10**9}),
        ("effect", {"hidden_dim": 16384, "num_layers": 250}),
        ("siamese", {"hidden_dim": 16384, "num_layers": 250}),
    ],
)
def test_a_card_that_claims_absurd_shapes(tiny_assets, tmp_path, part, claim):
    shutil.copytree(tiny_assets, tmp_path / "assets")
    path = tmp_path / "assets" / "models" / "compact" / "card.json"
    card = json.loads(path.read_text())
    (card if part == "encoder" else card["heads"])[part] |= claim
    path.write_text(json.dumps(card))
    with bounded(), pytest.raises(ModelError):
        load_predictor(Settings(assets=tmp_path / "assets", device="cpu")).effects(
            Protein.from_sequence("MKTAY")
        )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b"\xff" * 100,
        b"null",
        b'{"format": 3}',
        (2**60).to_bytes(8, "little") + b"{",
    ],
)
@pytest.mark.parametrize("name", ["card.json", "encoder.safetensors", "head.safetensors"])
def test_a_damaged_model_is_listed_with_its_reason(tiny_assets, tmp_path, name, content):
    shutil.copytree(tiny_assets, tmp_path / "assets")
    (tmp_path / "assets" / "models" / "compact" / name).write_bytes(content)
    settings = Settings(assets=tmp_path / "assets", models=tmp_path / "none", device="cpu")
    list_models(settings)
    with pytest.raises(GlassError):
        load_predictor(settings)


def test_nothing_unpickles():
    """``torch.load`` only with ``weights_only``; no pickle, no YAML, no eval."""
    for path in [*(ROOT / "glass_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        text = path.read_text()
        for call in re.findall(r"torch\.load\([^)]*\)", text):
            assert "weights_only=True" in call, path
        assert not re.search(
            r"pickle\.loads?\(|allow_pickle=True|yaml\.|[^.\w]eval\(|[^.\w]exec\(", text
        ), path


def test_pages_write_no_html_of_their_own():
    for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]:
        assert "unsafe_allow_html" not in path.read_text()


# --- things that fail ---------------------------------------------------------------------


@pytest.fixture
def cached(tiny_predictor, tmp_path):
    from glass_core.embedders.cache import CachedEmbedder

    made = CachedEmbedder(tiny_predictor.embedder, tmp_path / "cache", 10**8)
    yield made
    made.close()


def test_a_damaged_embedding_is_computed_again(cached):
    (good,) = cached.embed(["MKTAYIAKQR" * 20])
    for content in (b"", b"junk", b"\xff" * 5000, pickle.dumps(Evil())):
        for key in list(cached._cache):
            cached._cache.set(key, content)
        (again,) = cached.embed([good.sequence])
        assert torch.equal(again.residues, good.residues)


def test_a_pickle_in_the_cache_is_never_run(cached, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    cached.embed(["MKTAY"])
    for key in list(cached._cache):
        cached._cache.set(key, Evil())
    cached.embed(["MKTAY"])
    assert not (tmp_path / "harmed").exists()


def test_a_damaged_index_of_embeddings_is_one_line(tiny_predictor, tmp_path):
    from glass_core.embedders.cache import CachedEmbedder

    (tmp_path / "cache.db").write_bytes(b"no database" * 1000)
    with pytest.raises(GlassError, match="delete the folder if it is damaged"):
        CachedEmbedder(tiny_predictor.embedder, tmp_path, 10**8)


def test_a_full_disk_keeps_what_was_embedded(cached, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    cached.embed(["MKTAY"])
    monkeypatch.setattr(cached._cache, "set", full)
    with pytest.raises(GlassError, match=r"No space left.*What was kept stays"):
        cached.embed(["MKTAYK"])
    monkeypatch.undo()
    assert len(cached.embed(["MKTAY", "MKTAYK"])) == 2


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied"),
        OSError(5, "Input/output error"),
        IsADirectoryError(21, "x"),
    ],
)
def test_files_that_cannot_be_read(monkeypatch, tmp_path, error):
    def refuse(*arguments, **options):
        raise error

    path = tmp_path / "a.cif"
    path.write_text("data_x")
    for name in ("read_bytes", "read_text", "open"):
        monkeypatch.setattr(Path, name, refuse)
    for read in (lambda: Upload.from_path(path), lambda: read_structure(path)):
        with pytest.raises(GlassError, match=error.strerror) as caught:
            read()
        assert "\n" not in str(caught.value)


def test_a_full_disk_at_the_export_is_one_line(tiny_assets, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from glass_core.cli.main import main

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    result = CliRunner().invoke(
        main,
        ["impact", "--wild", "MKTAYIAK", "--variant", "K2R", "--out", str(tmp_path / "out")],
        env={"GLASS_ASSETS": str(tiny_assets), "GLASS_DEVICE": "cpu"},
    )
    assert result.exit_code == 2
    assert "cannot be written (No space left on device)" in result.stderr


def test_a_card_out_of_memory_is_one_line_on_the_page(tiny_assets, tmp_path, monkeypatch):
    """As `test_models` shows, batches are halved first; what still does not fit is told."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from glass_core.embedders.compact import CompactEmbedder

    def full(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    for name, value in {
        "ASSETS": tiny_assets,
        "MODELS": tmp_path / "none",
        "DEVICE": "cpu",
        "RUNS": tmp_path / "runs.sqlite",
    }.items():
        monkeypatch.setenv(f"GLASS_{name}", str(value))
    st.cache_resource.clear()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience(60)).run()
    monkeypatch.setattr(CompactEmbedder, "_encode", full)
    page.text_area(key="wild").set_value("MKTAYIAK")
    page.text_input(key="variant").set_value("K2R")
    page.button(key="analyse").click().run()
    assert not page.exception
    assert "does not fit" in page.error[0].value
    st.cache_resource.clear()
