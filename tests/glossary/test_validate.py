from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

import glossary
from glossary.read import load, validate
from glossary.records import from_record, schema

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


def contested_alone(record: Record, other: Record) -> None:
    del record["claims"][0]["reference"]


def by_book(isbn: str) -> Any:
    work = {"title": "Deep Learning", "author": "Goodfellow", "year": 2016}
    return change("references[0]", {**work, "isbn": isbn})


# code: how to break the rule, where it is told, what is told, what is meant
CASES = {
    "E002": (change("nmae", "red"), "nmae", "red", "Did you mean 'name'?"),
    "E003": (drop("summary"), "summary", None, ""),
    "E004": (change("aliases", "one"), "aliases", "one", ""),
    "E005": (change("name", ""), "name", "", ""),
    "E006": (change("name", "drop\x1b[31mout"), "name", "drop\x1b[31mout", ""),
    "E101": (change("id", "weight-decay"), "id", "weight-decay", ""),
    "E102": (
        change("aliases[0]", "Weight-Decays"),
        "aliases[0]",
        "Weight-Decays",
        "It belongs to 'weight-decay'.",
    ),
    "E103": (change("name", "Shrinkages"), "name", "Shrinkages", ""),
    "E104": (change("id", "Drop Out"), "id", "Drop Out", "Did you mean 'drop-out'?"),
    "E105": (change("level", "beginer"), "level", "beginer", "mean 'beginner'?"),
    "E106": (change("category", "Big Nets"), "category", "Big Nets", "'big-nets'?"),
    "E107": (change("acronyms[0]", "?!"), "acronyms[0]", "?!", ""),
    "W101": (change("aliases[0]", "shrinkage"), "aliases[0]", "shrinkage", ""),
    "W102": (change("aliases[0]", "drop-outs"), "aliases[0]", "drop-outs", ""),
    "W103": (change("summary", "One. Two."), "summary", "One. Two.", ""),
    "W104": (change("definition", "TODO"), "definition", "TODO", ""),
    "E201": (
        change("relations.related[0]", "Weight Decays"),
        "relations.related[0]",
        "Weight Decays",
        "Did you mean 'weight-decay'?",
    ),
    "E202": (
        change("relations.related[0]", "dropout"),
        "relations.related[0]",
        "dropout",
        "",
    ),
    "E203": (
        change("relations.broder", ["weight-decay"]),
        "relations.broder[0]",
        "broder",
        "Did you mean 'broader'?",
    ),
    "E204": (cycle, "relations.broader[0]", "weight-decay", ""),
    "E205": (both_broader, "relations.related[0]", "weight-decay", ""),
    "E206": (change("see.same", ["x"]), "see.same[0]", "same", ""),
    "E207": (
        change("see.narrower", ["spatial dropout", "Shrinkages"]),
        "see.narrower[1]",
        "Shrinkages",
        "It names 'weight-decay'; a relation leads there.",
    ),
    "W201": (
        stated_on_both_sides,
        "relations.related[0]",
        "dropout",
        "'dropout' says related 'weight-decay'.",
    ),
    "E301": (
        change("references[0]", {"title": "Lost", "author": "A", "year": 2012}),
        "references[0]",
        "Lost",
        "",
    ),
    "E302": (
        change("references[0].arxiv", "1207.0580v2"),
        "references[0].arxiv",
        "1207.0580v2",
        "Did you mean '1207.0580'?",
    ),
    "E303": (
        change("references[0].doi", "https://doi.org/10.1000/x"),
        "references[0].doi",
        "https://doi.org/10.1000/x",
        "Did you mean '10.1000/x'?",
    ),
    "E304": (change("references[0].year", 12), "references[0].year", 12, ""),
    "E305": (by_book("9780262035614"), "references[0].isbn", "9780262035614", ""),
    "E306": (
        change("references[0].url", "http://x.org"),
        "references[0].url",
        "http://x.org",
        "",
    ),
    "W301": (change("references[0].year", 2015), "references[0].year", 2015, ""),
    "W302": (drop("references", "claims"), "references", None, ""),
    "E401": (
        change("formula.expression", "mask * x / keep.real"),
        "formula.expression",
        "mask * x / keep.real",
        "'keep.real' is outside the grammar of formulas.",
    ),
    "E402": (
        change("formula.expression", "mask * x / keep + y"),
        "formula.expression",
        "y",
        "",
    ),
    "E403": (
        change("formula.latex", r"\sqrt{x} \sim y"),
        "formula.latex",
        r"\sqrt{x} \sim y",
        r"\sim is not drawn; `glossary new` lists what is.",
    ),
    "E404": (change("example.result", 6.1), "example.result", 6.1, "It gives 6.0."),
    "E405": (
        change("definition", "Kept with probability $p$ for 3$ or 4$."),
        "definition",
        "Kept with probability $p$ for 3$ or 4$.",
        "Write $p$ in words, or as the term's formula.",
    ),
    "W401": (
        change("formula.expression", "mask * x"),
        "formula.symbols[2].name",
        "keep",
        "",
    ),
    "E501": (change("claims[0].id", "adam/mean"), "claims[0].id", "adam/mean", ""),
    "E502": (same_claim, "claims[0].id", "dropout/keeps-the-mean", ""),
    "E503": (change("claims[0].comparison", "="), "claims[0].comparison", "=", ""),
    "E504": (change("claims[0].threshold", [2, 1]), "claims[0].threshold", (2, 1), ""),
    "E505": (change("claims[0].expected", "maybe"), "claims[0].expected", "maybe", ""),
    "E506": (
        change("claims[0].reference", "1207.0580"),
        "claims[0].reference",
        "1207.0580",
        "Did you mean 'arXiv:1207.0580'?",
    ),
    "E507": (change("claims[0].demo", "rm -rf"), "claims[0].demo", "rm -rf", ""),
    "W501": (contested_alone, "claims[0].reference", "", ""),
    "E601": (change("api[0]", "not a name"), "api[0]", "not a name", ""),
    "E602": (change("api[0]", "json.dumpz"), "api[0]", "json.dumpz", ""),
    "E603": (
        change("claims[0].demo", "json.tool:nothing"),
        "claims[0].demo",
        "json.tool:nothing",
        "",
    ),
    "W502": (without_demo, "claims[0].demo", "", ""),
    "W601": (change("api[0]", "no_such_package.x"), "api[0]", "no_such_package.x", ""),
}
# Told while reading files; see the tests below and those of plug-ins.
ELSEWHERE = {"E001", "E701", "E702", "E703"}


def problems_of(records: list[Record]) -> list[glossary.Problem]:
    entries = [
        validate.Entry(f"{n}.toml", "test", record) for n, record in enumerate(records)
    ]
    report = validate.check_entries(entries)
    return report.problems + validate.check_links(report.terms)


def checked(tmp_path: Path, text: str, name: str = "a.toml") -> list[glossary.Problem]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load.check_files([tmp_path / name], load.installed()).problems


def test_records_that_keep_every_rule_have_no_problems(
    record: Record, other: Record
) -> None:
    assert problems_of([record, other]) == []


@pytest.mark.parametrize("code", CASES)
def test_a_broken_rule_is_told_with_its_place_its_value_and_what_is_meant(
    code: str, record: Record, other: Record
) -> None:
    break_rule, path, value, hint = CASES[code]
    break_rule(record, other)
    problems = [p for p in problems_of([record, other]) if p.code == code]
    assert (path, value) in [(problem.path, problem.value) for problem in problems]
    assert any(hint in problem.hint for problem in problems)
    assert problems[0].message == validate.codes()[code]
    assert problems[0].is_error == code.startswith("E")


def test_every_code_has_a_case_and_every_message_is_one_short_sentence() -> None:
    assert set(validate.codes()) == CASES.keys() | ELSEWHERE
    for message in validate.codes().values():
        assert message.endswith(".")
        assert len(message) < 88


#: One file with all kinds of faults, and where each of them stands.
FAULTY = r'''
# [brackets] and = signs in a comment
id = "drop out"
nmae = "x"
name = "dropout \" [x]"
category = "regularization"
level = "beginner"
aliases = ["drop out of units",
  3]
summary = """
Dropout switches off
random units, each
with probability $p$."""
definition = """
id = "not a key"
[table]
"""
[relations]
uses = ["batch norm", "learning-rate",
  "step size"]
[formula]
latex = """
y \\sim
  \\foo{x}"""
expression = "p * y"
symbols = [
  { name = "p", meaning = "probability" },
  { name = "y" },
]
[[references]]
title = "One"
author = "A"
year = 2012
isbn = "0-262-03561-8"
[[references]]
title = "Two"
author = "B"
year = "2012"
doi = "doi:10.1000/x"
[[claims]]
id = "drop/x"
quantity = 'x'
comparison = "="
threshold = 1
sentence = 3
'''
PLACES = [
    (3, "E104", "id"),
    (4, "E002", "nmae"),
    (9, "E004", "aliases[1]"),
    (13, "E405", "summary"),
    (19, "E201", "relations.uses[0]"),
    (20, "E201", "relations.uses[2]"),
    (23, "E403", "formula.latex"),
    (24, "E403", "formula.latex"),
    (28, "E003", "formula.symbols[1].meaning"),
    (38, "E004", "references[1].year"),
    (39, "E303", "references[1].doi"),
    (40, "W502", "claims[0].demo"),
    (41, "E501", "claims[0].id"),
    (43, "E503", "claims[0].comparison"),
    (45, "E004", "claims[0].sentence"),
]


def test_all_faults_of_a_file_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    problems = checked(tmp_path, FAULTY)
    assert [(p.line, p.code, p.path) for p in problems] == PLACES
    assert str(problems[4]) == (
        "a.toml:19: E201 Target of the relation does not exist. "
        "(relations.uses[0] = 'batch norm') Did you mean 'batch-normalization'?"
    )
    assert problems[5].hint == "Did you mean 'learning-rate'?"


def test_json_has_lines_as_well_and_so_has_a_list_of_terms(
    tmp_path: Path, fresh: Record, other: Record
) -> None:
    other |= {"id": "other", "name": "other", "relations": {"uses": ["adm"]}}
    fresh["level"] = "expert"
    text = json.dumps({"terms": [other, fresh]}, indent=1)
    problems = checked(tmp_path, text, "a.json")
    rows = text.split("\n")
    assert [p.code for p in problems] == ["E201", "E105"]
    assert '"adm"' in rows[problems[0].line - 1]
    assert '"expert"' in rows[problems[1].line - 1]


def test_mended_in_one_go_a_file_has_no_second_wave(tmp_path: Path) -> None:
    mended = FAULTY
    for wrong, right in {
        'id = "drop out"': 'id = "drop-x"',
        'nmae = "x"\n': "",
        'dropout \\" [x]': "drop x",
        "\n  3]": "]",
        " $p$": " p",
        '"batch norm"': '"batch-normalization"',
        ',\n  "step size"': "",
        r"y \\sim": "y",
        r"\\foo{x}": "x",
        '{ name = "y" }': '{ name = "y", meaning = "output" }',
        '"2012"': "2012",
        '"doi:10.1000/x"': '"10.1000/x"',
        '"drop/x"': '"drop-x/x"',
        'comparison = "="': 'comparison = "<"',
        "sentence = 3": 'sentence = "S"',
    }.items():
        assert wrong in mended
        mended = mended.replace(wrong, right)
    assert [problem.code for problem in checked(tmp_path, mended)] == ["W502"]


def test_lines_agree_with_the_parser_wherever_toml_lets_things_stand() -> None:
    from glossary.read.places import Written

    text = '''a.b = 1 # c = 2
"quoted.key" = [ # [x]
  "]", '"', {x = 1, y = [2,
3]}]
when = 1979-05-27T07:32:00Z
[[t]]
[t.u]
v = """x""""
[[t.w]]
z = \'\'\'
q = 1\'\'\'
[[t]]
v = 4
'''
    tomllib.loads(text)
    written = Written(text, ".toml")
    lines = {
        "a.b": 1, "quoted.key[0]": 3, "quoted.key[2].y[1]": 4, "when": 5, "t[0]": 6,
        "t[0].u.v": 8, "t[0].w[0].z": 10, "t[1]": 12, "t[1].v": 13, "t[1].u": 12,
        "gone": 1,
    }  # fmt: skip
    assert {path: written.line(path) for path in lines} == lines
    assert written.line("t[0].w[0].z", "q = 1") == 11


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.toml", 'name = "x"\nid = \n', 2),
        ("b.json", "{\n\n", 3),
        ("c.toml", "# one\n\udcff", 2),
        ("d.json", "[" * 100_000, 0),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_with_its_line(
    name: str, text: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    [problem] = load.check_files([tmp_path]).problems
    assert (problem.code, problem.file, problem.line) == ("E001", name, line)


@pytest.mark.parametrize("value", [[], 3, "text", None, [{"id": "x"}]])
@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_a_record_that_is_no_table_is_one_problem(
    value: object, suffix: str, tmp_path: Path
) -> None:
    text = json.dumps({"terms": [value]}) if suffix == ".json" else "terms = ['x']"
    (tmp_path / f"a{suffix}").write_text(text)
    report = load.check_files([tmp_path])
    assert report.terms == []
    assert [problem.code for problem in report.problems] == ["E004"]


def test_whatever_stands_in_a_record_is_told_and_never_raised(record: Record) -> None:
    # Invariant: each value replaced by one of every other type.
    places = [key for key in schema()["$defs"]["term"]["properties"] if key in record]
    inner = [f"{a}[0].{b}" for a in ("claims", "references") for b in record[a][0]]
    inner += [f"{a}.{b}" for a in ("formula", "example") for b in record[a]]
    for path in [*places, *inner]:
        for value in ("", "x", 3, -1e400, True, None, [], ["x", 3], {}, {"x": [None]}):
            broken = copy.deepcopy(record)
            change(path, value)(broken, {})
            report = validate.check_entries([validate.Entry("f", "s", broken)])
            assert all(str(problem) for problem in report.problems)


def test_a_number_is_not_a_truth_value_and_the_reverse(record: Record) -> None:
    record["references"][0]["year"] = True
    record["claims"][0]["contested"] = 1
    problems = [(p.code, p.path) for p in problems_of([record]) if p.code[1] == "0"]
    assert problems == [
        ("E004", "references[0].year"),
        ("E004", "claims[0].contested"),
    ]


def test_a_long_value_is_told_in_short() -> None:
    problem = glossary.Problem("E001", "Rule.", "f", "", "x" * 10_000_000)
    assert len(str(problem)) < 300


@pytest.mark.parametrize(
    ("isbn", "is_one"),
    [
        ("9780262035613", True),
        ("978-0-262-03561-3", True),
        ("0-8044-2957-X", True),
        ("0804429572", False),
        ("978-0-262-03561-X", False),
        ("123", False),
    ],
)
def test_the_last_digit_of_an_isbn_is_checked(
    isbn: str, is_one: bool, record: Record, other: Record
) -> None:
    by_book(isbn)(record, other)
    record["claims"][0]["reference"] = f"isbn:{isbn}"
    codes = {problem.code for problem in problems_of([record, other])}
    assert codes == (set() if is_one else {"E305"})


def test_a_year_may_be_that_of_the_publication(record: Record, other: Record) -> None:
    # On the Convergence of Adam and Beyond: ICLR 2018, on arXiv from 2019.
    record["references"][0] |= {"arxiv": "1904.09237", "year": 2018}
    record["claims"][0]["reference"] = "arXiv:1904.09237"
    assert problems_of([record, other]) == []


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ({"text": "T", "values": {"mask": 1}}, "The formula takes mask, x, keep."),
        ({"text": "T", "values": {"mask": 1, "x": 3, "keep": 0}}, "no value here"),
        ({"text": "T", "result": 6}, "The formula takes mask, x, keep."),
        ({"text": "T", "values": {"mask": 1, "x": [1], "keep": 1}, "result": 1}, "[1"),
        ({"text": "T"}, None),
        (
            {"text": "T", "values": {"mask": 1, "x": [2], "keep": 1}, "result": [2]},
            None,
        ),
    ],
)
def test_an_example_must_come_out_of_its_formula(
    example: Record, told: str | None, record: Record, other: Record
) -> None:
    record["example"] = example
    problems = problems_of([record, other])
    assert [problem.code for problem in problems] == ([] if told is None else ["E404"])
    assert told is None or told in problems[0].hint


def test_an_example_with_numbers_needs_a_formula(record: Record, other: Record) -> None:
    del record["formula"]
    assert [p.code for p in problems_of([record, other])] == ["E404"]


def test_problems_are_selected_by_the_start_of_their_code(
    record: Record, other: Record
) -> None:
    record["references"][0]["year"] = 2030
    record["level"] = "expert"
    problems = problems_of([record, other])
    for prefixes, codes in (
        ([], ["E105", "W301"]),
        (["W"], ["W301"]),
        (["E10"], ["E105"]),
    ):
        selected = validate.select_problems(problems, prefixes)
        assert [problem.code for problem in selected] == codes
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


def test_the_installed_terms_keep_every_rule() -> None:
    assert validate.check_terms(glossary.terms()) == []
