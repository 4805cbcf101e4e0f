"""Every check of a variant."""

from __future__ import annotations

from glass_core.impact.checks import backbone, bonds, burial, contacts, motifs, packing
from glass_core.impact.checks.base import Check, Rule
from glass_core.impact.checks.site import Site, Surroundings
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.records import require

RULES: tuple[Rule, ...] = (
    *burial.RULES,
    *packing.RULES,
    *backbone.RULES,
    *bonds.RULES,
    *contacts.RULES,
    *motifs.RULES,
)
"""In the order in which a reader sees them."""


def structural_checks(
    protein: Protein, variant: Variant, surroundings: Surroundings | None = None
) -> tuple[Check, ...]:
    """What may explain an effect of a variant, after Missense3D. Nothing here is a score.

    Each substitution is looked at by itself, in the wild type. A check is listed where it is
    about the substitution: that of a lost disulphide where a cysteine is replaced, whether or
    not there is one. Insertions and deletions have none.

    Ittisoponpisan et al., J. Mol. Biol. 431, 2197 (2019).

    Parameters
    ----------
    protein : Protein
        Without a structure, only sequence and annotation are looked at.
    variant : Variant
        Of this protein.
    surroundings : Surroundings, optional
        `Surroundings.of(protein.structure)`, to be made once for many variants.

    Returns
    -------
    tuple of Check
        By position, then in the order of `RULES`.

    Raises
    ------
    RecordError
        The variant or the surroundings are another protein's.

    Examples
    --------
    >>> from glass_core import Protein, Variant
    >>> from glass_core.impact.checks.run import structural_checks
    >>> protein = Protein.from_sequence("MKNGSAYIAK")
    >>> [c.name for c in structural_checks(protein, Variant.parse("S5A", protein.sequence))]
    ['sequon_lost']
    """
    require(variant.wild_type == protein.sequence, "variant", "is of this protein")
    if surroundings is None and protein.structure is not None:
        surroundings = Surroundings.of(protein.structure)
    sites = [Site(protein, c, surroundings) for c in variant.changes if c.is_substitution]
    checks = (rule.check(site) for site in sites for rule in RULES)
    return tuple(check for check in checks if check is not None)
