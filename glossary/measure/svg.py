"""A matplotlib figure as a small SVG that lives inside an HTML page.

matplotlib's own SVG says everything twice, with six decimals, and names its parts
as every other figure does. Here a figure keeps what is seen: few decimals, names
that start with a prefix, colours that follow the page's light and dark.
"""

from __future__ import annotations

import io
import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WORD = re.compile(r"\S+")
_TAGS = frozenset(
    _WORD.findall("svg g defs path use text tspan image clipPath rect circle line")
)
# Attributes instead of `style`, which the page's content security policy refuses.
_ATTRIBUTES = frozenset(
    _WORD.findall(
        "viewBox d x y x1 y1 x2 y2 cx cy r width height transform fill stroke opacity "
        "fill-opacity stroke-opacity stroke-width stroke-dasharray stroke-dashoffset "
        "stroke-linecap stroke-linejoin fill-rule clip-path clip-rule font-size "
        "font-weight font-style text-anchor id href preserveAspectRatio"
    )
)
# What `slim` adds to them.
_ADDED = frozenset(
    _WORD.findall(
        "class role aria-label stroke-linejoin overflow markerUnits marker-start "
        "marker-mid marker-end"
    )
)
_DEFAULTS = {
    "font-style": "normal",
    "font-weight": "400",
    "stroke-dashoffset": "0",
    "opacity": "1",
    "text-anchor": "start",
}
# Ink and paper change with the theme; colours that tell series apart stay.
_THEMED = {"#000000": "currentColor"}
_PAPER = "#ffffff"
_NUMBER = re.compile(r"-?\d+\.\d+")
_NUMERIC = frozenset(("d", "x", "y", "width", "height", "transform"))
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_MANY = 12
_IMAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*\Z")


def svg(figure: Figure, prefix: str, label: str) -> str:
    """A figure as one ``svg`` element.

    Args:
        figure: What to draw.
        prefix: Start of the names inside it, unique within the page.
        label: What a screen reader says in place of the figure.

    Returns:
        The element; the same each time for the same figure.
    """
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "glossary"}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    return slim(written.getvalue(), prefix, label)


def slim(written: str, prefix: str, label: str) -> str:
    """What is seen of an SVG, as an element for a page.

    Args:
        written: The text of an SVG file by matplotlib.
        prefix: Start of the names inside it.
        label: What a screen reader says in place of it.

    Returns:
        The element. Only tags and attributes that draw are kept.
    """
    root = ElementTree.fromstring(written)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = _drawn(element)
    _prune(root)
    _rename(root, prefix)
    for parent in list(root.iter()):
        _string(parent)
    root.attrib = {
        "viewBox": root.get("viewBox", ""),
        "role": "img",
        "aria-label": label,
        "stroke-linejoin": "round",
        "fill": "currentColor",
    }
    return ElementTree.tostring(root, encoding="unicode")


def is_drawing(text: str) -> bool:
    """Whether a file holds an ``svg`` element that does nothing but draw."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return False
    return root.tag == "svg" and all(_only_draws(element) for element in root.iter())


def _only_draws(element: ElementTree.Element) -> bool:
    href = element.get("href", "#")
    return (
        element.tag in _TAGS | {"marker"}
        and element.attrib.keys() <= _ATTRIBUTES | _ADDED
        and (href.startswith("#") or bool(_IMAGE.match(href)))
    )


def _local(name: object) -> str:
    """Name without its namespace; nothing for comments."""
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def _drawn(element: ElementTree.Element) -> dict[str, str]:
    """The attributes that draw, those of its style among them."""
    found = {_local(name): value for name, value in element.attrib.items()}
    for declaration in found.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        found[name.strip()] = value.strip()
    kept = {
        name: _themed(_shorter(value) if name in _NUMERIC else value)
        for name, value in found.items()
        if name in _ATTRIBUTES and _DEFAULTS.get(name) != value
    }
    if not kept.get("transform", "-"):
        del kept["transform"]
    if kept.get("fill") == _PAPER:
        del kept["fill"]
        kept["class"] = "paper"
    href = kept.get("href", "#")
    if not href.startswith("#") and not _IMAGE.match(href):
        del kept["href"]
    return kept


def _shorter(value: str) -> str:
    """Numbers with one decimal, points without needless blanks."""
    value = _NUMBER.sub(lambda number: f"{float(number[0]):.1f}", value)
    value = re.sub(r"\.0\b", "", value)
    value = re.sub(r"^rotate\(-?0 [^)]*\)$", "", value)
    return re.sub(r"\s*([MLQCzZ])\s*", r"\1", value).strip()


def _themed(value: str) -> str:
    return _THEMED.get(value, value)


def _prune(parent: ElementTree.Element) -> None:
    """Drop what draws nothing, and groups around a single thing."""
    for place, child in reversed(list(enumerate(list(parent)))):
        _prune(child)
        child.tail = None
        if child.tag not in _TAGS or _draws_nothing(child):
            parent.remove(child)
        elif child.tag == "g" and not set(child.attrib) - {"id"}:
            # An id on a plain group names a part of the plot; nothing refers to it.
            parent.remove(child)
            parent[place:place] = list(child)
    if parent.tag not in ("text", "tspan") or len(parent):
        parent.text = None


def _draws_nothing(element: ElementTree.Element) -> bool:
    if element.tag in ("g", "defs", "clipPath"):
        return not len(element)
    invisible = (
        element.get("fill") == "none" and element.get("stroke", "none") == "none"
    )
    return element.tag == "path" and invisible


def _rename(root: ElementTree.Element, prefix: str) -> None:
    """Give the parts that others refer to names of this figure; drop the rest."""
    wanted: dict[str, str] = {}
    for element in root.iter():
        names = _REFERENCE.findall(element.get("clip-path", ""))
        names += [element.get("href", "")[1:]] if element.tag == "use" else []
        for name in names:
            wanted.setdefault(name, f"{prefix}{len(wanted)}")
    targets: dict[str, dict[str, str]] = {}
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name in wanted:
            targets[name] = dict(element.attrib)
            element.set("id", wanted[name])
        if "clip-path" in element.attrib:
            [name] = _REFERENCE.findall(element.attrib["clip-path"]) or [""]
            element.set("clip-path", f"url(#{wanted.get(name, '')})")
        if element.tag == "use":
            name = element.attrib.pop("href", "")[1:]
            said = targets.get(name, {})
            own = {k: v for k, v in element.attrib.items() if said.get(k) != v}
            element.attrib = {**own, "href": f"#{wanted.get(name, '')}"}


def _string(parent: ElementTree.Element) -> None:
    """Many dots of one kind become one invisible line with a dot at each corner."""

    def looks(element: ElementTree.Element) -> dict[str, str]:
        if element.tag != "use" or "transform" in element.attrib:
            return {}
        return {k: v for k, v in element.attrib.items() if k not in ("x", "y")}

    for attributes, group in groupby(list(parent), looks):
        dots = list(group)
        if not attributes or len(dots) < _MANY:
            continue
        start = list(parent).index(dots[0])
        for dot in dots:
            parent.remove(dot)
        name = f"{attributes['href'][1:]}-{start}"
        marker = ElementTree.Element(
            "marker", id=name, overflow="visible", markerUnits="userSpaceOnUse"
        )
        marker.append(ElementTree.Element("use", attributes))
        line = ElementTree.Element(
            "path",
            d="M" + "L".join(f"{dot.attrib['x']} {dot.attrib['y']}" for dot in dots),
            fill="none",
        )
        for where in ("start", "mid", "end"):
            line.set(f"marker-{where}", f"url(#{name})")
        parent[start:start] = [marker, line]
