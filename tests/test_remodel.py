"""Remodelling: backends, the process they run in, and what they promise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np
import pytest

from glass_core.errors import (
    Cancelled,
    InputError,
    RecordError,
    RemodelError,
    StructureError,
    UnavailableError,
)
from glass_core.metrics.measure import measure
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.remodel import get_remodeller, modeller, unavailable_remodellers
from glass_core.remodel.base import (
    ROLES,
    START,
    RemodelRequest,
    RemodelSettings,
    Replicate,
    check_remodellable,
    structure_substitutions,
)
from glass_core.remodel.coordinates import segments, start_atoms
from glass_core.remodel.file import check_mutant, from_file
from glass_core.remodel.remembered import PROTONATION_FILE, RememberedRelaxations, relaxation_key
from glass_core.remodel.restraints import STIFFNESS, site_distance, template_restraints
from glass_core.remodel.rotamers import chi_angles, dihedral, rotamers, side_chain_turns
from glass_core.remodel.runner import SubprocessRemodeller
from tests.tools.pace import patience, until

openmm_only = pytest.mark.skipif(
    unavailable_remodellers()["openmm"] is not None, reason="OpenMM or PDBFixer is not installed"
)
SITE, OTHER_SITE = 5, 10


@pytest.fixture(scope="session")
def chain(globin: Structure) -> Structure:
    """2GTL chain A, 147 residues."""
    return globin


def cut(chain: Structure, residues: list[int], name: str = "fragment") -> Structure:
    keep = np.isin(chain.residue_of_atom, residues)
    return Structure.from_atoms(chain.atoms[keep], name)


@pytest.fixture(scope="session")
def helix(chain: Structure) -> Structure:
    return cut(chain, list(range(24)))


@pytest.fixture(scope="session")
def broken(chain: Structure) -> Structure:
    """Two segments, renumbered backwards in part and with insertion codes, chain named 'Q'."""
    piece = cut(chain, [*range(10), *range(20, 32)])
    atoms = piece.atoms.copy()
    residue = piece.residue_of_atom
    atoms.chain_id = np.full(len(atoms), "Q")
    atoms.res_id = np.where(residue < 4, 7 + residue, np.where(residue < 6, 52, 90 + residue))
    atoms.ins_code = np.where(residue == 5, "A", "")
    return Structure.from_atoms(atoms, "broken")


@pytest.fixture(scope="module", autouse=True)
def own_temporary_folder(tmp_path_factory):
    """Where no other process remodels, so that what is there is of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        yield


def temporary_folders() -> set[str]:
    return {p.name for p in Path(tempfile.gettempdir()).glob("glass-*")}


# -- the default backend ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twins(helix: Structure) -> tuple[list[Replicate], list[tuple[str, float]]]:
    """The same job twice at the same time, on different numbers of threads."""
    before, told = temporary_folders(), []

    def run(threads: int) -> Replicate:
        substitutions, settings = {SITE: "W", OTHER_SITE: "G"}, RemodelSettings(threads=threads)
        watch = Watch(lambda words, done: told.append((words, done)) if threads == 2 else None)
        return get_remodeller("openmm").remodel(
            RemodelRequest(helix, substitutions, settings, 3), watch
        )

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(run, (1, 2)))
    assert temporary_folders() <= before
    return made, told


@openmm_only
def test_equal_seeds_give_equal_structures_also_side_by_side(twins):
    one, two = twins[0]
    for role in ("reference", "mutant", "floor"):
        assert np.array_equal(getattr(one, role).atoms.coord, getattr(two, role).atoms.coord)


@openmm_only
def test_all_substitutions_are_made_and_the_rest_is_kept(twins, helix):
    replicate = twins[0][0]
    expected = RemodelRequest(helix, {SITE: "W", OTHER_SITE: "G"}).mutant_sequence
    assert replicate.mutant.sequence == expected
    assert replicate.reference.sequence == replicate.floor.sequence == helix.sequence
    assert replicate.mutant.residue_numbers == helix.residue_numbers
    assert replicate.mutant.chain == helix.chain
    assert replicate.mutant.origin == "remodelled"
    assert "mutant" in replicate.mutant.name and "seed 3" in replicate.mutant.name
    assert not set(replicate.mutant.atoms.element) & {"H", "D"}


@openmm_only
def test_geometry_stays_that_of_a_protein(twins, helix):
    for structure in (twins[0][0].reference, twins[0][0].mutant):
        step = np.linalg.norm(np.diff(structure.ca, axis=0), axis=1)
        assert np.all(np.abs(step - 3.8) < 0.2)
        assert measure(helix, structure, correspondence="sequence").alignment.rmsd < 1.5


@openmm_only
def test_wild_type_to_itself_moves_little_and_less_than_the_mutant(twins):
    replicate = twins[0][0]
    floor = measure(replicate.reference, replicate.floor, correspondence="sequence")
    effect = measure(replicate.reference, replicate.mutant, correspondence="sequence")
    assert 0 < np.nanmean(floor.distance_change) < 0.05
    assert np.nanmean(effect.distance_change) > np.nanmean(floor.distance_change)


@openmm_only
def test_progress_names_the_stage_and_grows_to_one(twins):
    words, fractions = zip(*twins[1], strict=True)
    assert any(w.startswith("mutant: building side chain") for w in words)
    assert any(w == "floor: minimising" for w in words)
    assert list(fractions) == sorted(fractions)
    assert fractions[0] < 0.1 and fractions[-1] == pytest.approx(1)


@openmm_only
def test_anneal_keeps_breaks_numbers_and_insertion_codes(broken):
    settings = RemodelSettings(protocol="anneal", anneal_steps=20, peak_temperature=300)
    replicate = get_remodeller("openmm").remodel(RemodelRequest(broken, {4: "A"}, settings))
    assert broken.breaks == (9,) and "52A" in broken.residue_numbers
    for made in (replicate.reference, replicate.mutant, replicate.floor):
        assert made.breaks == broken.breaks
        assert made.residue_numbers == broken.residue_numbers
        assert made.chain == "Q"
    assert replicate.mutant.sequence == RemodelRequest(broken, {4: "A"}).mutant_sequence
    # No terminal oxygen is invented inside the chain.
    assert "OXT" not in replicate.mutant.atoms.atom_name[replicate.mutant.residue_of_atom == 9]


@openmm_only
def test_outside_the_sphere_nothing_moves(helix):
    from glass_core.remodel import openmm

    settings = RemodelSettings(sphere_radius=8)
    seen: list[str] = []
    made = openmm.relax_all(
        RemodelRequest(helix, {2: "A"}, settings), lambda *report: seen.append(report[0])
    )
    away = site_distance(helix.ca, [2]) > 12
    assert away.sum() > 5
    moved = [
        np.linalg.norm(a - b, axis=-1)
        for a, b in (
            (made.structures[role].ca[away][:, None], made.structures[role].ca[away][None])
            for role in ("reference", "mutant")
        )
    ]
    assert np.allclose(*moved, atol=0.005)
    assert set(seen) == set(openmm.shares(settings)) == {START, *ROLES}


@openmm_only
def test_disulfides_are_kept_where_a_cysteine_is_rebuilt(chain):
    from glass_core.remodel import kept, openmm

    sulfur = chain.atoms[chain.atoms.atom_name == "SG"]
    gap = np.linalg.norm(sulfur.coord[:, None] - sulfur.coord[None], axis=-1)
    np.fill_diagonal(gap, np.inf)
    assert gap.min() < kept.DISULFIDE  # 2GTL chain A has one
    i, j = np.unravel_index(gap.argmin(), gap.shape)
    residue = chain.residue_of_atom[chain.atoms.atom_name == "SG"]
    first, last = sorted((int(residue[i]), int(residue[j])))
    piece = cut(chain, [*range(max(first - 2, 0), first + 3), *range(last - 2, last + 3)])
    places = [k for k, letter in enumerate(piece.sequence) if letter == "C"]
    place = places[-1]
    movable = np.ones(len(piece), dtype=bool)

    def sulfur_bonds(rebuilt: dict[int, str]) -> int:
        topology, _ = openmm._build(piece, openmm._Start(piece, rebuilt, (1, 0)), movable, {})
        return sum(a.name == b.name == "SG" for a, b in topology.bonds())

    assert sulfur_bonds({}) == sulfur_bonds({place: "C"}) == 1
    assert sulfur_bonds({place: "A"}) == 0


@openmm_only
def test_histidines_keep_the_protonation_they_were_given(chain):
    from glass_core.remodel import openmm

    place = chain.sequence.index("H", 3)
    piece = cut(chain, list(range(place - 3, place + 4)))
    movable = np.ones(len(piece), dtype=bool)
    for variant, hydrogen, other in (("HID", "HD1", "HE2"), ("HIE", "HE2", "HD1")):
        for rebuilt in ({}, {3: "H"}):
            start = openmm._Start(piece, rebuilt, (1, 0))
            topology, _ = openmm._build(piece, start, movable, {3: variant})
            names = {atom.name for atom in list(topology.residues())[3].atoms()}
            assert hydrogen in names and other not in names
    chosen: dict[int, str] = {}
    openmm._build(piece, openmm._Start(piece, {}, (1, 0)), movable, chosen)
    assert chosen[3] in ("HID", "HIE")


@openmm_only
def test_a_lone_residue_between_two_breaks_can_be_relaxed(chain):
    from glass_core.remodel import openmm

    piece = cut(chain, [*range(6), 12, *range(20, 26)])
    assert piece.breaks == (5, 6)
    made = openmm.relax_all(RemodelRequest(piece, {6: "S"}, seed=0), lambda *report: None)
    assert made.structures["mutant"].sequence[6] == "S"


def test_importing_the_package_loads_no_engine():
    code = (
        "import sys, glass_core.remodel as r, glass_core.remodel.base, glass_core.remodel.file\n"
        "r.unavailable_remodellers()\n"
        "import glass_core.remodel.openmm, glass_core.remodel.modeller\n"
        "assert not {'openmm', 'pdbfixer', 'modeller', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


# -- what is refused ----------------------------------------------------------------------------


def test_unfit_requests_are_refused_in_one_line(helix):
    for substitutions, seed, says in (
        ({}, 1, "is empty"),
        ({99: "A"}, 1, "outside the 24 residues"),
        ({-1: "A"}, 1, "outside"),
        ({3: "X"}, 1, "not one of the 20"),
        ({3: "AL"}, 1, "not one of"),
        ({3: ""}, 1, "not one"),
        ({3: "A"}, -1, "out of range"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            RemodelRequest(helix, substitutions, seed=seed)
        assert "\n" not in str(caught.value)


def test_structures_without_backbone_or_with_unknown_residues_are_refused(helix):
    bare = Structure.from_atoms(helix.atoms[helix.atoms.atom_name == "CA"], "bare")
    with pytest.raises(RemodelError, match=r"C-alpha atoms only.*full-atom"):
        check_remodellable(bare)
    no_n = helix.atoms[~((helix.atoms.atom_name == "N") & (helix.residue_of_atom == 7))]
    with pytest.raises(RemodelError, match=f"residue {helix.residue_numbers[7]} lacks N"):
        check_remodellable(Structure.from_atoms(no_n, "gappy"))
    odd = helix.atoms.copy()
    odd.res_name[helix.residue_of_atom == 4] = "UNK"
    with pytest.raises(RemodelError, match=f"{helix.residue_numbers[4]} is not a standard one"):
        check_remodellable(Structure.from_atoms(odd, "odd"))
    with pytest.raises(RemodelError, match="needs 3"):
        check_remodellable(cut(helix, [0, 1]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"protocol": "boil"},
        {"sphere_radius": 0},
        {"timeout_s": -1},
        {"threads": 0},
        {"peak_temperature": 10},
        {"anneal_steps": 0},
    ],
)
def test_settings_check_themselves(wrong):
    with pytest.raises(RecordError, match=next(iter(wrong))):
        RemodelSettings(**wrong)


def test_variant_to_structure_indices():
    variant = Variant.parse("A1G:C3D", "ACCE")
    assert structure_substitutions(variant, {0: 5, 2: 7}) == {5: "G", 7: "D"}
    with pytest.raises(RemodelError, match="residue 3 has no coordinates"):
        structure_substitutions(variant, {0: 5, 2: -1})
    with pytest.raises(RemodelError, match="substitutions only"):
        structure_substitutions(Variant.parse("C2del", "ACCE"), {})


def test_unknown_backend_is_named_with_the_known_ones():
    with pytest.raises(UnavailableError, match="'rosetta': is not known; use openmm or modeller"):
        get_remodeller("rosetta")


# -- the process a backend runs in --------------------------------------------------------------

FAKE = """
import os, sys, time
from pathlib import Path
def shares(settings):
    return {"mutant": 0.5, "floor": 0.5}
def relax_all(request, stage, known=None):
    from glass_core.remodel.base import Relaxed
    wild = request.wild
    stage("mutant", "waiting", 0.5)
    print("noise from the engine")
    mode = os.environ["GLASS_FAKE_MODE"]
    if mode == "sleep":
        Path(os.environ["GLASS_FAKE_PID"]).write_text(str(os.getpid()))
        time.sleep(600)
    if mode == "raise":
        raise ValueError("the engine choked")
    if mode == "glass":
        from glass_core.errors import RemodelError
        raise RemodelError("x: says what is wrong.")
    if mode == "abort":
        os.abort()
    if mode == "exit":
        os._exit(7)
    return Relaxed({"reference": wild, "mutant": wild, "floor": wild})
"""


class FakeBackend(SubprocessRemodeller):
    name, module = "fake", "fake_engine"

    def unavailable_reason(self):
        return None

    def version(self):
        return "fake 1"


@pytest.fixture
def fake(tmp_path, monkeypatch, helix) -> Callable[..., Replicate]:
    (tmp_path / "fake_engine.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GLASS_FAKE_PID", str(tmp_path / "pid"))

    def run(mode: str, timeout_s: float | None = None, watch: Watch = UNWATCHED) -> Replicate:
        monkeypatch.setenv("GLASS_FAKE_MODE", mode)
        settings = RemodelSettings(timeout_s=timeout_s or patience(60))
        before = temporary_folders()
        try:
            return FakeBackend().remodel(RemodelRequest(helix, {3: "A"}, settings), watch)
        finally:
            assert temporary_folders() <= before

    return run


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def written(path: Path) -> bool:
    return path.exists() and bool(path.read_text())


def test_structures_come_back_and_engine_noise_is_ignored(fake, helix):
    told = []
    replicate = fake("fine", watch=Watch(lambda words, done: told.append((words, done))))
    assert np.array_equal(replicate.mutant.atoms.coord, helix.atoms.coord)
    assert told == [("mutant: waiting", pytest.approx(0.25))]


def test_timeout_kills_the_process_and_says_what_to_do(fake, tmp_path):
    limit = ceil(patience(4))  # time enough to say that it is there
    with pytest.raises(RemodelError, match=rf"longer than {limit} s.*raise the time-out"):
        fake("sleep", timeout_s=limit)
    assert not alive(int((tmp_path / "pid").read_text()))


def test_cancel_kills_the_process(fake, tmp_path):
    pid_file = tmp_path / "pid"
    with pytest.raises(Cancelled):
        fake("sleep", watch=Watch(cancelled=lambda: written(pid_file)))
    assert not alive(int(pid_file.read_text()))


def test_a_failing_caller_leaves_no_process_behind(fake, tmp_path):
    def progress(words: str, done: float) -> None:
        until(lambda: written(tmp_path / "pid"), "the engine")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fake("sleep", watch=Watch(progress))
    assert not alive(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("raise", "^Remodelling failed: ValueError: the engine choked$"),
        ("glass", "^x: says what is wrong.$"),
        ("abort", "^Remodelling failed: .*"),
        ("exit", "ended with exit code 7 and said nothing"),
    ],
)
def test_a_crash_becomes_one_line(fake, mode, says):
    with pytest.raises(RemodelError, match=says) as caught:
        fake(mode)
    assert "\n" not in str(caught.value)


def test_the_process_ends_when_its_parent_is_killed(tmp_path, chain):
    (tmp_path / "fake_engine.py").write_text(FAKE)
    code = (
        "from pathlib import Path\n"
        "from tmtools.testing import get_pdb_path\n"
        "from glass_core.remodel.base import RemodelRequest\n"
        "from glass_core.protein.structure.file import read_structure\n"
        "from tests.test_remodel import FakeBackend\n"
        "wild = read_structure(Path(get_pdb_path('2gtl')), chain='A')\n"
        "FakeBackend().remodel(RemodelRequest(wild, {3: 'A'}))\n"
    )
    root = str(Path(__file__).parents[1])
    pid_file = tmp_path / "pid"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((root, str(tmp_path))),
        "GLASS_FAKE_MODE": "sleep",
        "GLASS_FAKE_PID": str(pid_file),
        "TMPDIR": str(tmp_path),
    }
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        until(lambda: written(pid_file), "the engine")
        worker = int(pid_file.read_text())
        assert alive(worker)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    until(lambda: not alive(worker), "the end of the engine")
    assert not list(tmp_path.glob("glass-remodel-*"))


# -- MODELLER -----------------------------------------------------------------------------------

FAKE_MODELLER = {
    "__init__.py": """
import json, os
def note(what, **details):
    with open(os.environ["GLASS_FAKE_LOG"], "a") as file:
        file.write(json.dumps([what, details]) + chr(10))
class info: version = "10.0-fake"
class log:
    none = staticmethod(lambda: None)
class Environ:
    def __init__(self, rand_seed):
        note("Environ", rand_seed=rand_seed)
        self.io = type("io", (), {})()
class Selection:
    def __init__(self, *what): self.what = what
    def select_sphere(self, radius):
        note("sphere", radius=radius, residue=self.what[0])
        return self
""",
    "config.py": "install_dir = '/opt/modeller'\nlicense = 'KEY'\n",
    "automodel/__init__.py": """
from pathlib import Path
from modeller import note
NAMES = dict(zip("ARNDCQEGHILKMFPSTWYV", "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE "
                 "PRO SER THR TRP TYR VAL".split()))
class AutoModel:
    rand_method = "xyz"
    def __init__(self, env, alnfile, knowns, sequence):
        self.text = Path(alnfile).read_text()
        note("AutoModel", alignment=self.text, directory=env.io.atom_files_directory)
    def make(self):
        rows = self.text.split("sequence:target")[1].split(chr(10), 1)[1]
        target = rows.replace("/", "").split("*")[0].strip()
        self.residues = list(range(len(target)))
        selection = self.select_atoms()
        note("make", spheres=len(selection.what), random=self.rand_method is not None,
             models=[self.starting_model, self.ending_model])
        self.md_level(selection, [])
        lines = []
        for line in Path("template.pdb").read_text().splitlines():
            if line.startswith("ATOM") and line[12:16].strip() in ("N", "CA", "C", "O"):
                place = int(line[22:26]) - 1
                lines.append(line[:17] + NAMES[target[place]] + line[20:])
        Path("target.B99990001.pdb").write_text(chr(10).join(lines) + chr(10))
        self.outputs = [{"failure": None, "name": "target.B99990001.pdb"}]
""",
    "optimizers/__init__.py": """
from modeller import note
class ConjugateGradients:
    def optimize(self, selection, max_iterations, actions): note("cg", steps=max_iterations)
class MolecularDynamics:
    def __init__(self, cap_atom_shift, md_time_step, md_return): pass
    def optimize(self, selection, init_velocities, temperature, max_iterations, equilibrate,
                 actions):
        note("md", temperature=temperature, fresh=init_velocities)
""",
}


@pytest.fixture
def no_modeller_yet(monkeypatch):
    monkeypatch.delitem(sys.modules, "modeller", raising=False)


def install(folder: Path, files: dict[str, str], monkeypatch) -> None:
    for name, text in files.items():
        path = folder / "modeller" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def test_modeller_missing(monkeypatch, no_modeller_yet):
    monkeypatch.setattr(modeller.importlib.util, "find_spec", lambda name: None)
    reason = modeller.ModellerRemodeller().unavailable_reason()
    assert "is not installed" in reason
    assert "conda install -c salilab modeller" in reason and "KEY_MODELLER" in reason
    with pytest.raises(UnavailableError, match="not installed"):
        get_remodeller("modeller")
    with pytest.raises(UnavailableError, match="not installed"):
        modeller.ModellerRemodeller().version()


def test_modeller_impostor_from_pypi(tmp_path, monkeypatch, no_modeller_yet):
    install(tmp_path, {"__init__.py": "", "model.py": "class Schema: pass\n"}, monkeypatch)
    reason = modeller.ModellerRemodeller().unavailable_reason()
    assert "unrelated one from PyPI" in reason and "pip uninstall modeller" in reason


@pytest.mark.parametrize("config", ["license = r'XXXX'\n", "install_dir = r'/opt'\n"])
def test_modeller_without_licence(tmp_path, monkeypatch, no_modeller_yet, config):
    install(tmp_path, {**FAKE_MODELLER, "config.py": config}, monkeypatch)
    reason = modeller.ModellerRemodeller().unavailable_reason()
    assert "without a licence key" in reason and "KEY_MODELLER" in reason


@pytest.mark.parametrize("protocol", ["minimise", "anneal"])
def test_modeller_script_runs_against_a_stand_in(
    tmp_path, monkeypatch, no_modeller_yet, broken, protocol
):
    import json

    install(tmp_path, FAKE_MODELLER, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GLASS_FAKE_LOG", str(tmp_path / "log"))
    backend = modeller.ModellerRemodeller()
    assert backend.unavailable_reason() is None
    settings = RemodelSettings(protocol=protocol)
    replicate = backend.remodel(RemodelRequest(broken, {4: "W", 12: "G"}, settings, 8))
    assert replicate.mutant.sequence == RemodelRequest(broken, {4: "W", 12: "G"}).mutant_sequence
    assert replicate.floor.sequence == broken.sequence
    assert replicate.mutant.residue_numbers == broken.residue_numbers
    calls = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    seeds = [details["rand_seed"] for what, details in calls if what == "Environ"]
    assert all(-50_000 <= seed <= -2 for seed in seeds)
    assert seeds[0] != seeds[1] == seeds[2]
    spheres = [details for what, details in calls if what == "sphere"]
    assert [s["residue"] for s in spheres] == [4, 12] * 3
    assert {s["radius"] for s in spheres} == {100.0}
    made = [details for what, details in calls if what == "make"]
    assert [m["random"] for m in made] == [protocol == "anneal"] * 3
    alignment = next(details["alignment"] for what, details in calls if what == "AutoModel")
    assert "template.pdb:1:A:22:B" in alignment and alignment.count("/") == 2
    steps = [what for what, _ in calls if what in ("cg", "md")][: len(calls) // 3]
    assert steps[0] == "cg"
    temperatures = [details["temperature"] for what, details in calls if what == "md"]
    if protocol == "anneal":
        one = temperatures[: len(temperatures) // 3]
        assert one[0] == 150 and max(one) == 1000 and one[-1] == 300
        assert [d["fresh"] for what, d in calls if what == "md"][: len(one)].count(True) == 1
    else:
        assert not temperatures
    with pytest.raises(RemodelError, match="another sequence"):
        monkeypatch.setattr(modeller, "_alignment", lambda wild, target: _spoilt(wild))
        monkeypatch.chdir(tmp_path)
        try:
            modeller.relax_all(RemodelRequest(broken, {4: "W"}, settings), lambda *report: None)
        finally:
            for name in [n for n in sys.modules if n.split(".")[0] == "modeller"]:
                del sys.modules[name]


def _spoilt(wild: Structure) -> str:
    return f">P1;target\nsequence:target::::::::\n{'A' * len(wild)}*\n"


@pytest.mark.modeller
def test_modeller_itself(helix):
    backend = modeller.ModellerRemodeller()
    reason = backend.unavailable_reason()
    if reason is not None:
        pytest.skip(reason)
    replicate = backend.remodel(RemodelRequest(helix, {SITE: "W"}))
    assert replicate.mutant.sequence[SITE] == "W"


# -- a mutant from a file -----------------------------------------------------------------------


def test_a_mutant_of_the_users_own_is_checked(helix):
    variant = Variant.parse(f"{helix.sequence[5]}6A", helix.sequence)
    atoms = helix.atoms.copy()
    atoms.res_name[helix.residue_of_atom == 5] = "ALA"
    mutant = Structure.from_atoms(atoms, "mine")
    replicate = from_file(helix, mutant, variant)
    assert replicate.floor is None and replicate.reference is helix
    check_mutant(cut(mutant, list(range(2, 20))), variant)  # unresolved ends are fine
    with pytest.raises(StructureError, match=r"mutant has A6.*Give the structure"):
        check_mutant(helix, variant)
    atoms.res_name[helix.residue_of_atom == 9] = "UNK"
    check_mutant(Structure.from_atoms(atoms, "unknown residue"), variant)


# -- parts --------------------------------------------------------------------------------------


def test_restraints_stiffen_with_distance_from_the_site(chain):
    held = template_restraints(chain.ca, [50])
    away = site_distance(chain.ca, [50])
    assert away[50] == 0
    nearest = away[held.pairs].min(axis=1)
    order = np.argsort(nearest)
    assert np.all(np.diff(held.stiffness[order]) >= -1e-9)
    assert held.stiffness.max() == STIFFNESS
    expected = np.linalg.norm(chain.ca[held.pairs[:, 0]] - chain.ca[held.pairs[:, 1]], axis=1)
    assert held.distance == pytest.approx(expected)
    assert (np.abs(np.diff(held.pairs, axis=1)) >= 2).all()


def test_start_atoms_number_segments_and_strip_sites(broken):
    noise = np.full((len(broken.atoms), 3), 0.5)
    atoms = start_atoms(broken, broken, {4: "W"}, ("N", "CA", "C", "O"), noise)
    assert list(dict.fromkeys(atoms.chain_id)) == ["A", "B"]
    assert list(dict.fromkeys(atoms.res_id)) == list(range(1, 23))
    site = atoms[atoms.res_id == 5]
    assert set(site.atom_name) == {"N", "CA", "C", "O"} and set(site.res_name) == {"TRP"}
    assert atoms.coord[0] == pytest.approx(broken.atoms.coord[0] + 0.5)
    assert segments(broken).tolist() == [0] * 10 + [1] * 12


def test_dihedral_sign_follows_iupac():
    a, b, c = np.array([1.0, 0, 0]), np.zeros(3), np.array([0, 0, 1.0])
    for degrees in (-120.0, -60.0, 30.0, 90.0):
        # Looking along b -> c, a clockwise turn is positive.
        angle = np.radians(degrees)
        d = np.array([np.cos(angle), np.sin(angle), 1.0])
        assert dihedral(a, b, c, d) == pytest.approx(degrees)


@pytest.mark.parametrize(("letter", "bonds"), [("L", 2), ("V", 1), ("A", 0), ("G", 0), ("P", 0)])
def test_rotamers_turn_only_the_side_chain(chain, letter, bonds):
    from biotite.structure import connect_via_residue_names

    place = chain.sequence.index(letter, 1)
    residue = chain.atoms[chain.residue_of_atom == place]
    pairs = [(int(i), int(j)) for i, j, _ in connect_via_residue_names(residue).as_array()]
    turns = side_chain_turns(list(residue.atom_name), list(range(len(residue))), pairs)
    assert len(turns) == bonds
    if not turns:
        return
    coord = residue.coord.astype(float)
    inherited = [-65.0, 175.0][:bonds]
    made = list(rotamers(coord, turns, inherited))
    assert len(made) == 3**bonds
    by_name = dict(zip(map(str, residue.atom_name), made[0], strict=True))
    assert chi_angles(by_name)[:bonds] == pytest.approx(inherited)
    backbone = np.isin(residue.atom_name, ("N", "CA", "C", "O", "CB"))
    for turned in made:
        assert turned[backbone] == pytest.approx(coord[backbone])
        for i, j in pairs:
            before, after = (np.linalg.norm(x[i] - x[j]) for x in (coord, turned))
            assert after == pytest.approx(before)


def test_replicates_check_themselves(helix):
    with pytest.raises(RecordError, match="mutant"):
        Replicate(1, helix, cut(helix, list(range(10))), helix)
    assert Replicate(1, helix, helix, None).floor is None


# -- what is remembered -------------------------------------------------------------------------


@openmm_only
@pytest.mark.parametrize("protocol", ["minimise", "anneal"])
def test_begun_with_what_was_kept_a_mutant_is_the_same(helix, tmp_path, protocol):
    settings = RemodelSettings(protocol=protocol, anneal_steps=10, peak_temperature=300)
    first, second = (RemodelRequest(helix, {4: letter}, settings) for letter in "AW")
    remembering = get_remodeller("openmm", tmp_path / "kept")
    remembering.remodel(first)
    stages: list[str] = []
    begun = remembering.remodel(second, Watch(lambda words, done: stages.append(words)))
    assert {one.partition(":")[0] for one in stages} == {"mutant"}, "nothing else is made again"
    anew = get_remodeller("openmm").remodel(second)
    for role in ROLES:
        ours, theirs = getattr(begun, role), getattr(anew, role)
        assert np.array_equal(ours.atoms.coord, theirs.atoms.coord)
        assert list(ours.atoms.atom_name) == list(theirs.atoms.atom_name)
    assert np.array_equal(begun.mutant.atoms.coord, anew.mutant.atoms.coord)


def test_only_what_depends_on_the_letters_is_left_out_of_the_key(helix):
    asked = RemodelRequest(helix, {4: "A"})
    key = relaxation_key("e 1", asked)
    assert relaxation_key("e 1", RemodelRequest(helix, {4: "W"})) == key
    assert relaxation_key("e 1", replace(asked, settings=RemodelSettings(threads=1))) == key
    others = (
        RemodelRequest(helix, {5: "A"}),
        RemodelRequest(helix, {4: "A", 5: "A"}),
        RemodelRequest(helix, {4: "A"}, seed=9),
        RemodelRequest(helix, {4: "A"}, RemodelSettings(protocol="anneal")),
        RemodelRequest(cut(helix, [*range(len(helix) - 1)]), {4: "A"}),
    )
    keys = {relaxation_key("e 1", other) for other in others} | {relaxation_key("e 2", asked)}
    assert len(keys) == len(others) + 1 and key not in keys


def test_the_oldest_that_were_kept_go(tmp_path, monkeypatch):
    monkeypatch.setattr("glass_core.remodel.remembered.MOST", 2)
    made, into = tmp_path / "made", tmp_path / "into"
    made.mkdir()
    into.mkdir()
    (made / PROTONATION_FILE).write_text("{}")
    kept = RememberedRelaxations(tmp_path / "kept")
    for number, key in enumerate("abc"):
        kept.keep(key, made)
        if (tmp_path / "kept" / key).exists():
            os.utime(tmp_path / "kept" / key, (number, number))
    assert sorted(p.name for p in (tmp_path / "kept").iterdir()) == ["b", "c"]
    assert not kept.recall("a", into)
    assert kept.recall("b", into) and (into / PROTONATION_FILE).read_text() == "{}"
    (tmp_path / "file").write_text("")
    RememberedRelaxations(tmp_path / "file" / "below").keep("a", made)  # no room: forgotten
