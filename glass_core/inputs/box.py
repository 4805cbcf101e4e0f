"""One box for everything: what a text is, while it is typed, without asking anybody."""

from __future__ import annotations

import re

from glass_core.errors import GlassError, shown
from glass_core.inputs.lists import variant_words
from glass_core.inputs.pasted import SHORTEST_SEQUENCE, may_be_sequence, pasted_sequences
from glass_core.inputs.table import looks_like_table
from glass_core.inputs.words import read_variants
from glass_core.protein.notation import has_form
from glass_core.protein.protein import Protein
from glass_core.protein.understood import Understood
from glass_core.protein.written import take_apart

EXAMPLES = "TP53 R175H, P04637, 2OCJ, rs334, HBB:c.20A>T, a sequence or a list of variants"
GENES_LIKE_VARIANTS = (
    *("A1BG", "A2M", "A4GALT", "C1D", "C1R", "C1S", "C2", "C3", "C5", "C6", "C7", "C8A", "C8B"),
    *("C8G", "C9", "F2", "F2R", "F3", "F5", "F7", "F8", "F9", "F10", "F11", "F12", "F13A1"),
    *("F13B", "H19", "P16", "P21", "P27", "P53", "P63", "P73"),
)
"""Symbols and usual names of human genes that have the form of a variant or a site: they are
genes, unless they fit the protein that is open."""
_SHORTEST_BESIDE = 3
"""Letters of a gene before a variant, for chains are called A."""
_SHORTEST_BEFORE = 20
"""Letters of a sequence before a variant: fewer may be a gene."""
_MOST_READ = 20
"""Variants that are read against the protein while typing."""
_SPACED = re.compile(r"([A-Za-z]{1,3})\s+(-?\d+[A-Za-z]?)\s+([A-Za-z]{1,3})")
_GENE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*")
_LONGEST_GENE = 15
_GENE_AND = re.compile(rf"(?P<gene>{_GENE.pattern})(?::\s*|\s+)(?P<rest>\S.*)", re.DOTALL)
_RSID = re.compile(r"(?:(?P<gene>\S+)[\s:]+)?(?P<rsid>rs[1-9]\d{0,11})", re.IGNORECASE)
_HGVS = re.compile(
    r"(?:(?P<reference>[^\s:()]+)(?:\((?P<gene>[^\s()]+)\))?(?::\s*|\s+))?"
    r"(?P<change>(?P<kind>[cgmnr])\.\S+)(?:\s+\(p\.\S+\))?"
)
_CODING = {"c": "coding change", "g": "genomic change", "m": "mitochondrial change"}
_CHAIN = re.compile(r"[A-Za-z][A-Za-z0-9]{0,3}")


def understand(text: str, protein: Protein | None = None) -> Understood:
    """Say what a text is, offline and fast.

    Parameters
    ----------
    text : str
        Anything: see `EXAMPLES`; also FASTA, ClinVar's names, tables.
    protein : Protein, optional
        The one that is open: variants are read against it, and a gene that is written like a
        variant of it, such as F2R, is one.

    Examples
    --------
    >>> from glass_core.inputs.box import understand
    >>> understand("TP53 R175H").preview
    'gene TP53, variant R175H'
    >>> understand("c.20A>T").problem
    True
    """
    text = text.lstrip("\ufeff").strip()
    if not text:
        return Understood("nothing", f"Type for example {EXAMPLES}.")
    if text.startswith(">"):
        return pasted_sequences(text)
    line = " ".join(text.split())
    if "\n" in text and looks_like_table(text):
        return Understood("table", f"table of variants, {len(text.splitlines()):,} lines")
    for read in (_rsid, _hgvs):
        found = read(line, protein)
        if found is not None:
            return found
    named = _with_accession(text) or _with_sequence(line) or _with_gene(text, protein)
    if named is not None and protein is not None and _is_open(named, protein):
        return _variants(named.variants, protein) or named
    return named or _variants(text, protein) or _gene(line) or _letters(text)


def _is_open(named: Understood, protein: Protein) -> bool:
    """Whether the entry or gene that variants are of is the protein that is open."""
    if not named.variants:
        return False
    if named.accession is not None:
        return str(named.accession) == protein.accession
    known = {name.upper() for name in (*protein.other_names, protein.short_name)}
    if protein.annotation is not None and protein.annotation.gene:
        known.add(protein.annotation.gene.upper())
    return named.gene.upper() in known


def _rsid(line: str, protein: Protein | None) -> Understood | None:
    match = _RSID.fullmatch(line)
    if match is None:
        return None
    rsid, gene = match["rsid"].lower(), match["gene"] or ""
    if gene and (not _may_be_gene(gene) or _RSID.fullmatch(gene)):
        return None
    of = f" of gene {gene}" if gene else ""
    return Understood("rsid", f"dbSNP {rsid}{of}", rsid=rsid, gene=gene)


def _hgvs(line: str, protein: Protein | None) -> Understood | None:
    """A change of a gene; with the open protein's gene where none is named."""
    match = _HGVS.fullmatch(line)
    if match is None:
        return None
    kind, change = match["kind"], match["change"]
    if kind not in _CODING:
        return Understood(
            "problem",
            f"'{shown(change)}' describes RNA or a gene without a protein; give the coding change "
            "(c.) or that of the protein, such as p.Arg175His.",
        )
    known = "" if protein is None or protein.annotation is None else protein.annotation.gene
    reference = match["reference"] or (known if kind == "c" else "")
    if not reference:
        return Understood(
            "problem",
            f"'{shown(change)}' names no sequence that it is of; write the gene or the transcript "
            f"before it, such as HBB:{shown(change)}.",
        )
    return Understood(
        "hgvs",
        f"{_CODING[kind]} {shown(change)} of {reference}",
        hgvs=f"{reference}:{change}",
        gene=match["gene"] or "",
    )


def _with_accession(text: str) -> Understood | None:
    """An entry, alone or with a chain or variants."""
    written = take_apart(text)
    accession = written.accession
    if accession is None or not text.upper().startswith(written.text.strip()[:4].upper()):
        return None
    database = "PDB" if accession.database == "pdb" else "UniProt"
    entry = f"{database} entry {accession}"
    rest = written.rest if written.core else ""
    if not rest:
        return Understood("accession", entry, accession=accession)
    if accession.database == "pdb" and _CHAIN.fullmatch(rest) and not has_form(rest):
        return Understood("accession", f"{entry}, chain {rest}", accession=accession, chain=rest)
    words = _words(rest)
    if not words:
        return _not_understood(rest, f"stands behind {accession} and is no variant")
    chain = f"chain {written.chain}, " if written.chain else ""
    return Understood(
        "accession",
        f"{entry}, {chain}{_listed(words)}",
        accession=accession,
        chain=written.chain,
        variants="\n".join(words),
    )


def _with_sequence(line: str) -> Understood | None:
    """A sequence of one word and the variants behind it."""
    first, _, rest = line.partition(" ")
    words = _words(rest)
    if len(first) < _SHORTEST_BEFORE or not first.isalpha() or not words:
        return None
    if not may_be_sequence(first):
        return None
    found = pasted_sequences(first)
    if found.problem:
        return found
    preview = f"{found.preview}, {_listed(words)}"
    return Understood("sequences", preview, found.records, variants=" ".join(words))


def _with_gene(text: str, protein: Protein | None) -> Understood | None:
    """A gene and variants of its protein; the gene may stand in each line."""
    parts = [_gene_apart(line.strip(), protein) for line in text.splitlines()]
    genes = {gene for gene, _ in parts if gene}
    if len(genes) != 1:
        return None
    words = []
    for _, rest in parts:
        found = _words(rest)
        if rest and not found:
            return None
        words += found
    (gene,) = genes
    preview = f"gene {gene}, {_listed(words)}"
    return Understood("gene", preview, gene=gene, variants="\n".join(words))


def _gene_apart(line: str, protein: Protein | None) -> tuple[str, str]:
    """The gene that a line begins with, '' for none, and the rest of it."""
    match = _GENE_AND.fullmatch(line)
    if match is None or not _is_gene(match["gene"], protein):
        return "", line
    return match["gene"], match["rest"]


def _is_gene(word: str, protein: Protein | None) -> bool:
    """Whether a word before a variant is a gene: no variant itself, and no chain."""
    if not _may_be_gene(word) or (len(word) < _SHORTEST_BESIDE and not _like_variant(word)):
        return False
    structure = None if protein is None else protein.structure
    if structure is not None and word == structure.chain:
        return False
    return not has_form(word) or (_like_variant(word) and not _fits(word, protein))


def _like_variant(word: str) -> bool:
    return word.upper() in GENES_LIKE_VARIANTS


def _fits(word: str, protein: Protein | None) -> bool:
    if protein is None:
        return False
    try:
        return bool(read_variants(word, protein))
    except GlassError:
        return False


def _variants(text: str, protein: Protein | None) -> Understood | None:
    """Variants of the protein that is open."""
    words = _words(text)
    if not words or (len(words) == 1 and _like_variant(words[0]) and not _fits(words[0], protein)):
        return None
    variants, listed = "\n".join(words), _listed(words)
    if protein is None:
        example = shown(take_apart(words[0]).variant)
        return Understood(
            "variants",
            f"{listed}; of which protein? Write its gene, accession or sequence before it, such "
            f"as TP53 {example}.",
            variants=variants,
        )
    try:
        for word in words[:_MOST_READ]:
            read_variants(word, protein)
    except GlassError as error:
        return Understood("problem", str(error), variants=variants)
    of = protein.short_name if protein.name else "this protein"
    return Understood("variants", f"{listed} of {of}", variants=variants)


def _gene(line: str) -> Understood | None:
    if not _may_be_gene(line):
        return None
    return Understood("gene", f"gene {line}", gene=line)


def _may_be_gene(word: str) -> bool:
    """Whether a word may be a gene's symbol; many letters in a row are a sequence."""
    long = re.search(rf"[A-Za-z]{{{SHORTEST_SEQUENCE},}}", word)
    return 2 <= len(word) <= _LONGEST_GENE and _GENE.fullmatch(word) is not None and not long


def _words(text: str) -> list[str]:
    """The words of a text that names variants and nothing else; empty for any other."""
    joined = _SPACED.sub(r"\1\2\3", text)
    words = [word for line in joined.splitlines() for word in variant_words(line)]
    return words if all(has_form(take_apart(word).variant) for word in words) else []


def _listed(words: list[str]) -> str:
    words = [take_apart(word).core or word for word in words]
    if len(words) == 1:
        return f"variant {shown(words[0])}"
    more = ", ..." if len(words) > 3 else ""
    return f"{len(words):,} variants: {', '.join(map(shown, words[:3]))}{more}"


def _letters(text: str) -> Understood:
    """A pasted sequence, or nothing that is known."""
    if may_be_sequence(text):
        return pasted_sequences(text)
    return _not_understood(text, "is no sequence, gene, accession or variant")


def _not_understood(text: str, why: str) -> Understood:
    return Understood("problem", f"'{shown(text)}' {why}; write for example {EXAMPLES}.")
