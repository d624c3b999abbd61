from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

import glossary
from glossary.read import validate
from glossary.read import load
from glossary.read.records import from_record
from glossary.read.checks import shape

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]


def change(path: str, value: object) -> Any:
    """A function that puts a value at a path of a record."""

    def apply(record: Record, other: Record) -> None:
        *parents, last = path.replace("[", ".[").split(".")
        place: Any = record
        for key in parents:
            place = place[int(key[1:-1])] if key.startswith("[") else place[key]
        if last.startswith("["):
            place[int(last[1:-1])] = value
        else:
            place[last] = value

    return apply


def drop(*keys: str) -> Any:
    return lambda record, other: [record.pop(key) for key in keys]


def both_broader(record: Record, other: Record) -> None:
    record["relations"] = {"broader": ["weight-decay"], "related": ["weight-decay"]}


def cycle(record: Record, other: Record) -> None:
    record["relations"] = {"broader": ["weight-decay"]}
    other["relations"] = {"broader": ["dropout"]}


def stated_on_both_sides(record: Record, other: Record) -> None:
    other["relations"] = {"related": ["dropout"]}


def without_demo(record: Record, other: Record) -> None:
    del record["claims"][0]["demo"]


def same_claim(record: Record, other: Record) -> None:
    record["claims"] = [record["claims"][0], copy.deepcopy(record["claims"][0])]


# code: how to break the rule, where it is told, what is told
CASES = {
    "E002": (change("colour", "red"), "colour", "red"),
    "E003": (drop("summary"), "summary", None),
    "E004": (change("aliases", "one"), "aliases", "one"),
    "E005": (change("name", ""), "name", ""),
    "E006": (change("name", "drop\x1b[31mout"), "name", "drop\x1b[31mout"),
    "E101": (change("id", "weight-decay"), "id", "weight-decay"),
    "E102": (change("aliases[0]", "Weight-Decays"), "aliases[0]", "Weight-Decays"),
    "E103": (change("name", "Shrinkages"), "name", "Shrinkages"),
    "E104": (change("id", "Drop Out"), "id", "Drop Out"),
    "E105": (change("level", "expert"), "level", "expert"),
    "E106": (change("category", "Big Nets"), "category", "Big Nets"),
    "E107": (change("acronyms[0]", "?!"), "acronyms[0]", "?!"),
    "W101": (change("aliases[0]", "shrinkage"), "aliases[0]", "shrinkage"),
    "W102": (change("aliases[0]", "drop-outs"), "aliases[0]", "drop-outs"),
    "W103": (change("summary", "One. Two."), "summary", "One. Two."),
    "E201": (
        change("relations.related[0]", "rmsprp"),
        "relations.related[0]",
        "rmsprp",
    ),
    "E202": (
        change("relations.related[0]", "dropout"),
        "relations.related[0]",
        "dropout",
    ),
    "E203": (
        change("relations.likes", ["weight-decay"]),
        "relations.likes[0]",
        "likes",
    ),
    "E204": (cycle, "relations.broader[0]", "weight-decay"),
    "E205": (both_broader, "relations.related[0]", "weight-decay"),
    "W201": (stated_on_both_sides, "relations.related[0]", "dropout"),
    "E301": (
        change("references[0]", {"title": "Lost", "author": "A", "year": 2012}),
        "references[0]",
        "Lost",
    ),
    "E302": (
        change("references[0].arxiv", "1207.0580v2"),
        "references[0].arxiv",
        "1207.0580v2",
    ),
    "E303": (
        change("references[0].doi", "https://doi.org/10.1/x"),
        "references[0].doi",
        "https://doi.org/10.1/x",
    ),
    "E304": (change("references[0].year", 12), "references[0].year", 12),
    "W301": (change("references[0].year", 2014), "references[0].year", 2014),
    "W302": (drop("references", "claims"), "references", None),
    "E401": (
        change("formula.expression", "mask * x / keep.real"),
        "formula.expression",
        "mask * x / keep.real",
    ),
    "E402": (
        change("formula.expression", "mask * x / keep + y"),
        "formula.expression",
        "y",
    ),
    "E403": (change("formula.latex", r"\foo x"), "formula.latex", r"\foo x"),
    "W401": (
        change("formula.expression", "mask * x"),
        "formula.symbols[2].name",
        "keep",
    ),
    "E501": (change("claims[0].id", "adam/mean"), "claims[0].id", "adam/mean"),
    "E502": (same_claim, "claims[0].id", "dropout/keeps-the-mean"),
    "E503": (change("claims[0].comparison", "="), "claims[0].comparison", "="),
    "E504": (change("claims[0].threshold", [2, 1]), "claims[0].threshold", (2, 1)),
    "E505": (change("claims[0].expected", "maybe"), "claims[0].expected", "maybe"),
    "E506": (change("claims[0].reference", "doi:1"), "claims[0].reference", "doi:1"),
    "E507": (change("claims[0].demo", "rm -rf"), "claims[0].demo", "rm -rf"),
    "W501": (change("claims[0].reference", None), "claims[0].reference", ""),
    "E601": (change("api[0]", "not a name"), "api[0]", "not a name"),
    "E602": (change("api[0]", "json.dumpz"), "api[0]", "json.dumpz"),
    "E603": (
        change("claims[0].demo", "json.tool:nothing"),
        "claims[0].demo",
        "json.tool:nothing",
    ),
    "W502": (without_demo, "claims[0].demo", ""),
    "W601": (change("api[0]", "no_such_package.x"), "api[0]", "no_such_package.x"),
}
# Told while reading files; see the tests below and those of plug-ins.
ELSEWHERE = {"E001", "E701", "E702"}


def problems_of(records: list[Record]) -> list[glossary.Problem]:
    entries = [
        validate.Entry(f"{n}.toml", "test", record) for n, record in enumerate(records)
    ]
    report = validate.check_entries(entries)
    links = [
        problem
        for problem in validate.check_terms(report.terms, links=True)
        if problem.code in ("E602", "E603", "W601")
    ]
    return report.problems + links


def test_records_that_keep_every_rule_have_no_problems(
    record: Record, other: Record
) -> None:
    assert problems_of([record, other]) == []


@pytest.mark.parametrize("code", CASES)
def test_a_broken_rule_is_told_with_its_place_and_value(
    code: str, record: Record, other: Record
) -> None:
    break_rule, path, value = CASES[code]
    break_rule(record, other)
    if code == "W501":
        del record["claims"][0]["reference"]
    found = [p for p in problems_of([record, other]) if p.code == code]
    assert (path, value) in [(problem.path, problem.value) for problem in found]
    assert found[0].message == validate.codes()[code]
    assert found[0].is_error == code.startswith("E")


def test_every_code_has_a_case() -> None:
    assert set(validate.codes()) == CASES.keys() | ELSEWHERE


def test_every_message_is_one_sentence() -> None:
    for message in validate.codes().values():
        assert message.endswith(".")
        assert len(message) < 88


def test_a_problem_names_file_code_place_and_value(
    record: Record, other: Record
) -> None:
    record["relations"]["related"] = ["rmsprp"]
    assert str(problems_of([record, other])[0]) == (
        "0.toml: E201 Target of the relation does not exist. "
        "(relations.related[0] = 'rmsprp')"
    )


def test_problems_are_selected_by_the_start_of_their_code(
    record: Record, other: Record
) -> None:
    record["references"][0]["year"] = 2014
    record["level"] = "expert"
    found = problems_of([record, other])
    assert [p.code for p in validate.select_problems(found, [])] == ["E105", "W301"]
    assert [p.code for p in validate.select_problems(found, ["W"])] == ["W301"]
    assert [p.code for p in validate.select_problems(found, ["E10"])] == ["E105"]


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match=r"No code starts with 'E9'\. The codes: E001"):
        validate.select_problems([], ["E9"])


def test_a_term_that_cannot_be_used_is_left_out_and_the_rest_stays(
    record: Record, other: Record
) -> None:
    record["id"] = "weight-decay"
    known = [from_record(other)]
    third = {**copy.deepcopy(other), "id": "third", "name": "third", "aliases": ["3rd"]}
    entries = [validate.Entry("f", "s", record), validate.Entry("f", "s", third)]
    report = validate.check_entries(entries, known)
    assert [term.id for term in report.terms] == ["third"]
    assert next(p.code for p in report.problems if p.is_error) == "E101"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", "id = "),
        ("b.json", "{"),
        ("c.toml", "\udcff"),
        ("d.json", "[" * 100_000),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    name: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    problems = load.check_files([tmp_path]).problems
    assert [(problem.code, problem.file) for problem in problems] == [("E001", name)]


@pytest.mark.parametrize("value", [[], 3, "text", None, [{"id": "x"}]])
def test_a_record_that_is_no_table_is_a_problem(value: object, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"terms": [value]}))
    report = load.check_files([tmp_path])
    assert report.terms == []
    assert report.problems[0].code in ("E003", "E004")


def test_a_number_is_not_a_truth_value_and_the_reverse(record: Record) -> None:
    record["references"][0]["year"] = True
    record["claims"][0]["contested"] = 1
    found = list(shape.wrong_type(record))
    assert found == [("references[0].year", True), ("claims[0].contested", 1)]


def test_the_installed_terms_keep_every_rule() -> None:
    assert validate.check_terms(glossary.terms()) == []
