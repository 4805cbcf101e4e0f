"""A variant as somebody wrote it: entry, chain and reference apart from the change itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from glass_core.protein.accession import Accession, leading_accession
from glass_core.protein.notation import is_change
from glass_core.records import require

_CHAIN_NAME = r"[A-Za-z0-9]{1,4}"
_CHAIN = re.compile(rf"(?!HGNC:)(?P<chain>{_CHAIN_NAME}):(?=\S)(?P<rest>.+)", re.DOTALL)
_REFERENCE = re.compile(
    r"(?P<reference>[^\s,;]+?):(?=p\.|[cgnmr]\.)|(?P<database>(?:[NXY]P_|ENSP)\d+(?:\.\d+)?):(?=\S)"
)
_CLINVAR = re.compile(r"(?P<reference>[^\s:]+):[cgnm]\.\S+\s+\((?P<change>p\.[^\s]+)\)")
"""ClinVar's name of a variant, such as ``NM_000546.6(TP53):c.524G>A (p.Arg175His)``."""
_SEVERAL = re.compile(r"p\.\(?\[(.*)\]\)?")


@dataclass(frozen=True)
class Written:
    """The parts of a text that names a variant; made by `take_apart`.

    Attributes
    ----------
    text : str
        The whole, as it stood there.
    accession : Accession or None
        The entry of UniProt or PDB it begins with.
    chain : str
        Of the structure; '' where it names none.
    reference : str
        Any other sequence it is said to be of, such as ``NP_000537.3``; '' for none.
    core : str
        What is left: the change or changes, or several variants of a site. Empty where the
        text is an accession alone.
    rest : str
        The text without the accession: chain, reference and core as they stood.
    """

    text: str
    accession: Accession | None = None
    chain: str = ""
    reference: str = ""
    core: str = ""
    rest: str = ""

    def __post_init__(self) -> None:
        named = not self.chain or re.fullmatch(_CHAIN_NAME, self.chain)
        require(bool(named), "chain", "is up to four letters and digits")
        require(not re.search(r"[\s,;]", self.reference), "reference", "is one word")
        require(self.core == self.core.strip(), "core", "has no white space around it")

    @property
    def variant(self) -> str:
        """What names the variant where one must be named: the core, else the whole text.

        For ``P12345`` alone is an accession, and also all variants of a proline.
        """
        return self.core or self.text.strip()


def take_apart(text: str) -> Written:
    """The parts of `text`, each looked for once, in this order.

    0. ClinVar's whole name has its change in brackets at the end, and the reference before.
    1. An *accession* (`accession.leading_accession`) before white space or a colon. What has
       its form is one: ``1ABC:R175H`` is of PDB entry 1ABC, not of a chain called so. Digits
       alone are none, for they are a position or a chain.
    2. A *chain*: up to four letters and digits before a colon, unless they are a change
       themselves (``A1P:D2N`` is one variant of two changes), ``p.`` follows, or they are
       ``HGNC``, whose number is a reference.
    3. An accession behind the chain, where none stood before it and something follows it.
    4. A *reference*: all else before ``:p.`` or ``:c.``, or a name of RefSeq or Ensembl
       before a colon; never a change (``p.Ala1Pro:p.Asp2Asn`` are two).
    5. The *core* is the rest, ``[...]`` of several changes taken off.
    """
    named = _CLINVAR.fullmatch(text.strip())
    if named is not None:
        return Written(text, None, "", named["reference"], named["change"], text)
    accession, rest = leading_accession(text)
    chain, behind = _split_chain(rest)
    if chain and accession is None:
        second, core = leading_accession(behind)
        if second is not None and core:
            accession, behind, rest = second, core, f"{chain}:{core}"
    reference, core = _split_reference(behind)
    return Written(text, accession, chain, reference, core, rest)


def _split_chain(text: str) -> tuple[str, str]:
    match = _CHAIN.fullmatch(text)
    if match is None or is_change(match["chain"]) or match["rest"].startswith("p."):
        return "", text
    return match["chain"], match["rest"]


def _split_reference(text: str) -> tuple[str, str]:
    match = _REFERENCE.match(text)
    reference = (match["reference"] or match["database"]) if match else ""
    if match is None or any(map(is_change, reference.split(":"))):
        reference, core = "", text
    else:
        core = text[match.end() :]
    several = _SEVERAL.fullmatch(core)
    return reference, (several[1] if several else core).strip()
