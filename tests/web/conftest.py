"""What the tests of the public pages have."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from syndicate.audience.tokens import Purpose
from tests.project import Project, starter
from tests.web.site import Site, site_of


@dataclass(frozen=True)
class Rest:
    """A site in which ada is on both lists, and nothing changes any more."""

    site: Site
    #: ada's number
    reader: int

    @property
    def link(self) -> str:
        """With which ada leaves the first of them."""
        return self.site.link(Purpose.UNSUBSCRIBE, self.reader)


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """One for all tests of a module, each of which proves that it has changed nothing."""
    with site_of(starter(tmp_path_factory.mktemp("rest") / "newsroom")) as site:
        made = Rest(site, site.subscribed("ada@example.org", "weekly", "daily"))
        before = site.rows()
        yield made
        assert site.rows() == before


@pytest.fixture
def site(project: Project) -> Iterator[Site]:
    with site_of(project) as made:
        yield made
