"""What reports refer to, by a short name; one place for every citation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

REFERENCES: Mapping[str, str] = {
    "glass": "GLASS. bioRxiv 2025.10.27.684815 (2025). https://doi.org/10.1101/2025.10.27.684815",
    "tm-align": "Zhang Y, Skolnick J. TM-align: a protein structure alignment algorithm based on "
    "the TM-score. Nucleic Acids Res. 33, 2302-2309 (2005).",
    "tm-score": "Zhang Y, Skolnick J. Scoring function for automated assessment of protein "
    "structure template quality. Proteins 57, 702-710 (2004).",
    "lddt": "Mariani V, Biasini M, Barbato A, Schwede T. lDDT: a local superposition-free score "
    "for comparing protein structures and models using distance difference tests. "
    "Bioinformatics 29, 2722-2728 (2013).",
    "strain": "McBride JM, Polev K, Abdirasulov A, Reinharz V, Grzybowski BA, Tlusty T. AlphaFold2 "
    "can predict single-mutation effects. Phys. Rev. Lett. 131, 218401 (2023).",
    "prott5": "Elnaggar A et al. ProtTrans: toward understanding the language of life through "
    "self-supervised learning. IEEE Trans. Pattern Anal. Mach. Intell. 44, 7112-7127 (2022).",
    "proteinmpnn": "Dauparas J et al. Robust deep learning-based protein sequence design using "
    "ProteinMPNN. Science 378, 49-56 (2022).",
    "gaussian network": "Bahar I, Atilgan AR, Erman B. Direct evaluation of thermal fluctuations "
    "in proteins using a single-parameter harmonic potential. Fold. Des. 2, 173-181 (1997).",
    "sift": "Ng PC, Henikoff S. Predicting deleterious amino acid substitutions. Genome Res. 11, "
    "863-874 (2001).",
    "independent": "Hopf TA et al. Mutation effects predicted from sequence co-variation. Nat. "
    "Biotechnol. 35, 128-135 (2017).",
    "blosum62": "Henikoff S, Henikoff JG. Amino acid substitution matrices from protein blocks. "
    "Proc. Natl Acad. Sci. USA 89, 10915-10919 (1992).",
    "openmm": "Eastman P et al. OpenMM 8: molecular dynamics simulation with machine learning "
    "potentials. J. Phys. Chem. B 128, 109-116 (2024).",
    "ff14sb": "Maier JA et al. ff14SB: improving the accuracy of protein side chain and backbone "
    "parameters from ff99SB. J. Chem. Theory Comput. 11, 3696-3713 (2015).",
    "modeller": "Sali A, Blundell TL. Comparative protein modelling by satisfaction of spatial "
    "restraints. J. Mol. Biol. 234, 779-815 (1993).",
    "discovery rate": "Benjamini Y, Hochberg Y. Controlling the false discovery rate: a practical "
    "and powerful approach to multiple testing. J. R. Stat. Soc. B 57, 289-300 (1995).",
    "p-sea": "Labesse G, Colloc'h N, Pothier J, Mornon JP. P-SEA: a new efficient assignment of "
    "secondary structure from C-alpha trace of proteins. Comput. Appl. Biosci. 13, 291-295 (1997).",
    "communities": "Blondel VD, Guillaume JL, Lambiotte R, Lefebvre E. Fast unfolding of "
    "communities in large networks. J. Stat. Mech. P10008 (2008).",
    "3dmol": "Rego N, Koes D. 3Dmol.js: molecular visualization with WebGL. Bioinformatics 31, "
    "1322-1324 (2015).",
}
"""Short name -> citation."""


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Numbers from 1 in the order in which the names come, each once."""
    return {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}
