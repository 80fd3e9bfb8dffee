"""From folders of Markdown to articles and problems.

Import from the modules themselves, so that a warm start loads nothing it does not need::

    library.py      folders -> Catalogue(articles, problems); bodies and pictures of the few that are picked
    scan.py         which files there are, without opening them
    index.py        what was read before, so that unchanged files are not opened again
    article.py      the bytes of one file -> Article and Problems
    source.py       bytes -> text
    fences.py       text -> front matter and body
    frontmatter.py  front matter -> entries (YAML, TOML, JSON, headers), through python-frontmatter
    strict.py       YAML as it should be, and lines.py, the plain half of it quickly
    repair.py       YAML as people write it, entry by entry, and quotes.py, what a broken value was meant to say
    fields.py       entries -> fields, by the names in keys.py, with dates.py, links.py, overrides.py and text.py
    doubts.py       what only claims to be an article
    markdown.py     body -> safe HTML, and plaintext.py -> plain text, both after standins.py
    picture.py      the hero image, where it is a file of the project
    mend.py         writes certain repairs back into the file

`notes.py`, `entries.py` and `site.py` hold the values that they hand to one another.
"""
