"""The courier: recover -> claim -> compose -> prepare -> send -> settle.

base.py       what is asked of a sender, a lane, a ledger; jobs and what became of them
courier.py    the motion, from the claim to the settlement
lanes.py      a plain `send`, many at once
attempts.py   the log between claim and settlement that makes a crash exact
recovery.py   what a dead worker left, and what to do about silence
policy.py     every decision, as a table
signals.py    the first signal drains
"""
