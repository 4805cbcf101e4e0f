"""Damage to good input, repeatable by seed: what a fuzzer does, for bytes and for text."""

from __future__ import annotations

import gzip
import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glass_core.errors import GlassError

TOKENS = (
    b"",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"nan",
    b"inf",
    b"-1",
    b"0",
    b"1e308",
    b"999999999999999",
    b"-99999",
    b"?",
    b".",
    b";",
    b"'",
    b'"',
    b"\n",
    b"\n;\n",
    b"loop_\n",
    b"data_",
    b"#",
    b"_",
    b"ATOM",
    b"HETATM",
    b"TER",
    b"END\n",
    b"MODEL ",
    b"CA",
    b"UNK",
    b"MSE",
    b"\xc3\x28",
    b"\xe2\x80",
    b"<script>",
    b"=1+1",
    b"../../",
    b"%s%n",
    b"{",
    b"[",
    b"]",
    b"}",
    b":",
    b",",
    b"A1P",
    b"p.",
    b"_",
    b"del",
    b"ins",
    b"dup",
    b"fs",
    b"*",
    b"=",
    b">",
    b"/",
    b"-",
    b"(",
    b")",
    "é".encode(),
    "\u202e".encode(),
    "٣".encode(),
    b"\x1f\x8b",
)
_GZIP = b"\x1f\x8b"
MAX_MEMORY = 1 << 30
MAX_MESSAGE = 1_000


@dataclass
class Tally:
    """What became of the inputs of one parser.

    Attributes
    ----------
    inputs, read, refused : int
    worst_s : float
        Longest time of one input.
    grown : int
        Growth of the process's peak memory over all inputs, in bytes.
    faults : list of str
        What must not happen: another error, several lines, too much memory.
    """

    name: str
    inputs: int = 0
    read: int = 0
    refused: int = 0
    worst_s: float = 0.0
    grown: int = 0
    faults: list[str] = field(default_factory=list)


def damaged(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """`content` with one to eight changes; what is compressed, half of the time inside."""
    if content[:2] == _GZIP and rng.random() < 0.5:
        return gzip.compress(damaged(gzip.decompress(content), rng, others), 1)
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        size = len(made)
        at = rng.randrange(size + 1)
        span = rng.choice((1, 1, 1, 2, 8, 80, max(size // 4, 1)))
        match rng.randrange(8):
            case 0 if size:
                made[at % size] ^= 1 << rng.randrange(8)
            case 1:
                made[at : at + span] = b""
            case 2:
                made[at:at] = rng.choice(TOKENS)
            case 3:
                made[at : at + span] = rng.choice(TOKENS)
            case 4:
                made[at:at] = made[rng.randrange(size + 1) :][:span]
            case 5:
                made[at:at] = rng.choice(others)[: rng.randrange(200)]
            case 6 if rng.random() < 0.2:
                del made[at:]
            case _:
                made[at : at + 1] = bytes([rng.randrange(256)])
    return bytes(made)


def fuzz(
    name: str, read: Callable[[bytes], object], seeds: Sequence[bytes], count: int, seed: int = 0
) -> Tally:
    """Give `read` so many damaged inputs and note what it does with them."""
    rng, tally = random.Random(f"{name} {seed}"), Tally(name)
    before = _peak()
    for number in range(count):
        content = damaged(rng.choice(seeds), rng, seeds)
        tally.inputs += 1
        began = time.perf_counter()
        try:
            read(content)
        except GlassError as error:
            tally.refused += 1
            if "\n" in str(error) or len(str(error)) > MAX_MESSAGE:
                tally.faults.append(f"input {number}: message {str(error)[:200]!r}")
        except Exception as error:  # noqa: BLE001 - any other error is what is looked for
            tally.faults.append(f"input {number}: {type(error).__name__}: {str(error)[:200]}")
        else:
            tally.read += 1
        tally.worst_s = max(tally.worst_s, time.perf_counter() - began)
    tally.grown = _peak() - before
    if tally.grown > MAX_MEMORY:
        tally.faults.append(f"memory grew by {tally.grown >> 20} MiB")
    return tally


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
