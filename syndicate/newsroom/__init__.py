"""What happens by itself, minute by minute.

tick.py           one tick: the last good configuration, what came back, the plan, the couriers
confirmations.py  those who signed up are asked by mail whether it was they
corrections.py    what was said on a network is said better there
expiry.py         sign-ins that are about to end
reminders.py      the operator hears of each thing once
news.py           what a tick did, in lines for the log
exposition.py     the numbers, as Prometheus reads them
"""
