"""Remodelling for real, on a fragment of a real chain."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from glass_core.errors import Cancelled, GlassError, RemodelError, UnavailableError
from glass_core.metrics.measure import measure
from glass_core.protein import Protein
from glass_core.remodel import get_remodeller, remodellers
from glass_core.remodel.base import RemodelSettings, structure_substitutions
from glass_core.remodel.modeller import ModellerRemodeller
from glass_core.structure import Structure
from glass_core.variant import Variant


@pytest.fixture(scope="module")
def fragment(globin):
    """Residues 60 to 79 of the globin, with an insertion code and a chain break."""
    atoms = globin.atoms[np.isin(globin.atoms.res_id, [*range(60, 72), *range(75, 83)])].copy()
    atoms.ins_code[atoms.res_id == 61] = "A"
    atoms.res_id[atoms.res_id == 61] = 60
    return Structure.from_atoms(atoms, "fragment")


@pytest.fixture(scope="module")
def once(fragment):
    return get_remodeller().remodel(fragment, {4: "W", 9: "G"}, RemodelSettings(threads=1), 3)


def test_several_substitutions_numbering_and_breaks(fragment, once):
    sequence = list(fragment.sequence)
    sequence[4], sequence[9] = "W", "G"
    assert once.mutant.sequence == "".join(sequence)
    for made in (once.reference, once.mutant, once.floor):
        assert made.residue_numbers == fragment.residue_numbers
        assert made.chain == fragment.chain
        assert made.breaks == fragment.breaks
        assert made.origin == "remodelled"
    assert once.reference.sequence == once.floor.sequence == fragment.sequence


def test_the_same_seed_gives_the_same_structures(fragment, once):
    again = get_remodeller().remodel(fragment, {4: "W", 9: "G"}, RemodelSettings(threads=1), 3)
    other = get_remodeller().remodel(fragment, {4: "W", 9: "G"}, RemodelSettings(threads=1), 4)
    assert np.array_equal(once.mutant.atoms.coord, again.mutant.atoms.coord)
    assert np.array_equal(once.floor.atoms.coord, again.floor.atoms.coord)
    assert not np.array_equal(once.reference.atoms.coord, other.reference.atoms.coord)


def test_it_stays_near_the_template_and_the_floor_is_small(fragment, once):
    assert measure(fragment, once.reference, correspondence="sequence").alignment.rmsd < 0.8
    assert measure(once.reference, once.floor, correspondence="sequence").mean_lddt > 0.9


def test_stages_cancel_and_nothing_left_behind(fragment):
    stages = []
    before = set(Path(tempfile.gettempdir()).glob("glass-remodel-*"))
    start = time.monotonic()
    with pytest.raises(Cancelled):
        get_remodeller().remodel(
            fragment, {4: "W"}, RemodelSettings(), 1, lambda stage, f: stages.append((stage, f)),
            lambda: len(stages) >= 2,
        )
    assert time.monotonic() - start < 60
    assert stages[0][1] <= stages[-1][1]
    assert set(Path(tempfile.gettempdir()).glob("glass-remodel-*")) <= before


def test_time_out_says_what_to_do(fragment):
    with pytest.raises(RemodelError, match="time-out"):
        get_remodeller().remodel(fragment, {4: "W"}, RemodelSettings(timeout_s=0.5), 1)


def test_unfit_structures_are_refused(fragment):
    ca_only = Structure.from_atoms(fragment.atoms[fragment.ca_mask], "trace")
    with pytest.raises(RemodelError, match="backbone"):
        get_remodeller().remodel(ca_only, {4: "W"}, RemodelSettings(), 1)
    for letter in ("X", "?"):
        with pytest.raises(GlassError, match="standard"):
            get_remodeller().remodel(fragment, {4: letter}, RemodelSettings(), 1)


def test_variants_become_structure_indices(fragment):
    protein = Protein.combine("MM" + fragment.sequence, fragment)
    index = dict(enumerate(map(int, protein.structure_index)))
    wild = protein.sequence[6]
    variant = Variant.parse(f"{wild}7{'W' if wild != 'W' else 'A'}", protein.sequence)
    assert list(structure_substitutions(variant, index)) == [4]
    with pytest.raises(RemodelError, match="position 1 has no coordinates"):
        structure_substitutions(Variant.parse("M1A", protein.sequence), index)


def test_backends_say_why_they_are_missing(monkeypatch, tmp_path):
    assert [r.name for r in remodellers()] == ["openmm", "modeller"]
    assert get_remodeller().unavailable_reason() is None
    with pytest.raises(UnavailableError, match="not known"):
        get_remodeller("magic")

    def only(found):
        real = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec",
            lambda name, *rest: found if name == "modeller" else real(name, *rest),
        )

    only(None)
    assert "conda install -c salilab modeller" in ModellerRemodeller().unavailable_reason()
    impostor = importlib.util.spec_from_loader("modeller", None, is_package=True)
    impostor.submodule_search_locations = [str(tmp_path)]
    only(impostor)
    assert "unrelated" in ModellerRemodeller().unavailable_reason()


@pytest.mark.slow
def test_anneal_moves_more_than_minimise(fragment, once):
    annealed = get_remodeller().remodel(
        fragment, {4: "W", 9: "G"}, RemodelSettings(protocol="anneal", threads=1), 3
    )
    moved = measure(annealed.reference, annealed.floor, correspondence="sequence")
    still = measure(once.reference, once.floor, correspondence="sequence")
    assert np.nanmean(moved.distance_change) > np.nanmean(still.distance_change)
    assert moved.alignment.tm_score <= 1


@pytest.mark.modeller
@pytest.mark.skipif(ModellerRemodeller().unavailable_reason() is not None,
                    reason="no licensed MODELLER on this machine")
def test_modeller_for_real(fragment):
    made = get_remodeller("modeller").remodel(fragment, {4: "W"}, RemodelSettings(), 1)
    assert made.mutant.sequence[4] == "W"
