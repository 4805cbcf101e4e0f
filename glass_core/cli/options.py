"""Options that several commands have, with one name and one meaning each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from glass_core.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[F], F]
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
_NUMBERINGS = ("sequence", "UniProt", "author")

PARTLY_FAILED = 3
"""Exit code where some of what was given could not be done, and the rest was."""

model_option = click.option(
    "--model", default="compact", show_default=True, help="See the command 'models'."
)
device_option = click.option("--device", help="auto, cpu, cuda or cuda:1.")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON in place of words for people."
)
correspondence_option = click.option(
    "--correspondence",
    type=click.Choice(["tmalign", "sequence"]),
    default="tmalign",
    show_default=True,
    help="What pairs the residues in measurements.",
)
scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask scheduler, tcp://host:port, to compute there."
)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in this order in the help."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def gathered(name: str, options: Mapping[str, Callable[[Any], Any]]) -> Callable[[F], F]:
    """Options that reach the command as one dictionary, its argument `name`."""

    def decorate(command: F) -> F:
        @wraps(command)
        def call(**values: Any) -> Any:
            return command(**{name: {key: values.pop(key) for key in options}}, **values)

        return together(*options.values())(call)

    return decorate


source_options = together(
    click.option(
        "--accession",
        default="",
        help="UniProt accession, also of an isoform, PDB entry or gene to look up: sequence, "
        "AlphaFold's model, features, known variants.",
    ),
    click.option(
        "--numbering",
        type=click.Choice(_NUMBERINGS),
        default=_NUMBERINGS[0],
        show_default=True,
        help="How residues are numbered, in what is given and in what is shown.",
    ),
)
structure_options = together(
    click.option(
        "--structure",
        type=click.Path(path_type=Path),
        help="Wild-type structure: mmCIF, PDB or BinaryCIF, also gzip'd.",
    ),
    click.option("--chain", help="Chain of --structure; needed when it has several."),
)

alignment_option = click.option(
    "--msa",
    type=FILE,
    help="Alignment of homologues: A3M, A2M, FASTA, Stockholm or Clustal, also gzip'd. The wild "
    "type is found in it. 'alphafold': the one behind the model of the --accession.",
)

esm2_option = click.option(
    "--esm2",
    type=click.Choice(["wild-type", "masked"]),
    is_flag=False,
    flag_value="wild-type",
    help="Ask ESM-2 as well, an external model: alone or with wild-type in one pass over the "
    "wild type; masked hides each position in turn, which takes about as many times longer as "
    "there are residues.",
)


def settings_on(device: str | None = None) -> Settings:
    """The settings of the environment, with the device of the command line where it is given."""
    return Settings.from_environment().on(device)
