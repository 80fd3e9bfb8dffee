"""From folders of Markdown to articles and problems.

Import from the modules themselves, so that a warm start loads nothing it does not need::

    library.py      folders -> Catalogue(articles, problems); bodies and pictures of the few that are picked
    scan.py         which files there are, without opening them
    index.py        what was read before, so that unchanged files are not opened again
    article.py      the bytes of one file -> Article and Problems
    source.py         bytes -> text
    fences.py         text -> front matter and body
    frontmatter.py    front matter -> entries (YAML, TOML, JSON, headers), through python-frontmatter
    strict.py, lines.py    YAML as it should be: all of it, and the plain half of it quickly
    repair.py, quotes.py   YAML as people write it
    keys.py, fields.py, links.py, dates.py, overrides.py, text.py, doubts.py    entries -> fields
    markdown.py, plaintext.py, standins.py    body -> safe HTML and plain text
    mend.py         writes certain repairs back into the file
"""
