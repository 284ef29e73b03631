"""The notebooks and pages as a site: `make site`.

sources        what Sphinx reads, written to build/site-source; nothing there is by hand
sections       anchors of numbered sections, links to them, and the glossary's words
figures        a notebook's pictures as files, each with its words
notebook_page  one notebook as a page: where to run it, its minutes, what leads to what
docstrings     our docstrings as Sphinx reads them
built_pages    what must hold for the pages that Sphinx has written
"""
