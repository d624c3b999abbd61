"""Term files, evidence, formulas, questions: what the glossary reads."""

from __future__ import annotations

import io
import json
import tomllib
from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary import formula
from glossary.__main__ import main
from glossary.errors import FormulaError, InvalidTerms, NoPath, UnknownTerm
from glossary.measure import recorded
from glossary.read import load
from glossary.records import from_record, to_record
from tests.fuzz.test_written import as_toml
from tests.glossary.conftest import OTHER, RECORD
from tests.kit.fuzzing import LONGEST, cases, told_apart, understood
from tests.kit.mutations import mutated, mutated_text, plain_poison, poison, texts

TERMS = Path(glossary.__file__).parent / "terms"


@cache
def core_records():
    return [tomllib.loads(path.read_text("utf-8")) for path in sorted(TERMS.iterdir())]


def file_of(folder, record, ending):
    if ending == ".json":
        content = json.dumps(record)
    else:
        pairs = record.items() if isinstance(record, dict) else [("told", record)]
        content = "\n".join(f"{json.dumps(str(k))} = {as_toml(v)}" for k, v in pairs)
    path = Path(folder) / f"a{ending}"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    return path


endings = st.sampled_from([".toml", ".json"])


def check(path):
    """What files are told to be, which must be no error of Python's."""
    report = load.check_files([path])
    for problem in report.problems:
        assert len(str(problem)) <= LONGEST
        assert "\n" not in str(problem)
        assert problem.line >= 0
    return report


def check_usable(terms, problems=()):
    """Terms that came through can be shown and written, and what has no fault works."""
    for term in terms:
        assert repr(term)
        assert str(term)
        assert from_record(to_record(term), term.source) == term
        if term.formula and term.formula.expression and not problems:
            formula.names(term.formula.expression)


@cases(80)
@given(st.data(), endings)
def test_a_file_of_a_term_is_read_or_its_problems_are_told(
    tmp_path_factory, data, ending
):
    records = [RECORD, OTHER, {"terms": [RECORD, OTHER]}, *core_records()]
    record = data.draw(mutated(data.draw(st.sampled_from(records)), plain_poison))
    path = file_of(tmp_path_factory.getbasetemp(), record, ending)
    report = understood("file of a term", check, path, ())
    check_usable(report.terms, report.problems)
    assert report.terms or report.problems


@cases(120)
@given(st.data(), endings)
def test_the_text_of_a_term_is_read_or_its_problems_are_told(
    tmp_path_factory, data, ending
):
    path = file_of(tmp_path_factory.getbasetemp(), RECORD, ending)
    content = data.draw(mutated_text(path.read_text("utf-8")))
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    report = understood("text of a term", check, path, ())
    check_usable(report.terms, report.problems)


@cases(150)
@given(st.data())
def test_what_was_exported_is_read_or_refused(data):
    document = {"terms": [RECORD, OTHER]}
    changed = data.draw(mutated(document, plain_poison))
    written = json.dumps(changed)
    if data.draw(st.booleans()):
        written = data.draw(mutated_text(written))
    terms = understood("exported JSON", load.from_json, written, (InvalidTerms,))
    check_usable(terms or [], ["of a formula, perhaps"])


# Evidence.


CLAIM = glossary.term("adam").claims[0]


@cache
def line_of_evidence():
    path = Path(glossary.__file__).parent / "evidence" / "adam.jsonl"
    for line in path.read_text("utf-8").splitlines():
        record = json.loads(line)
        if record["claim"] == CLAIM.id:
            return record
    raise LookupError(CLAIM.id)


@cases(200)
@given(st.data())
def test_a_line_of_evidence_is_read_or_left_aside(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    line = json.dumps(data.draw(mutated(line_of_evidence(), plain_poison)))
    if data.draw(st.integers(0, 3)) == 0:
        line = data.draw(mutated_text(line))
    path = recorded.evidence_path(folder, "adam")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(line.encode("utf-8", "surrogatepass"))
    evidence = understood(
        "evidence", lambda _: recorded.recorded(CLAIM, [folder]), line, ()
    )
    if evidence is None:
        return
    # What is taken for evidence can be shown, drawn and written again.
    assert str(evidence)
    assert evidence.verdict in ("held", "failed", "inconclusive")
    json.dumps(evidence.to_dict())
    assert recorded.encode(evidence)


# Formulas.

EXPRESSIONS = (
    "mask * x / keep",
    "a = x ** 2\nb = sum(a)\nb / (1 + exp(-b)) if b > 0 else -b",
    "softmax(x)",
    "dot(x, x) // 2 % 3",
    "max(x, min(y, pi)) - mean(x)",
)
values = st.one_of(
    poison,
    st.floats(),
    st.lists(st.floats(), max_size=3),
    st.lists(st.lists(st.floats(), max_size=2), max_size=3),
)


@cases(300)
@given(st.data())
def test_a_formula_has_a_value_or_is_refused(data):
    expression = data.draw(st.sampled_from(EXPRESSIONS).flatmap(mutated_text))
    taken = understood("formula", formula.names, expression, (FormulaError,))
    if taken is None:
        return
    given_values = {name: data.draw(values) for name in sorted(taken)}
    result = understood(
        "value of a formula",
        lambda them: formula.call(expression, sorted(taken), them),
        given_values,
        (FormulaError,),
    )
    assert result is None or isinstance(result, float | bool | list)


@cases(100)
@given(st.data())
def test_a_terms_formula_takes_numbers_or_refuses(data):
    with_formula = [term for term in glossary.terms() if term.formula]
    term = data.draw(st.sampled_from([t for t in with_formula if t.formula.expression]))
    good = dict(term.example.values) if term.example else {}
    changed = data.draw(mutated(good or {"x": 1.0}))
    if not isinstance(changed, dict) or not all(
        isinstance(one, str) for one in changed
    ):
        return
    understood(
        "formula of a term",
        lambda them: term.formula(**them),
        changed,
        (FormulaError, TypeError),
    )


# Questions.


@cache
def questions():
    path = Path(__file__).parents[1] / "data" / "glossary" / "questions.csv"
    lines = path.read_text("utf-8").splitlines()[1:]
    return [line.split(",")[0] for line in lines][::5]


@cases(200)
@given(st.data())
def test_any_question_has_answers_or_none(data):
    question = data.draw(st.sampled_from(questions()).flatmap(mutated_text) | texts)
    matches = understood("search", glossary.search, question, ())
    scores = [match.score for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert all(len(match.reason) < LONGEST for match in matches)


@cases(150)
@given(st.data())
def test_any_name_is_a_term_or_unknown(data):
    names = [term.name for term in glossary.terms()]
    name = data.draw(st.sampled_from(names).flatmap(mutated_text) | texts)
    understood("lookup", glossary.term, name, (UnknownTerm,))
    other = data.draw(st.sampled_from(names))
    understood(
        "path", lambda name: glossary.path(name, other), name, (UnknownTerm, NoPath)
    )


@cases(80)
@given(st.data())
def test_the_command_line_answers_or_refuses_with_its_code(tmp_path_factory, data):
    path = file_of(tmp_path_factory.getbasetemp(), RECORD, ".toml")
    argv = data.draw(
        st.sampled_from(
            [
                ["search", "step", "size", "--limit", "3"],
                ["show", "adam"],
                ["show", "adam", "--json"],
                ["list", "--category", "optimization"],
                ["check", str(path)],
                ["check", str(path), "--select", "E", "W3"],
                ["search", "warm", "up", "--json"],
            ]
        )
    )
    argv = [*argv]
    place = data.draw(st.integers(0, len(argv) - 1))
    if argv[place] != str(path):
        argv[place] = data.draw(texts | mutated_text(argv[place]))
    output = io.StringIO()
    errors = io.StringIO()
    run = told_apart(main, output, errors)
    code = understood("glossary's command line", run, argv, ())
    assert code in (0, 1, 2)
    said = errors.getvalue()
    assert len(said) < 3000
