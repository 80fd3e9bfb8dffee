"""Where secrets may go."""

import pytest

from syndicate.adapters.addresses import checked_url


@pytest.mark.parametrize(
    "url",
    [
        "https://x.test/", "https://x.test:8443/a?b=c#d", "http://127.0.0.1:80/", "http://localhost/", "http://[::1]:8/",
        "HTTPS://X.TEST/", "https://x.test#@127.0.0.1/",
    ],
)  # fmt: skip
def test_addresses_that_may_be_used(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://x.test/", "http://169.254.169.254/latest", "http://2130706433/", "http://0x7f.1/", "http://127.1/",
        "http://①②⑦.0.0.1/", "http://localhost./", "http://0/", "https://user:pass@x.test/", "https://x.test@127.0.0.1/",
        "https://x.test\\@127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:25/_HELO", "data:text/plain,x",
        "//evil.test/x", "https://x.test/\r\nX: y", "https://", "https://x.test:99999/", "https://x.test:0/", "",
    ],
)  # fmt: skip
def test_addresses_that_may_not(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_url(url)
