"""A person signs in at each network, over real sockets; and everything that can go wrong on the way."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from syndicate.connect import connect, state
from syndicate.errors import SyndicateError, UsageError
from syndicate.signin.flow import Attempt
from syndicate.testing import linkedin
from syndicate.testing.http import Fault, Reply
from syndicate.testing.linkedin import FakeLinkedIn
from syndicate.testing.oauth import CLIENT, SECRET, challenge
from tests.project import MONDAY, Project
from tests.signin.network import DAY, FAKES, FREE, START, at, browser, open_app, signed_in, token_calls

#: A refusal that repeats what it was sent.
ECHO = Reply(401, f'{{"error":"invalid_client","error_description":"{SECRET}"}}'.encode())
GIVEN = {
    "linkedin": ("Test Member", {"author": "urn:li:person:782bbtaQ"}, START + 60 * DAY),
    "mastodon": ("@Gargron", {}, None),
    "threads": ("17841400000000001", {"user": "17841400000000001"}, None),
    "x": ("x", {}, None),
}


@pytest.mark.parametrize("name", FAKES)
def test_who_has_signed_in_can_post(project: Project, name: str) -> None:
    with at(project, name) as network:
        found = signed_in(open_app(project), name)
        assert found.good
        assert (found.called, found.options) == GIVEN[name][:2]
        assert GIVEN[name][2] in {None, found.until}
        said = project.syndicate("run", "--once", "--at", MONDAY)
        assert said.status == 0, said.err
        assert len(published(network)) == 2


def published(network: Any) -> list[Any]:
    """What people see at the network."""
    return next(list(getattr(network, name)) for name in ("published", "statuses", "posts") if hasattr(network, name))


@pytest.mark.parametrize("name", FAKES)
def test_no_secret_is_seen_anywhere(project: Project, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    pages: list[str] = []
    with at(project, name) as network:
        found = signed_in(open_app(project), name, lambda page: (pages.append(page), browser(page))[0])
        secrets = {*network.authority.valid, *network.authority.clients.values(), SECRET}
        secrets |= {f"refresh-{number}-of-the-tests" for number in range(3)} | {"code-0-of-the-tests"}
        shown = [repr(found), *pages, *capfd.readouterr(), repr(open_app(project).vault.read(name))]
        shown += [said for arguments in (["connect", name, "--check"], ["status"], ["config", "show"])
                  for run in [project.syndicate(*arguments)] for said in (run.out, run.err)]  # fmt: skip
        assert [text for text in shown for secret in secrets if secret in text] == []
        for path in (project.folder / "var").rglob("*"):
            held = path.read_bytes() if path.is_file() else b""
            assert not any(secret.encode() in held for secret in secrets), path


def test_the_token_is_only_for_its_owner(project: Project) -> None:
    with at(project, "x"):
        signed_in(open_app(project), "x")
        folder = project.folder / "var" / "tokens"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
            "x.token": 0o600,
            "x.lock": 0o600,
        }


@pytest.mark.parametrize("name", FAKES)
def test_the_page_is_the_one_that_oauthlib_would_open(project: Project, name: str) -> None:
    oauth2 = pytest.importorskip("oauthlib.oauth2")
    with at(project, name, ", client_id: mine" if name == "mastodon" else ""):
        from syndicate.connect import way_in

        how = way_in(open_app(project), name)
        attempt = Attempt(how, FREE, state="a state", verifier="v" * 50)
        client = oauth2.WebApplicationClient(how.client_id)
        more = {"code_challenge": client.create_code_challenge("v" * 50, "S256"), "code_challenge_method": "S256"}
        scopes = how.separator.join(how.scopes)
        oracle = client.prepare_request_uri(
            how.page.replace("http:", "https:"), FREE, scopes, "a state", **(more if how.pkce else {})
        )
        assert parse_qs(urlsplit(attempt.page).query) == parse_qs(urlsplit(oracle).query)
        assert urlsplit(attempt.page).path == urlsplit(oracle).path


def test_the_challenge_is_that_of_the_standard() -> None:
    from syndicate.signin.flow import challenge as ours

    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    assert ours(verifier) == challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_every_attempt_has_its_own_state_and_proof(project: Project) -> None:
    with at(project, "x"):
        from syndicate.connect import way_in

        attempts = [Attempt(way_in(open_app(project), "x"), FREE) for _ in range(5)]
        assert len({one.state for one in attempts} | {one.verifier for one in attempts}) == 10
        assert all(43 <= len(one.verifier) <= 128 for one in attempts)


# -- a no ---------------------------------------------------------------------------------------------------------


def test_a_person_who_says_no_is_told_how_to_go_on(project: Project) -> None:
    with at(project, "linkedin") as network:
        network.authority.refusal = linkedin.CANCELLED
        with pytest.raises(SyndicateError, match="user_cancelled_authorize The user cancelled") as refused:
            signed_in(open_app(project), "linkedin")
        assert "agree" in refused.value.hint
        assert not (project.folder / "var" / "tokens").exists()


def test_a_scope_that_the_application_has_no_right_to_is_named(project: Project) -> None:
    with at(project, "linkedin") as network:
        network.authority.refusal = linkedin.UNAUTHORIZED_SCOPE
        words = 'Scope "w_organization_social" is not authorized for your application'
        with pytest.raises(SyndicateError, match=words) as refused:
            signed_in(open_app(project), "linkedin")
        assert "product" in refused.value.hint


def test_a_scope_that_is_left_out_without_a_word_is_found(project: Project) -> None:
    with at(project, "linkedin") as network:
        network.authority.dropped = frozenset({"w_member_social"})
        with pytest.raises(SyndicateError, match="did not give what posting needs: w_member_social"):
            signed_in(open_app(project), "linkedin")
        assert open_app(project).vault.read("linkedin") is None


def test_a_code_that_has_ended_gives_nothing(project: Project) -> None:
    with at(project, "linkedin") as network:
        network.authority.stale = True
        with pytest.raises(SyndicateError, match="answered 400 invalid_request Unable to retrieve access token"):
            signed_in(open_app(project), "linkedin")


def test_another_state_is_turned_away_and_the_wait_goes_on(project: Project) -> None:
    """Somebody's page that sends the browser to the listener must neither sign in nor end the attempt."""
    answers: list[int] = []

    def browse(page: str) -> None:
        redirect = parse_qs(urlsplit(page).query)["redirect_uri"][0]
        for state_of in ("wrong", ""):
            query = urlencode({"code": "stolen", "state": state_of})
            answers.append(requests.get(f"{redirect}?{query}", timeout=5).status_code)
        answers.append(requests.get(redirect.replace("callback", "favicon.ico"), timeout=5).status_code)
        browser(page)

    with at(project, "linkedin") as network:
        assert signed_in(open_app(project), "linkedin", browse).good
        assert answers == [400, 400, 404]
        assert token_calls(network) == 1


def test_who_only_gets_another_state_is_told_so(project: Project) -> None:
    with at(project, "x") as network:
        network.authority.state = "another"
        with pytest.raises(SyndicateError, match=r"within 0\.3 seconds; 1 came with another `state`"):
            signed_in(open_app(project), "x", lambda page: requests.get(page, timeout=5), patience=0.3)
        assert token_calls(network) == 0


def test_a_port_that_is_taken_is_named(project: Project) -> None:
    with at(project, "x"), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        project.configure((f"redirect: '{FREE}'", f"redirect: 'http://127.0.0.1:{port}/'"))
        with pytest.raises(SyndicateError, match=f"port {port} of this machine cannot be listened at") as refused:
            signed_in(open_app(project), "x")
        assert "--paste" in refused.value.hint


def test_the_registered_address_is_used_letter_for_letter(project: Project) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with at(project, "x") as network:
        project.configure((f"redirect: '{FREE}'", f"redirect: 'http://localhost:{port}/back'"))
        assert signed_in(open_app(project), "x").good
        (page,) = [one.path for one in network.journal if one.path.startswith("/i/oauth2")]
        assert parse_qs(urlsplit(page).query)["redirect_uri"] == [f"http://localhost:{port}/back"]


def test_somebody_else_than_the_author_is_not_let_in(project: Project) -> None:
    with at(project, "linkedin", ", author: 'urn:li:person:other'"):
        with pytest.raises(SyndicateError, match="Test Member has signed in, whose `author` is urn:li:person:782bbtaQ"):
            signed_in(open_app(project), "linkedin")
        assert open_app(project).vault.read("linkedin") is None


def test_an_approval_ends_where_somebody_else_signs_in(project: Project) -> None:
    with at(project, "linkedin") as network:
        project.configure(("template: linkedin\n    approval: none", "template: linkedin\n    approval: required"))
        signed_in(open_app(project), "linkedin")
        assert project.syndicate("run", "--once", "--at", MONDAY).status == 3
        keys = [one["what"] for one in project.syndicate("status", "--json").json["waits"]]
        for key in keys:
            assert project.syndicate("editions", "approve", key).status == 0
        network.userinfo["sub"] = "somebody-else"
        assert connect(open_app(project), "linkedin", browser, other=True).good
        assert project.syndicate("run", "--once", "--at", MONDAY).status == 3
        assert network.published == []
        assert [one["what"] for one in project.syndicate("status", "--json").json["waits"]] == keys


def test_a_page_asks_for_the_scope_of_pages_alone(project: Project) -> None:
    with at(project, "linkedin", ", author: 'urn:li:organization:1234'") as network:
        found = signed_in(open_app(project), "linkedin")
        assert (found.scopes, found.options, found.good) == (("w_organization_social",), {}, True)
        assert not [one for one in network.journal if one.path == "/v2/userinfo"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(then="close"), "was not reached"),
        (Fault(Reply(500, b"<html>")), "answered 500"),
        (Fault(Reply(200, b"<html>")), "answered 200"),
        (Fault(Reply(200, b'{"access_token": 7}')), "holds no access token"),
        (Fault(ECHO), r"answered 401 invalid_client \*\*\*"),
    ],
)
def test_what_a_token_endpoint_can_say_instead(project: Project, fault: Fault, words: str) -> None:
    with at(project, "linkedin") as network:
        network.fault(None, fault)
        with pytest.raises(SyndicateError, match=words) as refused:
            signed_in(open_app(project), "linkedin")
        assert SECRET not in refused.value.message


def test_a_wrong_client_secret_is_told_in_the_networks_words(project: Project) -> None:
    with at(project, "threads"):
        project.configure((f"client_secret: {SECRET}", "client_secret: something-else-entirely"))
        with pytest.raises(SyndicateError, match="Error validating client secret"):
            signed_in(open_app(project), "threads")


def test_an_instance_that_registers_nobody_is_told(project: Project) -> None:
    with at(project, "mastodon") as network:
        network.fault(Fault(Reply(422, b'{"error":"Validation failed: Redirect URI must be an absolute URI."}')))
        with pytest.raises(SyndicateError, match="Validation failed: Redirect URI must be an absolute URI"):
            signed_in(open_app(project), "mastodon")


@pytest.mark.parametrize(
    ("name", "words"),
    [("outbox", "nobody signs in at file"), ("nobody", "there is no account 'nobody'")],
)
def test_an_account_without_a_sign_in_says_so(project: Project, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        signed_in(open_app(project), name)


def test_an_account_without_an_application_says_what_is_missing(project: Project) -> None:
    with at(project, "linkedin"):
        project.configure((f"client_id: {CLIENT}, ", ""))
        with pytest.raises(UsageError, match="has no `client_id`") as refused:
            signed_in(open_app(project), "linkedin")
        assert FREE in refused.value.hint


def test_a_token_of_the_configuration_leaves_nothing_to_sign_in_for(project: Project) -> None:
    with at(project, "x", ", token: literal") as network:
        with pytest.raises(UsageError, match="has its `token` in the configuration") as refused:
            signed_in(open_app(project), "x")
        assert "Remove `token`" in refused.value.hint
        assert network.journal == []


# -- a browser elsewhere ------------------------------------------------------------------------------------------


def test_the_answer_can_be_pasted(project: Project) -> None:
    place: list[str] = []

    def browse(page: str) -> None:
        place.append(requests.get(page, allow_redirects=False, timeout=5).headers["Location"])

    with at(project, "threads"):
        project.configure((f"redirect: '{FREE}'", "redirect: 'https://example.com/back'"))
        assert connect(open_app(project), "threads", browse, lambda: f" {place[0]}#_ \n").good
        with pytest.raises(UsageError, match="which is not this machine"):
            signed_in(open_app(project), "threads")


def test_an_answer_of_another_sign_in_is_not_taken(project: Project) -> None:
    with at(project, "x"), pytest.raises(SyndicateError, match="does not belong to this sign-in"):
        connect(open_app(project), "x", lambda page: None, lambda: "https://example.com/?code=c&state=other")


# -- how it stands ------------------------------------------------------------------------------------------------


def check(project: Project, name: str, later: Any = 0 * DAY) -> Any:
    from syndicate.testing.clock import Clock

    with requests.Session() as session:
        return state(open_app(project, Clock(START + later)), name, session)


def test_before_anybody_has_signed_in_that_is_what_is_said(project: Project) -> None:
    with at(project, "linkedin"):
        found = check(project, "linkedin")
        assert (found.good, found.fault) == (False, "nobody has signed in")
        said = project.syndicate("connect", "linkedin", "--check")
        assert said.status == 3
        assert said.out == "linkedin (linkedin): nobody has signed in.\nNext: syndicate connect linkedin\n"
        run = project.syndicate("run", "--once", "--at", MONDAY)
        assert run.status == 1
        assert "accounts.linkedin: nobody has signed in with account linkedin" in run.out


def test_the_network_is_asked_whether_it_still_takes_the_token(project: Project) -> None:
    with at(project, "linkedin") as network:
        signed_in(open_app(project), "linkedin")
        assert check(project, "linkedin").good
        network.authority.valid.clear()
        assert "EXPIRED" not in check(project, "linkedin").fault
        assert "The token used in the request has expired" in check(project, "linkedin").fault
        assert check(project, "linkedin", 61 * DAY).fault == "it has ended"


def test_a_network_that_does_not_answer_says_nothing_about_the_token(project: Project) -> None:
    with at(project, "mastodon") as network:
        signed_in(open_app(project), "mastodon")
        network.stop()
        with pytest.raises(SyndicateError, match="was not reached"):
            check(project, "mastodon")


def test_the_state_as_json_has_no_secret(project: Project) -> None:
    with at(project, "linkedin"):
        signed_in(open_app(project), "linkedin")
        said = project.syndicate("connect", "linkedin", "--check", "--json")
        document = json.loads(said.out)
        assert (document["called"], document["scopes"]) == ("Test Member", ["openid", "profile", "w_member_social"])
        assert not re.search(r"token|secret|access", said.out)


def test_a_dry_run_needs_no_sign_in_and_shows_the_bytes_of_the_one_there_is(project: Project, tmp_path: Path) -> None:
    def shown(folder: str) -> dict[str, str]:
        said = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", str(tmp_path / folder))
        assert said.status == 0, said.err
        lines = map(json.loads, (tmp_path / folder / "manifest.jsonl").read_text("utf-8").splitlines())
        return {line["edition"]: line["sha256"] for line in lines if line["edition"].startswith("linkedin/")}

    with at(project, "linkedin") as network:
        before = shown("before")
        signed_in(open_app(project), "linkedin")
        after = shown("after")
        assert network.published == []
        assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
        sent = {
            key: project.syndicate("editions", "show", key, "--json").json["deliveries"][0]["sha256"] for key in after
        }
        assert before.keys() == after.keys() == sent.keys()
        assert before != after == sent  # who posts stands in the bytes


def test_an_account_may_refer_to_the_sign_in_of_another(project: Project) -> None:
    with at(project, "linkedin") as network:
        more = "  page: {adapter: linkedin, token: '${token:linkedin}', author: 'urn:li:organization:7', base_url: '"
        project.configure(("accounts:\n", f"accounts:\n{more}{network.url}'}}\n"))
        signed_in(open_app(project), "linkedin")
        assert open_app(project).adapter("page").options.token.get_secret_value() == linkedin.TOKEN


def test_the_same_network_twice_has_two_tokens(project: Project) -> None:
    with at(project, "mastodon") as network, FakeLinkedIn():
        project.configure(("accounts:\n", f"accounts:\n  other: {{adapter: mastodon, server: '{network.url}'}}\n"))
        signed_in(open_app(project), "mastodon")
        signed_in(open_app(project), "other")
        app = open_app(project)
        assert app.vault.read("mastodon") != app.vault.read("other")
