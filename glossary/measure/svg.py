"""A matplotlib figure as a small SVG that lives inside an HTML page.

matplotlib's own SVG says everything twice, with six decimals, and names its parts
as every other figure does. Here a figure keeps what is seen: few decimals, names
that start with a prefix, colours that follow the page's light and dark.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby, pairwise
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
_ADDED = frozenset(_WORD.findall("role aria-label"))
_DEFAULTS = {
    "font-style": "normal",
    "font-weight": "400",
    "stroke-dashoffset": "0",
    "opacity": "1",
    "text-anchor": "start",
}
# Ink and paper change with the theme; colours that tell series apart stay.
_THEMED = {"#000000": "currentColor"}
_NUMBER = re.compile(r"-?\d+\.\d+")
_NUMERIC = frozenset(("d", "x", "y", "width", "height", "transform"))
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_CIRCLE = re.compile(r"M0 ([\d.]+)(?:C[^A-Za-z]*){8}z$")
_STRAIGHT = re.compile(r"(?:[ML]-?[\d.]+ -?[\d.]+)+z?$")
_UNSEEN = 1.5  # tenths of a unit, of which a panel has 300
Point = tuple[int, int]
_IMAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*\Z")


def svg(figures: Iterable[Figure], prefix: str, label: str) -> str:
    """Figures below each other, as one ``svg`` element that holds one for each.

    Args:
        figures: What to draw.
        prefix: Start of the names inside it, unique within the page.
        label: What a screen reader says in place of the figures.

    Returns:
        The element; the same each time for the same figures.
    """
    import matplotlib

    drawn: list[ElementTree.Element] = []
    style = {"svg.fonttype": "none", "svg.hashsalt": "glossary"}
    for number, figure in enumerate(figures):
        written = io.StringIO()
        with matplotlib.rc_context(style):
            figure.savefig(
                written, format="svg", transparent=True, metadata={"Date": None}
            )
        drawn.append(slim(written.getvalue(), f"{prefix}{number}-"))
    width = height = 0.0
    for part in drawn:
        _, _, part_width, part_height = map(float, part.attrib["viewBox"].split())
        part.attrib |= {
            "y": f"{height:g}", "width": f"{part_width:g}", "height": f"{part_height:g}"
        }  # fmt: skip
        width = max(width, part_width)
        height += part_height
    whole = ElementTree.Element(
        "svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "img",
                "aria-label": label, "stroke-linejoin": "round",
                "fill": "currentColor"},
    )  # fmt: skip
    whole.extend(drawn)
    return ElementTree.tostring(whole, encoding="unicode")


def slim(written: str, prefix: str) -> ElementTree.Element:
    """What is seen of an SVG.

    Args:
        written: The text of an SVG file by matplotlib.
        prefix: Start of the names inside it.

    Returns:
        An ``svg`` element. Only tags and attributes that draw are kept.
    """
    root = ElementTree.fromstring(written)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = _drawn(element)
    _prune(root)
    named = [path for path in root.iter("path") if "id" in path.attrib]
    paths = {path.attrib["id"]: path.attrib["d"] for path in named}
    for parent in list(root.iter()):
        _dots(parent, paths)
        _join(parent)
    _rename(root, prefix)
    _prune(root)
    for path in root.iter("path"):
        path.set("d", _relative(path.attrib["d"]))
    root.attrib = {"viewBox": root.get("viewBox", "")} | _most_common_letters(root)
    return root


def _most_common_letters(root: ElementTree.Element) -> dict[str, str]:
    """What most words share is said once, for all of them."""
    common = {}
    for name, default in (("font-size", "16"), ("text-anchor", "start")):
        texts = list(root.iter("text"))
        values = Counter(text.get(name, default).removesuffix("px") for text in texts)
        for [common[name], _] in values.most_common(1):
            for text in texts:
                value = text.attrib.pop(name, default).removesuffix("px")
                if value != common[name]:
                    text.set(name, value)
    return common


def parts(text: str) -> tuple[str, ...]:
    """The figures in what `svg` made, for a page that places them itself.

    Args:
        text: Of a file; who can install a package may have written anything.

    Returns:
        An ``svg`` element each; none where the file does more than to draw.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return ()
    if root.tag != "svg" or not all(map(_only_draws, root.iter())):
        return ()
    figures = []
    for figure in root:
        for name in ("y", "width", "height"):
            figure.attrib.pop(name, None)
        figure.attrib |= {
            "fill": "currentColor", "stroke-linejoin": "round", "aria-hidden": "true",
        }  # fmt: skip
        figures.append(ElementTree.tostring(figure, encoding="unicode"))
    return tuple(figures)


def _only_draws(element: ElementTree.Element) -> bool:
    href = element.get("href", "#")
    return (
        element.tag in _TAGS
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
    if element.tag in ("g", "clipPath"):
        return not len(element)
    if element.tag == "defs":
        return all(child.get("id") is None for child in element)
    invisible = (
        element.get("fill") == "none" and element.get("stroke", "none") == "none"
    )
    return element.tag == "path" and (invisible or not element.get("d"))


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


def _dots(parent: ElementTree.Element, paths: Mapping[str, str]) -> None:
    """Dots of one colour in a row become one path of no length, with round ends."""

    def looks(element: ElementTree.Element) -> dict[str, str]:
        if element.tag != "use" or "transform" in element.attrib:
            return {}
        return {k: v for k, v in element.attrib.items() if k not in ("x", "y")}

    for attributes, group in groupby(list(parent), looks):
        circle = _CIRCLE.match(paths.get(attributes.get("href", "#")[1:], ""))
        if not circle:
            continue
        dots = list(group)
        start = list(parent).index(dots[0])
        for dot in dots:
            parent.remove(dot)
        line = ElementTree.Element(
            "path",
            d="".join(f"M{dot.get('x', 0)} {dot.get('y', 0)}h0" for dot in dots),
            stroke=attributes.get("fill", "currentColor"),
            fill="none",
        )
        line.attrib |= {
            "stroke-width": f"{2 * float(circle[1]) + 1:g}",  # half of it is the edge
            "stroke-linecap": "round",
        }
        if "fill-opacity" in attributes:
            line.set("stroke-opacity", attributes["fill-opacity"])
        parent.insert(start, line)


def _join(parent: ElementTree.Element) -> None:
    """Lines that look alike, such as a grid's, become one path.

    Words may stand between them in the file: they are not drawn upon.
    """
    before: ElementTree.Element | None = None
    for child in list(parent):
        if child.tag == "text":
            continue
        same = before is not None and (
            child.tag == before.tag == "path" and _but_d(child) == _but_d(before)
        )
        if same and before is not None and child.get("fill") == "none":
            before.set("d", before.attrib["d"] + child.attrib["d"])
            parent.remove(child)
        else:
            before = child


def _but_d(element: ElementTree.Element) -> dict[str, str]:
    return {name: value for name, value in element.attrib.items() if name != "d"}


def _relative(d: str) -> str:
    """A path of straight lines: each by its difference to the point before it."""
    if not _STRAIGHT.match(d):
        return d
    written = ""
    for line in d.rstrip("z").split("M")[1:]:
        pairs = [pair.split() for pair in line.split("L")]
        # In tenths, so that nothing adds up.
        points = [(round(float(x) * 10), round(float(y) * 10)) for x, y in pairs]
        kept = _simpler(points)
        written += f"M{_tenths(*kept[0])}"
        command = "l"
        for before, point in pairwise(kept):
            step = _tenths(point[0] - before[0], point[1] - before[1])
            blank = "" if command or step.startswith("-") else " "
            written += command + blank + step
            command = ""
    return written + ("z" if d.endswith("z") else "")


def _simpler(points: list[Point]) -> list[Point]:
    """A line with few points that is nowhere off by more than can be seen.

    As Douglas and Peucker 1973 (10.3138/FM57-6770-U75U-7727): of a stretch only the
    ends count, unless a point lies too far from the line between them; that one then
    parts it.
    """
    kept = {0, len(points) - 1}
    stretches = [(0, len(points) - 1)]
    while stretches:
        start, end = stretches.pop()
        far = max(
            range(start + 1, end),
            key=lambda place: _off(points[place], points[start], points[end]),
            default=start,
        )
        if _off(points[far], points[start], points[end]) > _UNSEEN:
            kept.add(far)
            stretches += [(start, far), (far, end)]
    return [points[place] for place in sorted(kept)]


def _off(point: Point, start: Point, end: Point) -> float:
    """Distance of a point from the stretch between two others."""
    along = (end[0] - start[0], end[1] - start[1])
    away = (point[0] - start[0], point[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    share = (away[0] * along[0] + away[1] * along[1]) / length if length else 0.0
    share = min(1.0, max(0.0, share))
    return math.hypot(away[0] - share * along[0], away[1] - share * along[1])


def _tenths(x: int, y: int) -> str:
    """Two numbers that are given in tenths, such as ``.5-12``."""
    first, second = (re.sub(r"\b0\.", ".", f"{value / 10:g}") for value in (x, y))
    return first + ("" if second.startswith("-") else " ") + second
