"""Structure files of PDB entries: PDBe's with UniProt numbers, else RCSB's."""

from __future__ import annotations

from glass_core.errors import NotFoundError
from glass_core.protein.accession import Accession
from glass_core.sources.fetch import Answer, Fetcher

SERVICE = "PDB"


def structure_file(accession: Accession, fetcher: Fetcher) -> Answer:
    """The mmCIF file of an entry; its note says where it is not PDBe's.

    Raises
    ------
    NotFoundError
        There is no such entry.
    SourceError
        Neither place can be asked.
    """
    name = accession.id.lower()
    settings = fetcher.settings
    try:
        return fetcher.first(
            (
                f"{settings.pdbe}/entry-files/download/{name}_updated.cif",
                f"{settings.rcsb}/download/{name}.cif",
            )
        )
    except NotFoundError as error:
        raise NotFoundError(
            f"PDB has no entry {accession.id}; check the four characters, or give a file."
        ) from error
