"""How the site is built: `make docs`, or `python -m sphinx -W -n docs OUT`.

Nothing is fetched, neither while it is built nor while it is read: formulas are MathML,
pictures are SVG in the page, fonts are those of the reader's system.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
# The sources beside these pages, wherever else a keras_lr may be installed.
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE / "_ext"))
# Docstrings are the same on all backends; this one is imported fastest.
os.environ.setdefault("KERAS_BACKEND", "jax")

import keras_lr  # noqa: E402  of these sources, on this backend

project = "keras-lr"
author = "The keras-lr authors"
copyright = "The keras-lr authors, Apache 2.0"
release = keras_lr.__version__
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "formulas",
    "schedule_pictures",
    "signatures",
    "command_help",
    "glossary_pages",
    "included_pages",
    "accessible",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext", "_static", "_templates", "**/patches"]

nitpicky = True
# What is documented elsewhere, where no link can lead without a network to check it.
nitpick_ignore_regex = [
    (r"py:.*", r"(keras|numpy|np|collections|concurrent|os|pathlib)\..*"),
    (r"py:.*", r"matplotlib\..*|Path|NDArray"),
    # What they are is said in words where they stand.
    (r"py:class", r"Argument|Back|HasValues|Home|IntArray|Named|Part|Result|Threshold"),
    (r"py:class", r"Value"),
]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
# By the names under which `reference/schedules` explains them.
autodoc_type_aliases = {
    "Curve": "Curve",
    "Duration": "Duration",
    "DurationOrZero": "DurationOrZero",
    "Momentum": "Momentum",
    "OnCycleEnd": "OnCycleEnd",
    "Peak": "Peak",
}
autodoc_class_signature = "mixed"
add_module_names = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# A line an argument, where all of them do not fit into one.
maximum_signature_line_length = 72

html_theme = "furo"
html_title = "keras-lr"
pygments_dark_style = "github-dark"
html_math_renderer = "mathml"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "footer_icons": [],
    "light_css_variables": {
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', "
        "Arial, sans-serif",
    },
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_workers = 8
