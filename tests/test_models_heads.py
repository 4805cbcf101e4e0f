"""A head is one file and one line: everything else follows, structure included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glass_core.embedders.kinds import EMBEDDER_KINDS, embedder_class
from glass_core.errors import ModelError
from glass_core.models.card import CARD_FILE, MODEL_FORMAT, ModelCard
from glass_core.models.checkpoint import load_heads, save_head
from glass_core.models.heads.base import CombiningHead, TableHead
from glass_core.models.heads.kinds import HEADS, head_kind, told_columns
from glass_core.models.properties.kinds import PROPERTIES

ROOT = Path(__file__).parents[1]
HEAD_FILE = '''
"""A head that tells how many neighbours a residue has; it takes the structure."""

from dataclasses import asdict, dataclass

import torch
from torch import nn

from glass_core.metrics.distances import neighbour_counts


@dataclass(frozen=True)
class CrowdConfig:
    embedding_dim: int
    factor: float = 1.0

    @property
    def width(self):
        return self.embedding_dim

    def to_dict(self):
        return asdict(self)


class CrowdHead(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.ones(1))

    def table(self, protein, embedding):
        return CrowdTable(self.config.factor * neighbour_counts(protein.ca))


class CrowdTable:
    tracks = {}

    def __init__(self, values):
        self.values = values

    def told(self, variant):
        return {"crowd": float(self.values[variant.positions[0] - 1])}


CONFIG, NETWORK = CrowdConfig, CrowdHead
'''
LINE = (
    'HeadKind("crowd", "crowd.safetensors", '
    '{"crowd": Column("neighbours", ranking="crowd")}, "structure")'
)
TRIAL = f"""
import sys, types
from pathlib import Path
import glass_core.models.heads as rooms
from glass_core.models.heads import kinds
from glass_core.models.heads.base import HeadKind
from glass_core.records import Column

module = types.ModuleType("glass_core.models.heads.crowd")
sys.modules[module.__name__] = rooms.crowd = module
exec(Path(sys.argv[1]).read_text(), module.__dict__)  # the one file
kinds.HEADS = (*kinds.HEADS, {LINE})  # the one line

import torch
from glass_core.inputs.lists import read_request
from glass_core.models.checkpoint import save_head
from glass_core.models.registry import load_predictor
from glass_core.protein.protein import Protein
from glass_core.protein.structure.file import read_structure
from glass_core.report.models import describe_models
from glass_core.report.screen.exports import screen_csv
from glass_core.runs.screening import advance, begin
from glass_core.runs.store import RunStore
from glass_core.runs.view import View
from glass_core.screen.request import ScreenRequest
from glass_core.settings import Settings
from tmtools.testing import get_pdb_path

folder = Path(sys.argv[2])
settings = Settings(assets=folder / "assets", models=folder / "none", device="cpu")
head = module.CrowdHead(module.CrowdConfig(16, 2.0))
save_head(folder / "assets" / "models" / "compact", "crowd", head, torch.float32)
predictor = load_predictor(settings)
bare = Protein.from_sequence("MKTAYIAKQR", "bare")
whole = Protein.from_structure(read_structure(Path(get_pdb_path("2gtl")), chain="A"))
letter = whole.sequence[30]
asked = [read_request(1, "K2R", bare), read_request(2, f"{{letter}}31P", whole)]
store = RunStore(folder / "runs.sqlite")
request = ScreenRequest((bare, whole), "trial", "compact", ranking="crowd")
run = begin(store, request, asked, predictor=predictor)
waiting = store.rows(run)
assert waiting[0]["crowd"] is None and waiting[1]["crowd"] > 4, waiting
advance(store, run, settings=settings, predictor=predictor)
done = store.rows(run, View("crowd", descending=True))
assert [r.row for r in done] == [2, 1] and done[0]["crowd"] == waiting[1]["crowd"]
assert {{r.status for r in done}} == {{"done"}}
assert ",crowd," in screen_csv(done).splitlines()[0]
assert "crowd head: crowd" in describe_models(settings)[0].heads
"""


def test_a_new_head_is_one_file_and_one_line(tiny_assets, tmp_path):
    """It is saved, loaded, asked where there is a structure, screened, ranked and exported."""
    import shutil

    shutil.copytree(tiny_assets, tmp_path / "assets")
    (tmp_path / "crowd.py").write_text(HEAD_FILE)
    (tmp_path / "trial.py").write_text(TRIAL)
    found = subprocess.run(
        [sys.executable, tmp_path / "trial.py", tmp_path / "crowd.py", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr


def test_every_kind_has_its_parts():
    assert len({kind.name for kind in HEADS}) == len({kind.file for kind in HEADS}) == len(HEADS)
    for kind in HEADS:
        of_proteins = kind.name in {one.head for one in PROPERTIES}
        assert kind.tells or of_proteins or kind.name == "alignment", "it tells of pairs"
        assert kind.takes in ("sequence", "structure", "either", "tables")
        assert issubclass(kind.network, torch.nn.Module)
        assert callable(kind.config.to_dict) and isinstance(kind.config.width, property)
    assert isinstance(head_kind("effect").network, type)
    assert issubclass(head_kind("effect").network, TableHead)
    assert not issubclass(head_kind("siamese").network, TableHead)
    combining = [kind for kind in HEADS if issubclass(kind.network, CombiningHead)]
    assert combining == [kind for kind in HEADS if kind.takes == "tables"] != []
    assert not any(kind.reads_structure for kind in combining)
    assert all(column.meaning for column in told_columns().values())


def test_a_head_from_a_later_version_is_one_line(tiny_assets, tmp_path):
    import shutil

    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    content = json.loads((folder / CARD_FILE).read_text())
    content["heads"]["function"] = {"embedding_dim": 16}
    (folder / CARD_FILE).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"head 'function': is not known.*known are") as caught:
        load_heads(ModelCard.read(folder))
    assert "\n" not in str(caught.value)


def test_a_card_of_format_1_is_read_and_becomes_one_of_format_2(tiny_assets, tmp_path):
    import shutil

    folder = tmp_path / "m"
    shutil.copytree(tiny_assets / "models" / "compact", folder)
    content = json.loads((folder / CARD_FILE).read_text())
    heads = content.pop("heads")
    content |= {"format": "glass-model/1", "kind": "siamese"}
    content |= {"head": heads["siamese"], "effect": heads["effect"]}
    (folder / CARD_FILE).write_text(json.dumps(content))
    card = ModelCard.read(folder)
    assert card.heads == heads
    loaded = load_heads(card)
    assert set(loaded) == {"siamese", "effect"}
    again = save_head(folder, "effect", loaded["effect"], torch.float32)
    assert again.heads == heads and again.content["format"] == MODEL_FORMAT
    assert not {"head", "effect", "kind"} & set(again.content)


def test_embedders_say_what_they_are(tiny_predictor, tiny_t5):
    from glass_core.embedders.prott5 import ProtT5Embedder

    compact = tiny_predictor.embedder
    large = ProtT5Embedder.load(torch.device("cpu"), str(tiny_t5))
    assert (compact.kind, large.kind) == EMBEDDER_KINDS
    for embedder in (compact, large):
        assert embedder_class(embedder.kind) is type(embedder)
        assert embedder.cost(200) == 2 * embedder.cost(100) > 0
    assert compact.encoder is not None and large.encoder is None
    assert "secondary" in compact.side_heads and not large.side_heads
    with pytest.raises(ModelError, match="embedder 'esm': is not known"):
        embedder_class("esm")
