"""The web services GLASS asks, on this machine: recorded shapes, and misbehaviour on demand.

The answers are written from the services' documented fields; sequences are facts of UniProt.
Structures are ideal helices of those sequences: right in form, meaningless in shape.
Run ``python -m tests.tools.services PORT`` to use the dashboard without a network.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np

P53 = (
    "MEEPQSDPSVEPPLSQETFSDLWKLLPENNVLSPLPSQAMDDLMLSPDDIEQWFTEDPGPDEAPRMPEAAPPVAPAPAAPTPAAPAPAPSW"
    "PLSSSVPSQKTYQGSYGFRLGFLHSGTAKSVTCTYSPALNKMFCQLAKTCPVQLWVDSTPPPGTRVRAMAIYKQSQHMTEVVRRCPHHERC"
    "SDSDGLAPPQHLIRVEGNLRVEYLDDRNTFRHSVVVPYEPPEVGSDCTTIHYNYMCNSSCMGGMNRRPILTIITLEDSSGNLLGRNSFEVR"
    "VCACPGRDRRTEEENLRKKGEPHHELPPGSTKRALPNNTSSSPQPKKKPLDGEYFTLQIRGRERFEMFRELNEALELKDAQAGKEPGGSRA"
    "HSSHLKSKKGQSTSRHKKLMFKTEGPDSD"
)
ARF = (
    "MVRRFLVTLRIRRACGPPRVRVFVVHIPRLTGEWAAPGAPAAVALVLMLLRSQRLGQQPLPRRPGHDDGQRPSGGAAAAPRRGAQLRRPRH"
    "SHPTRARRCPGGLPGHAGGAAPGRGAAGRARCLGPSARGPG"
)
TEM = (
    "MSIQHFRVALIPFFAAFCLPVFAHPETLVKVKDAEDQLGARVGYIELDLNSGKILESFRPEERFPMMSTFKVLLCGAVLSRIDAGQEQLGR"
    "RIHYSQNDLVEYSPVTEKHLTDGMTVRELCSAAITMSDNTAANLLLTTIGGPKELTAFLHNMGDHVTRLDRWEPELNEAIPNDERDTTMPV"
    "AMATTLRKLLTGELLTLASRQQLIDWMEADKVAGPLLRSALPAGWFIADKSGAGERGSRGIIAALGPDGKPSRIVVIYTTGSQATMDERNR"
    "QIAEIGASLIKHW"
)


@dataclass
class Reply:
    """What the server says to one path.

    `trickle_s` waits between its bytes; `says_length` overrides the announced length.
    """

    content: bytes = b""
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    trickle_s: float = 0.0
    says_length: int | None = None


class Services:
    """A server, its replies by path, and what was asked."""

    def __init__(self, port: int = 0) -> None:
        self.replies: dict[str, Reply | Callable[[], Reply]] = {}
        self.genes: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.queries: list[str] = []
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                services.answer(self)

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        publish(self)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def json(self, path: str, content: Any, **how: Any) -> None:
        self.replies[path] = Reply(json.dumps(content).encode(), **how)

    def sequence(self, path: str, *replies: Reply) -> None:
        """One reply after the other; the last one again and again."""
        left = list(replies)
        self.replies[path] = lambda: left.pop(0) if len(left) > 1 else left[0]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        path = url.path
        self.asked.append(path)
        self.queries.append(url.query)
        if path == "/uniprotkb/search":
            self.replies[path] = self._search(url.query)
        reply = self.replies.get(path, Reply(b'{"error": "not found"}', 404))
        reply = reply() if callable(reply) else reply
        try:
            handler.send_response(reply.status)
            handler.send_header("Content-Type", reply.kind)
            length = len(reply.content) if reply.says_length is None else reply.says_length
            handler.send_header("Content-Length", str(length))
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            if not reply.trickle_s:
                handler.wfile.write(reply.content)
                return
            for place in range(len(reply.content)):
                handler.wfile.write(reply.content[place : place + 1])
                handler.wfile.flush()
                time.sleep(reply.trickle_s)
        except OSError:
            pass  # the client gave up, as it should

    def _search(self, query: str) -> Reply:
        """The entries whose gene is asked for, of man alone where the query says so."""
        asked = parse_qs(query)
        words, most = asked["query"][0], int(asked["size"][0])
        gene = re.search(r"gene_exact:([^)\s]+)", words)
        found = self.genes.get(gene[1].upper(), []) if gene else []
        if "organism_id:9606" in words:
            found = [one for one in found if one["organism"]["taxonId"] == 9606]
        return Reply(json.dumps({"results": found[:most]}).encode())


@contextmanager
def running(port: int = 0) -> Iterator[Services]:
    services = Services(port)
    try:
        yield services
    finally:
        services.close()


def publish(services: Services) -> None:
    """The entries that are there when nothing misbehaves."""
    add_protein(
        services,
        "P04637",
        P53,
        "Cellular tumor antigen p53",
        "TP53",
        "Homo sapiens",
        features=[
            feature("Glycosylation", 149, 149, "O-linked (GlcNAc) serine"),
            feature("DNA binding", 102, 292),
            feature("Region", 319, 360, "Oligomerization"),
            feature("Binding site", 176, 176, "Zn(2+)"),
            feature("Site", 120, 120, "Interaction with DNA"),
            feature("Domain", None, None, "of unknown extent"),
            natural_variant(175, 175, ["H"], "in LFS; dbSNP:rs28934578", "R"),
            natural_variant(213, 213, None, "missing in a tumour", "R"),
        ],
        missense=True,
    )
    services.json(
        "/api/variation/P04637",
        {
            "accession": "P04637",
            "sequence": P53,
            "features": [
                listed(
                    "R",
                    175,
                    "H",
                    ["Pathogenic", "Likely pathogenic"],
                    [("ClinVar", "RCV000013173"), ("dbSNP", "rs28934578")],
                    review="criteria provided, multiple submitters, no conflicts",
                ),
                listed("P", 72, "R", ["Benign"], [("gnomAD", "rs1042522")]),
                listed("R", 248, "Q", [], [("cosmic curated", "COSV52661580")]),
                listed("A", 1, "V", ["Benign"], [("gnomAD", "rs1")]),  # the residue there is M
                listed("R", 196, "*", ["Pathogenic"], [("ClinVar", "RCV1")]),
                {"type": "VARIANT", "begin": None, "end": None, "wildType": None},
            ],
        },
    )
    services.json(
        "/uniprotkb/Q15086.json",
        {
            "primaryAccession": "Q15086",
            "entryType": "Inactive",
            "inactiveReason": {"inactiveReasonType": "MERGED", "mergeDemergeTo": ["P04637"]},
        },
    )
    services.json(
        "/uniprotkb/P00001.json",
        {
            "primaryAccession": "P00001",
            "entryType": "Inactive",
            "inactiveReason": {"inactiveReasonType": "DELETED"},
        },
    )
    services.json(
        "/uniprotkb/P00002.json",
        {
            "primaryAccession": "P00002",
            "entryType": "Inactive",
            "inactiveReason": {
                "inactiveReasonType": "DEMERGED",
                "mergeDemergeTo": ["P04637", "Q8N726"],
            },
        },
    )
    services.replies["/uniprotkb/P04637-1.fasta"] = Reply(
        f">sp|P04637|P53_HUMAN p53\n{P53}\n".encode(), kind="text/plain"
    )
    services.replies["/uniprotkb/P04637-2.fasta"] = Reply(
        f">sp|P04637-2|P53_HUMAN Isoform 2\n{P53[:331]}DGRDRGELLQ\n".encode(), kind="text/plain"
    )
    add_protein(services, "Q8N726", ARF, "Tumor suppressor ARF", "CDKN2A", "Homo sapiens")
    add_protein(
        services,
        "P62593",
        TEM,
        "Beta-lactamase TEM",
        "bla",
        "Escherichia coli",
        features=[
            feature("Active site", 68, 68, "Acyl-ester intermediate"),
            feature("Signal", 1, 23),
        ],
    )
    publish_names(services)
    entry = helix(ARF[:60], "A", sifts="Q8N726", author_from=101)
    services.replies["/pdbe/entry-files/download/9zzz_updated.cif"] = Reply(entry, kind="text/cif")
    services.replies["/download/9zzy.cif"] = Reply(helix(ARF[:60], "B"), kind="text/cif")


def publish_names(services: Services) -> None:
    """Genes, names of dbSNP and changes of genes that lead to the entries."""
    human, mouse = ("Homo sapiens", 9606), ("Mus musculus", 10090)
    services.genes = {
        "TP53": [
            gene_entry("P02340", "Cellular tumor antigen p53", "Tp53", *mouse, 390),
            gene_entry("P04637", "Cellular tumor antigen p53", "TP53", *human, 393),
            gene_entry("Q00001", "Another", "OTHER", *human, 100, ["TP53"]),
        ],
        "P53": [gene_entry("P04637", "Cellular tumor antigen p53", "TP53", *human, 393, ["P53"])],
        "CDKN2A": [
            gene_entry("Q8N726", "Tumor suppressor ARF", "CDKN2A", *human, 132),
            gene_entry("P42771", "Cyclin-dependent kinase inhibitor 2A", "CDKN2A", *human, 156),
        ],
        "BLA": [
            gene_entry("P62593", "Beta-lactamase TEM", "bla", "Escherichia coli", 562, 286),
            gene_entry("P00807", "Beta-lactamase", "bla", "Staphylococcus aureus", 1280, 281),
        ],
        "TEM1": [gene_entry("P62593", "Beta-lactamase TEM", "TEM1", "Escherichia coli", 562, 286)],
    }
    r175h = listed(
        "R",
        175,
        "H",
        ["Pathogenic"],
        [("ClinVar", "RCV000013173"), ("dbSNP", "rs28934578")],
        review="criteria provided, multiple submitters, no conflicts",
    )
    r175l = listed("R", 175, "L", ["Likely pathogenic"], [("dbSNP", "rs28934578")])
    p72 = [listed("P", 72, x, ["Benign"], [("dbSNP", "rs1042522")]) for x in ("R", "H")]
    for rsid, features in {"rs28934578": [r175h], "rs1042522": p72, "rs4": [r175h]}.items():
        services.json(
            f"/api/variation/dbsnp/{rsid}",
            [
                names("A0A087WXZ1", "A0A087WXZ1_HUMAN", "TP53", features),
                names("P04637", "P53_HUMAN", "TP53", features),
                names("P04637-2", "P53_HUMAN", "TP53", [r175l]),
            ],
        )
    stop = listed("R", 196, "*", ["Pathogenic"], [("dbSNP", "rs397516435")])
    services.json(
        "/api/variation/dbsnp/rs397516435", [names("P04637", "P53_HUMAN", "TP53", [stop])]
    )
    changes = [
        consequence("ENST00000413465", "TP53", "P04637-7", "p.Arg175His"),
        consequence("ENST00000269305", "TP53", "P04637-1", "p.Arg175His", mane="NM_000546.6"),
        consequence("ENST00000504937", "TP53", "P04637-2", "p.Arg43His", canonical=True),
        consequence("ENST00000576024", "TP53", "", "", terms=["intron_variant"]),
    ]
    for name in ("NM_000546.6:c.524G>A", "TP53:c.524G>A", "NC_000017.11:g.7675088C>T"):
        effect(services, name, changes)
    effect(services, "ENST00000504937.5:c.128G>A", changes)
    effect(
        services,
        "TP53:c.20-5A>G",
        [consequence("ENST00000269305", "TP53", "", "", terms=["intron_variant"])],
    )
    effect(
        services,
        "CDKN2A:c.44C>T",
        [
            consequence("ENST1", "CDKN2A", "P42771-1", "p.Ala15Val", mane="NM_000077.5"),
            consequence("ENST2", "CDKN2A", "Q8N726-1", "p.Pro58Leu", mane="NM_058195.4"),
        ],
    )
    effect(
        services,
        "TP53:c.586C>T",
        [consequence("ENST00000269305", "TP53", "P04637-1", "p.Arg196Ter", terms=["stop_gained"])],
    )
    services.json(
        vep_path("TP53:c.9999G>A"),
        {"error": "Unable to parse HGVS notation 'TP53:c.9999G>A'"},
        status=400,
    )


def gene_entry(
    accession: str,
    name: str,
    gene: str,
    organism: str,
    taxon: int,
    length: int,
    synonyms: Sequence[str] = (),
) -> dict[str, Any]:
    """A result of UniProt's search."""
    return {
        "entryType": "UniProtKB reviewed (Swiss-Prot)",
        "primaryAccession": accession,
        "organism": {"scientificName": organism, "taxonId": taxon},
        "proteinDescription": {"recommendedName": {"fullName": {"value": name}}},
        "genes": [{"geneName": {"value": gene}, "synonyms": [{"value": s} for s in synonyms]}],
        "sequence": {"length": length},
    }


def names(accession: str, entry: str, gene: str, features: list[dict[str, Any]]) -> dict[str, Any]:
    """An entry in EBI's answer about a name of dbSNP."""
    return {
        "accession": accession,
        "entryName": entry,
        "proteinName": "Cellular tumor antigen p53",
        "geneName": gene,
        "taxid": 9606,
        "features": features,
    }


def consequence(
    transcript: str,
    gene: str,
    isoform: str,
    change: str,
    *,
    mane: str = "",
    canonical: bool = False,
    terms: Sequence[str] = ("missense_variant",),
) -> dict[str, Any]:
    """What VEP says of one transcript."""
    told: dict[str, Any] = {
        "transcript_id": transcript,
        "gene_symbol": gene,
        "biotype": "protein_coding",
        "consequence_terms": list(terms),
    }
    if change:
        told["hgvsp"] = f"ENSP00000000001.3:{change}"
    if isoform:
        told |= {"uniprot_isoform": [isoform], "swissprot": [f"{isoform.partition('-')[0]}.305"]}
    if mane:
        told |= {"mane_select": mane, "mane": ["MANE_Select"]}
    if canonical:
        told["canonical"] = 1
    return told


def vep_path(hgvs: str) -> str:
    return f"/vep/human/hgvs/{quote(hgvs, safe='')}"


def effect(services: Services, hgvs: str, consequences: list[dict[str, Any]]) -> None:
    services.json(
        vep_path(hgvs),
        [
            {
                "input": hgvs,
                "assembly_name": "GRCh38",
                "most_severe_consequence": "missense_variant",
                "transcript_consequences": consequences,
            }
        ],
    )


def add_protein(
    services: Services,
    accession: str,
    sequence: str,
    name: str,
    gene: str,
    organism: str,
    features: list[dict[str, Any]] | None = None,
    missense: bool = False,
) -> None:
    """An entry with a model; its prediction answer begins with records that are not it.

    With `missense` the record has a table of substitutions, as those of human proteins do.
    """
    services.json(
        f"/uniprotkb/{accession}.json",
        {
            "entryType": "UniProtKB reviewed (Swiss-Prot)",
            "primaryAccession": accession,
            "uniProtkbId": f"{gene}_X",
            "organism": {"scientificName": organism},
            "proteinDescription": {"recommendedName": {"fullName": {"value": name}}},
            "genes": [{"geneName": {"value": gene}}],
            "features": features or [],
            "sequence": {"value": sequence, "length": len(sequence)},
        },
    )
    files = f"{services.address}/files/AF-{accession}-F1"
    more = {"amAnnotationsUrl": f"{files}-aa-substitutions.csv"} if missense else {}
    services.json(
        f"/api/prediction/{accession}",
        [
            record(f"{accession}-2", sequence[:20], f"{services.address}/files/isoform"),
            record(
                accession,
                sequence,
                f"{services.address}/files/other",
                id="AF-0000000001-F1",
                provider="Another",
            ),
            record(accession, sequence, files, **more),
        ],
    )
    if missense:
        services.replies[f"/files/AF-{accession}-F1-aa-substitutions.csv"] = Reply(
            missense_table(sequence), kind="text/csv"
        )
    services.replies[f"/files/AF-{accession}-F1-msa.a3m"] = Reply(
        f">query\n{sequence}\n>other\n{sequence[:-1]}-\n".encode(), kind="text/plain"
    )
    services.replies[f"/files/AF-{accession}-F1.cif"] = Reply(
        helix(sequence, "A", plddt=True), kind="text/cif"
    )
    size = len(sequence)
    error = np.minimum(31, np.abs(np.subtract.outer(range(size), range(size))) // 4)
    services.json(
        f"/files/AF-{accession}-F1-pae.json",
        [{"predicted_aligned_error": error.tolist(), "max_predicted_aligned_error": 31.0}],
    )
    services.json(f"/api/variation/{accession}", {"accession": accession, "features": []})


def record(
    accession: str,
    sequence: str,
    files: str,
    *,
    id: str | None = None,
    provider: str = "GDM",
    old_names: bool = False,
    **more: Any,
) -> dict[str, Any]:
    names = (
        ("uniprotSequence", "uniprotStart", "uniprotEnd")
        if old_names
        else ("sequence", "sequenceStart", "sequenceEnd")
    )
    return {
        "entryId": id or f"AF-{accession}-F1",
        "modelEntityId": id or f"AF-{accession}-F1",
        "uniprotAccession": accession,
        names[0]: sequence,
        names[1]: 1,
        names[2]: len(sequence),
        "latestVersion": 6,
        "providerId": provider,
        "globalMetricValue": 75.06,
        "cifUrl": f"{files}.cif",
        "paeDocUrl": f"{files}-pae.json",
        "msaUrl": f"{files}-msa.a3m",
        **more,
    }


def missense_table(sequence: str, classes: tuple[str, ...] = ("LBen", "Amb", "LPath")) -> bytes:
    """A table in AlphaMissense's form: scores rise along the sequence, classes with them."""
    letters = "ACDEFGHIKLMNPQRSTVWY"
    rows = [(p, wild, x) for p, wild in enumerate(sequence) for x in letters if x != wild]
    lines = ["protein_variant,am_pathogenicity,am_class"]
    for number, (place, wild, mutant) in enumerate(rows):
        score = round(number / len(rows), 4)
        name = classes[(score >= 0.34) + (score > 0.564)]
        lines.append(f"{wild}{place + 1}{mutant},{score},{name}")
    return "\n".join([*lines, ""]).encode()


def feature(kind: str, start: int | None, end: int | None, text: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "description": text,
        "location": {"start": {"value": start, "modifier": "EXACT"}, "end": {"value": end}},
    }


def natural_variant(
    start: int, end: int, mutants: list[str] | None, text: str, wild: str
) -> dict[str, Any]:
    other = {} if mutants is None else {"originalSequence": wild, "alternativeSequences": mutants}
    return feature("Natural variant", start, end, text) | {
        "featureId": f"VAR_{start:06}",
        "alternativeSequence": other,
    }


def listed(
    wild: str,
    position: int,
    mutant: str,
    significance: list[str],
    refs: list[tuple[str, str]],
    review: str = "",
) -> dict[str, Any]:
    reviewed = {"reviewStatus": review} if review else {}
    return {
        "type": "VARIANT",
        "begin": str(position),
        "end": str(position),
        "wildType": wild,
        "mutatedType": mutant,
        "consequenceType": "missense",
        "clinicalSignificances": [
            {"type": s, "sources": ["ClinVar"], **reviewed} for s in significance
        ],
        "xrefs": [{"name": name, "id": id} for name, id in refs],
        "genomicLocation": "NC_000017.11:g.7675088C>T",
    }


def helix(
    sequence: str, chain: str, *, plddt: bool = False, sifts: str = "", author_from: int = 1
) -> bytes:
    """An ideal alpha helix of the sequence as mmCIF text."""
    from glass_core.protein.sequence import THREE_LETTER

    columns = [
        "group_PDB",
        "id",
        "type_symbol",
        "label_atom_id",
        "label_alt_id",
        "label_comp_id",
        "label_asym_id",
        "label_entity_id",
        "label_seq_id",
        "pdbx_PDB_ins_code",
        "Cartn_x",
        "Cartn_y",
        "Cartn_z",
        "occupancy",
        "B_iso_or_equiv",
        "auth_seq_id",
        "auth_asym_id",
        "pdbx_PDB_model_num",
    ]
    if sifts:
        columns += ["pdbx_sifts_xref_db_acc", "pdbx_sifts_xref_db_num"]
    # radius (Å), angle (degrees) and rise (Å) of each atom about the helix axis
    shape = {
        "N": (1.55, -28.0, -0.9),
        "CA": (2.28, 0.0, 0.0),
        "C": (1.66, 26.5, 1.1),
        "O": (1.93, 23.0, 2.3),
        "CB": (3.29, -18.0, -0.4),
    }
    lines, serial = [], 0
    for place, letter in enumerate(sequence):
        for atom, (radius, angle, rise) in shape.items():
            if atom == "CB" and letter == "G":
                continue
            serial += 1
            turn = np.radians(100.0 * place + angle)
            x, y, z = radius * np.cos(turn), radius * np.sin(turn), 1.5 * place + rise
            confidence = 40 + (place * 7) % 60 if plddt else 20
            line = (
                f"ATOM {serial} {atom[0]} {atom} . {THREE_LETTER[letter].upper()} {chain} 1 "
                f"{place + 1} ? {x:.3f} {y:.3f} {z:.3f} 1.00 {confidence:.2f} "
                f"{place + author_from} {chain} 1"
            )
            lines.append(line + (f" {sifts} {place + 1}" if sifts else ""))
    head = ["data_AF-MODEL" if plddt else "data_ENTRY", "#"]
    if plddt:
        head += [
            "_entry.id AF-MODEL",
            "#",
            "loop_",
            "_ma_qa_metric_local.label_seq_id",
            "_ma_qa_metric_local.metric_value",
            *(f"{p + 1} {40 + (p * 7) % 60:.2f}" for p in range(len(sequence))),
            "#",
        ]
    return "\n".join(
        [*head, "loop_", *(f"_atom_site.{c}" for c in columns), *lines, "#", ""]
    ).encode()


def bomb(megabytes: int) -> Reply:
    """A small answer that unpacks to so many megabytes."""
    return Reply(
        gzip.compress(b" " * (megabytes * 1_000_000)), headers={"Content-Encoding": "gzip"}
    )


def environment(services: Services, folder: Path) -> dict[str, str]:
    """``GLASS_*`` variables that lead here."""
    return {
        "GLASS_UNIPROT": services.address,
        "GLASS_ALPHAFOLD": services.address,
        "GLASS_RCSB": services.address,
        "GLASS_PDBE": f"{services.address}/pdbe",
        "GLASS_EBI": services.address,
        "GLASS_ENSEMBL": services.address,
        "GLASS_DOWNLOADS": str(folder),
    }


if __name__ == "__main__":
    with running(int(sys.argv[1])) as here:
        for name, value in environment(here, Path("downloads")).items():
            print(f"export {name}={value}")
        threading.Event().wait()
