"""The courier: recover -> claim -> compose -> prepare -> send -> settle.

base.py       what is asked of a sender, a lane, a ledger; jobs and what became of them
courier.py    delivers editions, one after the other
run.py        one of them: the motion, from the claim to the settlement
tally.py      how far it is
lanes.py      a plain `send`, many at once
attempts.py   the log between claim and settlement that makes a crash exact
disk.py       its file operations
recovery.py   what a dead worker left, and what to do about silence
policy.py     every decision, as a table
pace.py       limits: how much is claimed, and what is waited for
breaker.py    who is left alone after failures
signals.py    the first signal drains
"""
