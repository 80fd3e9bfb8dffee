"""Syndicate: a folder of Markdown articles becomes e-mail digests and social posts.

The package is a belt. Each folder is a station; an immutable value travels from one to the next::

    content             plan              render            adapters          deliver + ledger
    *.md -> Article  -> Edition(+skipped) -> Letter | Post -> Payload      -> Delivery -> Receipt
            (+Problem)

    errors.py     the exception tree
    model/        the nouns, and nothing that acts
    whole.py      files that are there whole or not at all
    database/     the one file of ledger and audience: its tables, and how to open it
    config/       YAML -> Settings, every problem at once; secrets
    content/      folders -> articles; tolerant front matter; Markdown; the index
    audience/     who may receive an e-mail edition; unsubscribe tokens
    plan/         pure: articles x channels x history x now -> Plan
    render/       templates -> Letter | Post; the one shortener
    adapters/     one file a network
    ledger/       what was said, to whom, exactly
    feedback/     bounces, complaints, providers' events: told, verified, kept
    deliver/      the courier: claim -> prepare -> send -> settle; recover
    lock.py       one scheduler at a time on one database
    accounts.py   accounts of the configuration as adapters
    app.py        the parts, put together; `rehearsal(app)` is the only place that knows of a dry run
    fingerprints.py what decides the bytes of an edition, as hashes
    recipients.py who gets an edition, looked over before anything is entered
    drafts.py     editions in words, with those who get them, entered in the ledger
    seen.py       plans that a person has looked at, and what has changed since
    upcoming.py   what is to come, also as a calendar
    approval.py   what a person approved is what goes out; an edit voids it
    comparison.py what an edition would say now, against what is frozen
    compliance.py what a mail to strangers needs before it may leave
    intake.py     what comes back, kept before it is acted on
    returns.py    acting on it: suppressing, pausing
    rates.py      how many readers complain
    desks.py      who works at the same time: one courier for each account
    pipeline.py   the motion: `run()` = drafts + courier
    confirmations.py those who signed up are asked by mail whether it was they
    reminders.py  the operator hears of each thing once
    proofs.py     what a rehearsal leaves behind: message files, manifest, the page to look at
    newsroom.py   one tick: the last good configuration, the plan, the couriers
    rehearse.py   weeks of ticks against the fake networks of testing/, with a fast clock
    scheduler.py  APScheduler as a clock: it says "now", never "what"; the lock, and the end
    web/          the public pages
    cli/          one file a command group

Imports go one way: errors < {model whole} < database < {config content audience plan render adapters ledger deliver
feedback lock} < signin < accounts < app < fingerprints < {drafts upcoming} < {approval seen} < {pipeline comparison} <
reminders < {proofs newsroom} < rehearse < scheduler < web < cli; those not named here stand in
`tests/test_floors.py`, which enforces it.
"""

__version__ = "0.1.0"
