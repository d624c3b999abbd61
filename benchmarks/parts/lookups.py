"""How fast the glossary answers beside wn, on as many entries with the same names.

Once with the terms that are installed, and once with thousands of made-up ones beside
them. wn has them as a lexicon of its own, in a database that lives as long as this;
it is opened before anything is timed. Both answer the same questions in turns. Times
are of the processor.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import glossary
from benchmarks.figures import RATIO, Figure, processors
from benchmarks.lexicon import as_lmf, made_up, names_of
from benchmarks.pairs import ratios, spread
from benchmarks.processes import children, python
from benchmarks.turns import Prepare, Run, Turns, message_of, now, take_turns
from glossary.show.export import to_json

OURS = "glossary"
THEIRS = "wn"
LEXICON = "terms"
MICROSECONDS = 1e6
MILLISECONDS = 1e3
#: Ours looks through all names for what is spelled like these: that takes long.
MISSPELT = 5
#: Ours is asked so often, since one round would be too short for a clock.
REPEATS = 20


@dataclass(frozen=True)
class Size:
    """How much is asked.

    Attributes:
        made_up: Terms beside the installed ones.
        names: Questions of a round.
        rounds: In which both answer.
        processes: Started of each, for the first lookup.
    """

    made_up: int
    names: int
    rounds: int
    processes: int


SIZES = {
    "quick": Size(20, 5, 1, 1),
    "default": Size(5000, 200, 10, 3),
    "full": Size(5000, 200, 60, 15),
}


@dataclass(frozen=True)
class Question:
    """The same question to both.

    Attributes:
        name: In the table.
        words: What is asked for.
        ours: Answers one of them; nothing where there is no answer.
        theirs: The same of wn.
        repeats: How often ours is asked in a round.
    """

    name: str
    words: Sequence[str]
    ours: Callable[[str], object]
    theirs: Callable[[str], object]
    repeats: int = REPEATS


def measure(size: str) -> list[Figure]:
    """Tables of lookups, of the first one, and of searches."""
    chosen = SIZES[size]
    installed = glossary.terms()
    more = made_up(chosen.made_up)
    many = [*installed, *more]
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for terms in (installed, many):
            figures += lookups(terms, Path(folder) / str(len(terms)), chosen)
        figures += first_lookups(installed, more, Path(folder) / "first", chosen)
    return [*figures, *searches(many, chosen)]


def lookups(terms: Sequence[glossary.Term], folder: Path, size: Size) -> list[Figure]:
    """A row for each kind of question."""
    table = f"lookups among {len(terms):,} entries"
    entries = glossary.Glossary.from_terms(terms)
    try:
        wordnet = database(terms, folder)
    except Exception as error:
        failed = Figure(table, "a name", f"{THEIRS}, a lookup", error=message_of(error))
        return [failed]
    return [
        figure
        for question in questions(terms, entries, wordnet, size.names)
        for figure in _row(table, question, size.rounds)
    ]


def database(terms: Sequence[glossary.Term], folder: Path) -> Any:
    """What wn makes of the terms, in a folder of their own."""
    build(terms, folder)
    import wn

    return wn.Wordnet(f"{LEXICON}:1")


def build(terms: Sequence[glossary.Term], folder: Path) -> None:
    """A database of wn with a lexicon of these terms."""
    add_to(written(terms, folder), folder)


def written(terms: Sequence[glossary.Term], folder: Path) -> Path:
    """The lexicon as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terms.xml"
    path.write_text(as_lmf(terms, LEXICON), "utf-8")
    return path


def add_to(path: Path, folder: Path) -> None:
    """Read a lexicon into the database of a folder."""
    import wn

    wn.config.data_directory = folder
    wn.add(path, progress_handler=None)


def questions(
    terms: Sequence[glossary.Term], entries: glossary.Glossary, wordnet: Any, count: int
) -> list[Question]:
    """Each kind with so many words, the same whenever it is asked."""
    chance = random.Random(1)
    asked = [chance.choice(terms) for _ in range(count)]
    names = [term.name for term in asked]
    aliases = [chance.choice(names_of(term)) for term in asked]
    otherwise = [written_otherwise(name) for name in names]
    misspelt = [swapped(name) for name in names[:MISSPELT]]
    unknown = [f"zx{number} qvw" for number in range(count)]

    def definition(word: str) -> object:
        return entries.term(word).definition

    def related(word: str) -> object:
        return entries.term(word).related

    def definition_or_none(word: str) -> object:
        term = entries.get(word)
        return term.definition if term else None

    def whether(word: str) -> object:
        return word in entries

    def suggestions(word: str) -> object:
        try:
            return entries.term(word)
        except glossary.UnknownTerm as unknown:
            return unknown.suggestions

    def their_definition(word: str) -> object:
        return [synset.definition() for synset in wordnet.synsets(word)]

    def their_related(word: str) -> object:
        return [synset.get_related() for synset in wordnet.synsets(word)]

    return [
        Question("its definition, by a name", names, definition, their_definition),
        Question(
            "its definition, by any of its names",
            aliases,
            definition,
            their_definition,
        ),
        Question("what it is related to", names, related, their_related),
        Question(
            "by a name with capitals, hyphens and a plural",
            otherwise,
            definition_or_none,
            their_definition,
        ),
        Question(
            "whether a word is there that is not", unknown, whether, their_definition
        ),
        Question(
            "a misspelt name, with what is spelled like it",
            misspelt,
            suggestions,
            their_definition,
            repeats=1,
        ),
    ]


def written_otherwise(name: str) -> str:
    """A name in the plural, with hyphens and capitals."""
    plural = name if name.endswith("s") else f"{name}s"
    return plural.replace(" ", "-").title()


def swapped(name: str) -> str:
    """A name with two letters in the wrong order."""
    return f"{name[0]}{name[2]}{name[1]}{name[3:]}"


def _row(table: str, question: Question, rounds: int) -> list[Figure]:
    prepares: dict[str, Prepare] = {
        OURS: partial(_asked, question.words, question.ours, question.repeats),
        THEIRS: partial(_asked, question.words, question.theirs, 1),
    }
    turns = take_turns(prepares, rounds + 1, now).between(1, 0)
    repeats = {OURS: question.repeats, THEIRS: 1}
    each = {
        name: [
            MICROSECONDS * seconds / repeats[name] / len(question.words)
            for seconds in processors(readings)
        ]
        for name, readings in turns.readings.items()
    }
    figures = _times(table, question.name, turns, each, "a lookup", "us")
    answered = [
        sum(bool(answer(word)) for word in question.words) / len(question.words)
        for name, answer in ((OURS, question.ours), (THEIRS, question.theirs))
        if name not in turns.errors
    ]
    shares = ", ".join(f"{share:.0%}" for share in answered)
    return [*figures, Figure(table, question.name, "answered", text=shares)]


def _asked(words: Sequence[str], answer: Callable[[str], object], repeats: int) -> Run:
    def run() -> None:
        for _ in range(repeats):
            for word in words:
                answer(word)

    return run


def _times(
    table: str,
    row: str,
    turns: Turns,
    each: dict[str, list[float]],
    what: str,
    unit: str,
) -> list[Figure]:
    """Both times, and how many of ours one of theirs takes."""
    figures = [
        Figure(table, row, f"{name}, {what}", error=error)
        for name, error in turns.errors.items()
    ]
    for name, times in each.items():
        figures.append(Figure(table, row, f"{name}, {what}", spread(times), unit))
    if not turns.errors:
        ratio = spread(ratios(each[THEIRS], each[OURS]))
        figures.append(Figure(table, row, f"{THEIRS} over {OURS}", ratio, RATIO))
    return figures


def first_lookups(
    installed: Sequence[glossary.Term],
    more: Sequence[glossary.Term],
    folder: Path,
    size: Size,
) -> list[Figure]:
    """What a new process needs until it has its first answer."""
    table = "the first answer of a new process, import included"
    figures = []
    file = folder / "made_up.json"
    folder.mkdir(parents=True)
    file.write_text(to_json(more), "utf-8")
    first = more[0].name
    codes = {
        f"{len(installed)} entries, those installed": (
            installed,
            "import glossary; glossary.term('Adam').definition",
            "Adam",
        ),
        f"{len(more):,} entries in a JSON file": (
            more,
            f"import glossary; own = glossary.Glossary.from_files({str(file)!r}); "
            f"own.term({first!r}).definition",
            first,
        ),
    }
    for row, (terms, ours, word) in codes.items():
        place = folder / str(len(terms))
        theirs = (
            f"import wn; wn.config.data_directory = {str(place)!r}; "
            f"found = wn.Wordnet('{LEXICON}:1').synsets({word!r}); "
            "found[0].definition()"
        )
        figures += _first(table, row, terms, place, {OURS: ours, THEIRS: theirs}, size)
    return figures


def _first(
    table: str,
    row: str,
    terms: Sequence[glossary.Term],
    place: Path,
    codes: dict[str, str],
    size: Size,
) -> list[Figure]:
    path = written(terms, place)
    building = take_turns({THEIRS: partial(_built_anew, path)}, 1)
    prepares: dict[str, Prepare] = {
        name: partial(python, code) for name, code in codes.items()
    }
    if THEIRS not in building.errors:
        add_to(path, place)
    turns = take_turns(prepares, size.processes + 1, children).between(1, 0)
    each = {
        name: [MILLISECONDS * seconds for seconds in processors(readings)]
        for name, readings in turns.readings.items()
    }
    figures = _times(table, row, turns, each, "ready", "ms")
    if THEIRS in building.readings:
        times = [
            MILLISECONDS * seconds for seconds in processors(building.readings[THEIRS])
        ]
        once = Figure(table, row, "wn, the database, once", spread(times), "ms")
        figures.append(once)
    return figures


def _built_anew(path: Path) -> Run:
    """Another database of the same lexicon."""
    return lambda: add_to(path, Path(tempfile.mkdtemp(dir=path.parent)))


def searches(terms: Sequence[glossary.Term], size: Size) -> list[Figure]:
    """Questions in words of one's own, which wn does not answer."""
    entries = glossary.Glossary.from_terms(terms)
    table = f"searches among {len(terms):,} entries; wn has none"
    begun = now()
    entries.search("adam")
    index = (now() - begun).processor
    rows = {
        "one word": "layer",
        "a misspelt name": "bachnorm",
        "a question": "stop training when the validation loss stops improving",
    }
    figures = [
        Figure(
            table,
            "the first one, which builds the index",
            "a search",
            spread([MILLISECONDS * index]),
            "ms",
        )
    ]
    for row, question in rows.items():
        search = partial(entries.search, question)
        turns = take_turns({row: partial(_same, search)}, size.rounds)
        times = [MILLISECONDS * seconds for seconds in processors(turns.readings[row])]
        best = entries.search(question, limit=1)
        figures.append(Figure(table, row, "a search", spread(times), "ms"))
        answer = best[0].term.name if best else "nothing"
        figures.append(Figure(table, row, "first answer", text=answer))
    return figures


def _same(run: Run) -> Run:
    return run
