"""Render: an edition becomes words. Pure: same edition, publication and templates, same bytes.

    templates.py   Jinja2 in a sandbox; a mistake becomes advice with template, line and name
    views.py       what templates may see, and nothing else
    email.py       Edition -> Letter (HTML, text and headers, once an edition)
    mime.py        the letter's bytes, encoded once, cut at the slots
    fill.py        Letter + Recipient -> Email: fills the slots (the hot path)
    post.py        Edition -> Post, one article in the words of one network
    fit.py         the one shortener
    lint.py        what receivers and readers demand of a finished letter
    freeze.py      Letter | Post <-> bytes, for the ledger

Import from these modules; nothing is imported here, so that a command that renders nothing pays nothing.
"""
