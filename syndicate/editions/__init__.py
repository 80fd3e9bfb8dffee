"""An edition before it goes out: in words, looked over, approved, entered.

recipients.py    who gets it, looked over before anything is entered
compliance.py    what a mail to strangers needs before it may leave
drafts.py        in words, with those who get it, entered in the ledger
fingerprints.py  what decides its bytes, as hashes
seen.py          plans that a person has looked at, and what has changed since
approval.py      what a person approved is what goes out; an edit voids it
comparison.py    what it would say now, against what is frozen
upcoming.py      what is to come, also as a calendar
"""
