"""Our own HMAC is that of the standard library."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from syndicate.keyed import keyed


@given(key=st.binary(max_size=140), before=st.binary(max_size=140), messages=st.lists(st.binary(max_size=140)))
def test_each_message_has_the_code_that_hmac_gives_it(key: bytes, before: bytes, messages: list[bytes]) -> None:
    mac = keyed(key, before)
    assert [mac(message) for message in messages] == [hmac.digest(key, before + each, "sha256") for each in messages]
