"""The public pages and the inbox for webhooks: what strangers reach over HTTP. No rules of its own.

office.py    the parts of the app that pages work with, kept while the configuration stays
routes.py    every route there is; what is not named here is not found
visitors.py  sign-up and confirmation
readers.py   unsubscribing, preferences, an edition in the browser
forms.py     what comes in: forms, and the seal that tells ours from others
pages.py     what goes out: templates in `pages/`, words in `words/`
words.py     the catalogue of words, and which language a visitor reads
guard.py     around all of it: sizes, times, hosts, headers
server.py    uvicorn in a thread, and the postman beside it
"""
