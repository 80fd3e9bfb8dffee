"""Where secrets may go."""

import pytest

from syndicate.adapters.addresses import checked_url, checked_webhook, webhook_holes


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


def test_the_address_of_a_webhook_has_a_path_that_is_a_secret() -> None:
    url = checked_webhook("https://hooks.x.test/services/T0/B0/secret")
    assert webhook_holes(url) == {"{webhook}": url, "{secret}": "secret"}


@pytest.mark.parametrize("url", ["https://hooks.x.test", "https://hooks.x.test/", "http://hooks.x.test/a"])
def test_the_address_of_a_webhook_is_given_whole(url: str) -> None:
    with pytest.raises(ValueError, match=r"copy it whole|https"):
        checked_webhook(url)
