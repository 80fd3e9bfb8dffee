"""What comes back from readers and providers, and what follows from it.

intake.py   kept before it is acted on, once, whoever tells it
acting.py   acting on it: suppressing, pausing
rates.py    how many readers complain
erasure.py  somebody wants to be forgotten, everywhere
"""
