"""Sphinx's settings for the site; `make site` writes the sources first (src/workshop/site)."""

import os
from pathlib import Path

from pygments.lexers import TextLexer

from workshop.site.docstrings import as_rst

BUILD = Path(__file__).parents[2] / "build"
URL = os.environ.get("SITE_URL", "")  # where it will be published; social cards need to know

project = "Broken, then proven"
copyright = ""
author = ""
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinxext.opengraph"]
root_doc = "index"
exclude_patterns = ["_static"]
smartquotes = False  # a page says what its notebook says, letter by letter

nb_execution_mode = "off"
nb_render_text_lexer = "none"
nb_ipywidgets_js = {}
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "inherited-members": False}
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = project
html_static_path = [str(Path(__file__).parent / "static"), str(BUILD / "site-source" / "_static")]
html_css_files = ["site.css"]
html_js_files = ["page.js"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_baseurl = URL
html_theme_options = {"navigation_with_keys": False}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

ogp_site_url = URL
ogp_site_name = project
ogp_enable_meta_description = True
ogp_social_cards = {"enable": bool(URL), "line_color": "#d55e00"}


def docstring(app, what, name, obj, options, lines):
    """Sphinx asks for this before it reads a docstring; the lines are changed in place."""
    lines[:] = as_rst(lines)


def setup(app):
    """Sphinx calls this once."""
    app.add_lexer("ssh-config", TextLexer)
    app.connect("autodoc-process-docstring", docstring)
