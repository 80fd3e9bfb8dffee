"""Who may receive an e-mail edition, and why or why not.

csv.py         readers of a file, one configured audience; once.py: whoever was there already
store.py       the subscribers of the database: lists, consent, suppression; beside it the functions of each transaction
selection.py   who of a list gets an edition; segments.py: its conditions as SQL
importing.py, exporting.py    people from files and into files; formats.py: those of other services
tokens.py, links.py, signups.py, choices.py    what the public pages and the links of a letter need
"""
