"""`config/syndicate.yaml` -> `Settings`, with every mistake of the file as a `Problem` at its line and column.

`load` reads, checks and caches; `settings` is what the rest of Syndicate sees; `schema` says what may stand in the
file; `secrets` turns `${…}` references into values, late; `show` prints what is in force; `starter` writes a new
project.
"""
