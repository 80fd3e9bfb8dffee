"""Syndicate: a folder of Markdown articles becomes e-mail digests and social posts.

The package is a belt. Each folder is a station; an immutable value travels from one to the next::

    content             plan              render            adapters          deliver + ledger
    *.md -> Article  -> Edition(+skipped) -> Letter | Post -> Payload      -> Delivery -> Receipt
            (+Problem)

    errors.py     the exception tree
    model/        the nouns, and nothing that acts
    whole.py      files that are there whole or not at all
    keyed.py      HMAC-SHA256 for what is made once for every mail
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
    signin/       how an account signs in at a network, and where its tokens are kept
    accounts.py   accounts of the configuration as adapters
    app.py        the parts, put together; `rehearsal(app)` is the only place that knows of a dry run
    log.py        what happens, in lines for people or for machines
    connect.py    a person signs an account in
    editions/     an edition before it goes out: recipients, compliance, drafts, approval
    returns/      what comes back, kept and acted on
    desks.py      who works at the same time: one courier for each account
    crew.py       couriers in processes of their own, where one processor is not enough
    pipeline.py   the motion: `run()` = drafts + courier
    proofs.py     what a rehearsal leaves behind: message files, manifest, the page to look at
    newsroom/     one tick, and all that happens by itself
    rehearse.py   weeks of ticks against the fake networks of testing/, with a fast clock
    scheduler.py  APScheduler as a clock: it says "now", never "what"; the lock, and the end
    web/          the public pages
    cli/          one file a command group

Imports go one way: errors < {model whole keyed} < database < {config content audience plan render adapters ledger
deliver feedback lock} < signin < accounts < {app log} < {connect editions returns desks crew} < pipeline <
{newsroom proofs} < rehearse < scheduler < web < cli; `tests/test_floors.py` enforces it.
"""

__version__ = "0.1.0"
