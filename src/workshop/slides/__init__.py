"""A deck of slides for each notebook: `make slides`.

marks          which cells are slides, and what of a cell a slide shows
contents       a cell's code, output, picture or sentences as HTML
runs           a drawn run that is taller than a slide, on several
plain_text     the few marks of Markdown that our text uses, as HTML
deck           all slides of a notebook in one file that needs no network
"""
