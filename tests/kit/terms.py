"""Terms that tests make up."""

from __future__ import annotations

from glossary import Claim, Example, Formula, Reference, See, Term

HOSTILE = 'x"><script>alert(1)</script>\t|`*\\ " . <#y> a <z> . $a$ \n\n'


def hostile_term() -> Term:
    """A term whose every text tries to be more than text."""
    reference = Reference(title=HOSTILE, author=HOSTILE, year=2000, doi='10.1/<">\\x')
    page = Reference(title=HOSTILE, author="A", year=2000, url='https://x.org/">)<b>')
    claim = Claim(
        id="evil/claim",
        sentence=HOSTILE,
        quantity=HOSTILE,
        comparison="<",
        threshold=1.0,
        conditions=HOSTILE,
    )
    return Term(
        id="evil",
        name=HOSTILE,
        category="c",
        level="beginner",
        summary=HOSTILE,
        definition=HOSTILE,
        aliases=(HOSTILE + "2",),
        misspellings=(HOSTILE + "3",),
        see=(See(name=HOSTILE + "4", kind="related"),),
        formula=Formula(latex=HOSTILE, expression="1", note=HOSTILE),
        example=Example(text=HOSTILE),
        mistake=HOSTILE,
        references=(reference, page),
        claims=(claim,),
    )


def made(id: str, **fields: object) -> Term:
    """A term that says as little as possible, but for what is given."""
    plain: dict[str, object] = {
        "name": id,
        "category": "c",
        "level": "beginner",
        "summary": "S.",
        "definition": "D.",
    }
    return Term(id=id, **{**plain, **fields})  # type: ignore[arg-type]
