"""What a model can and cannot tell, in words that are never stronger than its records.

Two figures are told apart only where the 95% interval of their difference excludes 0, or, where a
record has none of it, where their own do not overlap. The Evidence and the Models page both say
what stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from glass_core.models.evaluation import (
    ALIGNMENT,
    BLOSUM,
    COMBINED,
    ESTIMATE,
    LETTER_PAIRS,
    MODEL,
    MODEL_SEQUENCE,
    STABILITY,
    STABILITY_SEQUENCE,
    UNTRAINED,
    WITHOUT_SITE,
    Evaluation,
    Figure,
)
from glass_core.report.evidence.compare import above, compared, exactly, inside, plain
from glass_core.report.evidence.names import (
    CHANGES,
    DAMAGING,
    FOLDS,
    KIN,
    LOCAL_CHANGE,
    PAIRS,
    SAME_SEQUENCE,
    WORKS,
    figure_name,
)
from glass_core.report.evidence.pairs import best_baseline
from glass_core.report.evidence.relatives import relatives_words

Records = Mapping[str, Evaluation]
NOMINAL = 0.9
"""Share of measurements that an interval of the stability head should hold."""
_WEAK = 0.2
"""A correlation below it is called weak."""
SYMMETRIC = "TM-score and lDDT are symmetric: they cannot tell a gain from a loss."
_KNOWN = {"structure": "a structure", "alignment": "an alignment"}
"""What is known of a wild type beside its sequence, as sets end in it -> words."""


def answers(records: Records) -> dict[str, tuple[str, ...]]:
    """Question -> what the records say to it, in sentences; questions without any are left out."""
    said = {
        DAMAGING: (*_damaging(records), *_with_more(records, "clinical")),
        FOLDS: (*_folds(records),),
        WORKS: (*_works(records), *_with_more(records, "scan")),
        CHANGES: (*_changes(records),),
        KIN: (*relatives_words(records),),
        PAIRS: (*_pairs(records), *_estimates(records), SYMMETRIC),
    }
    return {question: sentences for question, sentences in said.items() if sentences}


def can_and_cannot(records: Records) -> tuple[str, ...]:
    """All `answers`, in one."""
    return tuple(sentence for part in answers(records).values() for sentence in part)


def _told(records: Records, name: str, who: str) -> Evaluation | None:
    """The record of a set, where it has this predictor."""
    record = records.get(name)
    return record if record is not None and who in record.content["figures"] else None


def _against(record: Evaluation, lead: str, others: Mapping[str, str]) -> str:
    """A comma and `lead` beside the others that a record has: who -> words; '' without any."""
    own = record.figure(lead, figure_name(record))
    ahead = record.content.get("ahead", {}).get(lead, {})
    verdicts: dict[str, list[str]] = {}
    for who, words in others.items():
        figure = record.figure(who, figure_name(record))
        if figure.value is not None:
            verdict = (
                compared(Figure(**ahead[who]), exactly(0.0))
                if who in ahead
                else compared(own, figure)
            )
            verdicts.setdefault(verdict, []).append(f"{words} ({inside(figure)})")
    told = [f"{verdict} {' and '.join(what)}" for verdict, what in verdicts.items()]
    return f", {' and '.join(told)}" if told else ""


def _damaging(records: Records) -> Iterator[str]:
    if record := _told(records, "clinical", MODEL):
        own = record.figure(MODEL, "auroc")
        yield (
            "Its chance of being damaging ranks clinical labels of unseen proteins, by sequence "
            f"alone, with AUROC {plain(own)}{_against(record, MODEL, {BLOSUM: BLOSUM})}. As a "
            f"chance it is off by {_calibration(record)} on average, for a mix of labels as in "
            "that set; it is no diagnosis."
        )
    if record := _told(records, "clinical-structure", MODEL):
        own = record.figure(MODEL, "auroc")
        beside = {MODEL_SEQUENCE: "the sequence alone on the same labels"}
        yield (
            f"With a structure ({record.content['labels']:,} labels, {record.content['groups']} "
            f"groups) its AUROC is {plain(own)}{_against(record, MODEL, beside)}; it is off by "
            f"{_calibration(record)}."
        )


def _folds(records: Records) -> Iterator[str]:
    if record := _told(records, "stability-structure", STABILITY):
        own = record.figure(STABILITY, "spearman")
        beside = {
            STABILITY_SEQUENCE: "the sequence alone on the same domains",
            UNTRAINED: "ProteinMPNN untrained",
        }
        yield (
            "ΔΔG from a structure ranks the substitutions of an unseen domain (mega-scale) with "
            f"Spearman {plain(own)}{_against(record, STABILITY, beside)}."
        )
    for who, what in ((STABILITY_SEQUENCE, "ΔΔG"), (MODEL, "Its effect score")):
        if record := _told(records, "stability", who):
            own = record.figure(who, "spearman")
            yield (
                f"{what} by sequence alone ranks the substitutions of an unseen domain with "
                f"Spearman {plain(own)}{_against(record, who, {BLOSUM: BLOSUM})}."
            )
            break
    if record := _told(records, "ddg-classical", STABILITY):
        own = record.figure(STABILITY, "spearman")
        beside = {STABILITY_SEQUENCE: "the sequence alone", UNTRAINED: "ProteinMPNN untrained"}
        yield (
            "On classical measurements ΔΔG, from a structure where there is one, has Spearman "
            f"{plain(own)} ({record.content['groups']} groups)"
            f"{_against(record, STABILITY, beside)}."
        )
    for name, of in (("stability-structure", "mega-scale"), ("ddg-classical", "classical")):
        if name in records and STABILITY in records[name].content.get("sizes", {}):
            yield size_words(records[name], of)
    if record := _told(records, "ssym", STABILITY):
        yield reverse_words(record)


def size_words(record: Evaluation, of: str) -> str:
    """How far off ΔΔG is, and whether its intervals hold what they should."""
    sizes = record.content["sizes"][STABILITY]
    error, held = (Figure(**sizes[name]) for name in ("mean_absolute_error", "coverage"))
    wide = f"at {sizes['width']:.1f} kcal/mol from end to end"
    judged = {
        1: f"more than they should; {wide} they are wider than need be",
        0: "within the error what they should",
        -1: f"fewer than they should; {wide} they are too narrow",
        None: "no interval of it is known",
    }[above(held, exactly(NOMINAL))]
    return (
        f"ΔΔG is off by {plain(error)} kcal/mol on {of} measurements; its 90% intervals hold "
        f"{plain(held)} of them, {judged}."
    )


def reverse_words(record: Evaluation) -> str:
    """Whether a change and its reverse have opposite signs, and what is left of the sum."""
    both, bias = (record.figure(STABILITY, name) for name in ("direct_and_reverse", "bias"))
    judged = {
        1: f"a bias of {plain(bias)} kcal/mol towards destabilising",
        0: f"no bias that could be seen, {plain(bias)} kcal/mol",
        -1: f"a bias of {plain(bias)} kcal/mol towards stabilising",
        None: f"a bias of {plain(bias)} kcal/mol",
    }[above(bias, exactly(0.0))]
    return (
        f"ΔΔG of a change against that of its reverse: correlation {plain(both)}, ideally -1, and "
        f"{judged} ({record.content['variants']} variants of {record.content['groups']} groups)."
    )


def _works(records: Records) -> Iterator[str]:
    if record := _told(records, "scan", MODEL):
        own = record.figure(MODEL, "spearman")
        yield (
            f"Its effect score ranks substitutions in {record.content['assays']} mutational scans "
            f"of unseen proteins, by sequence alone, with Spearman {plain(own)}"
            f"{_against(record, MODEL, {BLOSUM: BLOSUM})}."
        )
    if record := _told(records, "scan-structure", MODEL):
        own = record.figure(MODEL, "spearman")
        beside = {MODEL_SEQUENCE: "the sequence alone on the same variants", BLOSUM: BLOSUM}
        yield (
            f"With a structure ({record.content['assays']} scans) its Spearman is {plain(own)}"
            f"{_against(record, MODEL, beside)}."
        )


def _with_more(records: Records, base: str) -> Iterator[str]:
    """What an alignment says, and everything combined, on the same rows as the effect head."""
    for suffix, known in _KNOWN.items():
        record = records.get(f"{base}-{suffix}")
        if record is None:
            continue
        if record.kind == "clinical":
            rows, figure = f"{record.content['labels']:,} labels", "AUROC"
        else:
            rows, figure = f"{record.content['assays']} scans", "Spearman"
        for who, words, beside in (
            (ALIGNMENT, "the alignment alone", {MODEL: "the effect head"}),
            (
                COMBINED,
                "all evidence in one chance",
                {MODEL: "the effect head", ALIGNMENT: "the alignment alone"},
            ),
        ):
            own = record.figure(who, figure_name(record))
            if own.value is not None:
                yield (
                    f"Where there is {known} ({rows}), {words}: {figure} {plain(own)}"
                    f"{_against(record, who, beside)}{_off(record, who)}."
                )


def _changes(records: Records) -> Iterator[str]:
    if LOCAL_CHANGE in records:
        record = records[LOCAL_CHANGE]
        own = record.figure(MODEL, "distance_change")
        networks = [who for who in record.content["figures"] if "network" in who]
        best = max(networks, key=lambda who: record.figure(who, "distance_change").value or -1.0)
        network = record.figure(best, "distance_change")
        yield (
            "It tells where the structures of a protein and of its mutant differ with Spearman "
            f"{plain(own)} within a protein, {compared(own, network)} the best elastic network "
            f"({inside(network)})."
        )
        yield site_words(record)


def site_words(record: Evaluation) -> str:
    """Whether what is substituted adds anything to what the structure's flexibility tells."""
    added = Figure(**record.content["site_adds"]["distance_change"])
    without = record.figure(WITHOUT_SITE, "distance_change")
    told = {
        1: f"Knowing the substitution adds {plain(added)} to {plain(without)} without it",
        0: "That is mostly flexibility: what the substitution adds cannot be seen on held-out "
        f"pairs ({inside(added)})",
        -1: f"Knowing the substitution takes {plain(added)} away from {plain(without)} without it",
        None: f"Knowing the substitution adds {plain(added)}",
    }[above(added, exactly(0.0))]
    noise = record.content.get(SAME_SEQUENCE, {}).get("figures", {}).get(MODEL)
    if noise is None:
        return f"{told}."
    twice = Figure(**noise["distance_change"])
    return f"{told}. It tells where one sequence solved twice differs with {plain(twice)}."


def change_counts(record: Evaluation) -> str:
    """How many pairs of structures there were, and how far off the sizes are."""
    parts = [(record.content, "with substitutions, both experimental")]
    if SAME_SEQUENCE in record.content:
        parts.append((record.content[SAME_SEQUENCE], "of one sequence solved twice"))
    told = [
        f"{part['pairs']} pairs of {part['groups']} groups {what}, mean distance change off by "
        f"{plain(Figure(**part['mean_error_angstrom']))} Å"
        for part, what in parts
    ]
    return (
        f"{'; '.join(told)}. Spearman within a protein, every group counting once, 95% bootstrap "
        "intervals over groups. Distance change: mean |d - d'| over neighbours within 15 Å. Site: "
        "residues within 10 Å of it. Same sequence: solved twice, the experimental noise."
    )


def _pairs(records: Records) -> Iterator[str]:
    if "fold" in records:
        fold = records["fold"]
        best = best_baseline(fold, "tm_mae")
        own, trivial = (fold.figure(who, "tm_mae") for who in (MODEL, best))
        yield (
            f"Between different proteins its TM-score is off by {plain(own, 3)}, "
            f"{compared(own, trivial, True)} the best trivial baseline ({best}, "
            f"{inside(trivial, 3)}); it ranks pairs with Spearman "
            f"{plain(fold.figure(MODEL, 'tm_spearman'))}."
        )
        best = best_baseline(fold, "lddt_mae")
        own, trivial = (fold.figure(who, "lddt_mae") for who in (MODEL, best))
        yield (
            f"Its lDDT is off by {plain(own, 3)} there, {compared(own, trivial, True)} the best "
            f"trivial baseline ({best}, {inside(trivial, 3)})."
        )
    if "point_mutant" in records:
        mutants = records["point_mutant"]
        own, constant = (mutants.figure(who, "tm_mae") for who in (MODEL, "constant 1"))
        yield (
            f"For point mutants its TM-score is off by {plain(own, 3)}, "
            f"{compared(own, constant, True)} saying that nothing changes "
            f"({inside(constant, 3)}); {lddt_words(mutants)}."
        )
    if "point_mutant" in records and "same_sequence" in records:
        noise, moved = (
            records[name].figure("constant 1", "tm_mae")
            for name in ("same_sequence", "point_mutant")
        )
        verb = {
            1: "more than",
            0: "within the error no more than",
            -1: "less than",
            None: "to be compared with",
        }[above(moved, noise)]
        yield (
            f"Point mutants differ by {plain(moved, 3)} in TM-score, "
            f"{verb} the same sequence solved twice "
            f"({inside(noise, 3)})."
        )


def _estimates(records: Records) -> Iterator[str]:
    if record := _told(records, ESTIMATE, ESTIMATE):
        tm, lddt = (record.figure(ESTIMATE, f"{name}_spearman") for name in ("tm", "lddt"))
        letters = record.figure(LETTER_PAIRS, "tm_spearman")
        off, most, points = (
            record.figure(ESTIMATE, name)
            for name in ("tm_error", "tm_error_p95", "percentile_error")
        )
        yield (
            "What it would predict of a single substitution is first estimated from the wild type "
            "alone. Within an unseen protein estimated TM-scores rank substitutions as predicted "
            f"ones do with Spearman {plain(tm)}, {compared(tm, letters)} the mean of the two "
            f"letters ({inside(letters)}); estimated lDDT at the site with {plain(lddt)}."
        )
        yield (
            f"An estimated TM-score is off from the predicted one by {plain(off, 4)}, in 95% of "
            f"substitutions by less than {plain(most, 3)}, and its percentile by "
            f"{plain(points, 1)} points. That is how near it comes to the prediction, not to a "
            "measurement."
        )


def estimate_counts(record: Evaluation) -> str:
    """What the figures of the estimate head are of, and what they are."""
    content = record.content
    return (
        f"{content['substitutions']:,} substitutions of {content['proteins']} unseen proteins, no "
        "two of one group; exact: predicted with every mutant embedded. Spearman: median over "
        "proteins, and the 5th percentile; errors: median and 95th percentile over substitutions; "
        "percentiles among random substitutions of a protein, ranks among the 19 of a site: mean "
        "error. 95% bootstrap intervals over groups. Mean of the two letters: geometric mean "
        "deficit of the training substitutions by wild-type and mutant letter."
    )


def lddt_words(mutants: Evaluation) -> str:
    """Whether predicted lDDT points to the residues that move between two crystals."""
    found = mutants.figure(MODEL, "lddt_within_spearman")
    if found.value is None or found.low is None or found.low <= 0:
        told = "does not reliably show"
    else:
        told = "points to" if found.value >= _WEAK else "points only weakly to"
    return f"its lDDT {told} the residues that move (Spearman within a protein {inside(found)})"


def _calibration(record: Evaluation, who: str = MODEL) -> str:
    """How far a chance is off: that of `who`, where a record has it for each."""
    own = record.figure(who, "calibration_error")
    if own.value is not None:
        return plain(own)
    found = record.content["calibration_error"]
    return plain(Figure(found["value"], found.get("low"), found.get("high")))


def _off(record: Evaluation, who: str) -> str:
    """A semicolon and how far the chance of `who` is off; '' where it is none."""
    if record.figure(who, "calibration_error").value is None:
        return ""
    return f"; it is off by {_calibration(record, who)}"
