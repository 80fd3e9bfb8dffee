"""Every command on the two real articles, as a newcomer meets it."""

import json
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests.project import MONDAY, Project

INDIA = "linkedin/the-rise-of-mlops-training-in-india-bridging-the-gap-between"
HYDERABAD = "linkedin/mlops-training-in-hyderabad-bridging-the-gap-between-ml"
DIGEST = "weekly-digest/2025-03-10T09:00"


def test_the_main_job_makes_one_digest_of_both_articles_and_a_post_of_each(project: Project) -> None:
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 0, said
    outbox = project.folder / "outbox"
    assert sorted(path.name for path in outbox.rglob("*.eml")) == [
        "ada@example.org.eml",
        "jose@example.com.eml",
        "ravi@example.net.eml",
    ]
    mail = (outbox / "weekly-digest" / "2025-03-10T09-00" / "ada@example.org.eml").read_bytes()
    assert b"Subject: The Rise of MLOps Training in India and 1 more\r\n" in mail
    posts = {path.stem: path.read_text("utf-8") for path in outbox.rglob("*.txt")}
    assert f"linkedin/{sorted(posts)[0]}" == HYDERABAD
    assert "success stories from India's thriving tech ecosystem." in posts[INDIA.split("/")[1]]
    assert "that matter to your career growth." in posts[HYDERABAD.split("/")[1]]


def test_check_names_the_place_the_slip_and_what_was_assumed(project: Project) -> None:
    said = project.syndicate("check")
    assert said.status == 1
    lines = said.out.splitlines()
    assert lines[0].startswith("seeds/000_b5ca7274b39b3a56.md:3:24  repaired  subtitle: ")
    assert lines[1].startswith("seeds/000_b5ca7274b39b3a56.md:10:183  repaired  cta: ")
    assert lines[2].startswith("seeds/000_b5ca7274b39b3a56.md  warning  the hero image has no description")
    assert "publish date is 365 days before its creation date: wrong year?" in lines[4]
    assert lines[-1] == "5 problems in 2 articles: 2 can be mended (syndicate check --fix), 3 need you."


def test_check_fix_mends_the_two_slips_and_no_other_byte(project: Project) -> None:
    path = project.folder / "seeds" / "000_b5ca7274b39b3a56.md"
    before = path.read_bytes()
    project.syndicate("check", "--fix")
    expected = before.replace(b"Inside India\\'s", b"Inside India''s").replace(b"from India's", b"from India''s")
    assert path.read_bytes() == expected
    again = project.syndicate("check", "--json").json
    assert [problem["code"] for problem in again["problems"]] == ["picture.alt", "date.wrong-year", "picture.alt"]


def test_check_speaks_sarif(project: Project) -> None:
    results = project.syndicate("check", "--format", "sarif").json["runs"][0]["results"]
    assert [result["level"] for result in results] == ["note", "note", "warning", "warning", "warning"]
    assert results[0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 24}


def test_plan_shows_editions_articles_readers_and_the_next_step(project: Project) -> None:
    said = project.syndicate("plan", "--at", MONDAY)
    assert said.status == 0
    assert f"{DIGEST}  2 articles → 3 readers by outbox (file)" in said.out
    assert INDIA in said.out
    assert HYDERABAD in said.out
    assert "Next: syndicate preview weekly-digest --at 2025-03-10T12:00" in said.out


def test_the_hash_of_a_plan_changes_with_what_decides_the_bytes(project: Project) -> None:
    def plan_hash() -> str:
        return str(project.syndicate("plan", "--at", MONDAY, "--json").json["hash"])

    seen = [plan_hash()]
    assert plan_hash() == seen[0]
    for path, old, new in (
        ("seeds/001_0bc78cdf9e41f4cf.md", "career growth", "work"),
        ("templates/digest.mjml.j2", "mj-body", "mj-body "),
        ("config/readers.csv", "Ada", "Ava"),
        ("config/syndicate.yaml", "max: 10", "max: 9"),
    ):
        file = project.folder / path
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        seen.append(plan_hash())
    assert len(set(seen)) == 5


def test_send_refuses_a_plan_that_has_changed_since_it_was_looked_at(project: Project) -> None:
    said = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--plan", "00000000", "--yes")
    assert said.status == 3
    assert "the plan has changed" in said.err
    assert not (project.folder / "outbox").exists()


def test_a_refused_plan_says_what_has_changed_since_it_was_looked_at(project: Project) -> None:
    seen = project.syndicate("plan", "--at", MONDAY, "--json").json["hash"]
    seed = project.folder / "seeds" / "001_0bc78cdf9e41f4cf.md"
    seed.write_text(seed.read_text("utf-8").replace("career growth", "work"), "utf-8")
    said = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--plan", seen[:8], "--yes")
    assert said.status == 3
    assert f"the plan has changed since {seen[:8]}: seeds/001_0bc78cdf9e41f4cf.md" in said.err
    again = project.syndicate("plan", "--at", MONDAY, "--json").json["hash"]
    assert project.syndicate("send", "weekly-digest", "--at", MONDAY, "--plan", again[:8], "--yes").status == 0


def test_articles_tells_each_articles_fate(project: Project) -> None:
    said = project.syndicate("articles", "--at", MONDAY, "--json").json
    fates = {article["slug"]: article["fate"] for article in said["articles"]}
    assert fates[INDIA.split("/")[1]] == {"weekly-digest": f"picked for {DIGEST}", "linkedin": f"picked for {INDIA}"}
    assert said["articles"][0]["read_minutes"] == 15


def test_preview_writes_proofs_that_open_from_disk(project: Project) -> None:
    said = project.syndicate("preview", "weekly-digest", "--at", MONDAY)
    assert said.status == 0, said
    proofs = project.folder / "proofs"
    page = (proofs / "index.html").read_text("utf-8")
    assert "The Rise of MLOps Training in India" in page
    assert {path.suffix for path in proofs.rglob("*.*") if path.is_file()} >= {".eml", ".html", ".txt", ".jsonl"}
    assert not (project.folder / "outbox").exists()


def test_preview_of_one_article_shows_its_post(project: Project) -> None:
    said = project.syndicate("preview", "linkedin", "seeds/001_0bc78cdf9e41f4cf.md", "--at", MONDAY)
    assert said.status == 0, said
    assert "of 3,000 characters" in said.out


def test_a_dry_one_off_post_shows_exactly_what_would_be_posted(project: Project) -> None:
    said = project.syndicate("post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--dry-run")
    assert said.status == 0, said
    assert "…more on a phone" in said.out
    assert "1,269 of 3,000 characters as the network counts" in said.out
    assert "Dry run: nothing was sent" in said.out
    project.syndicate("post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--yes")
    (posted,) = (project.folder / "outbox").rglob("*.txt")
    shown = [line.removeprefix("  │ ") for line in said.out.splitlines() if line.startswith("  │")]
    assert [line for line in shown if line.strip()] == [
        line for line in posted.read_text("utf-8").splitlines() if line.strip()
    ]


def test_a_one_off_post_asks_and_does_nothing_where_nobody_can_answer(project: Project) -> None:
    command = [sys.executable, "-m", "syndicate", "post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin"]
    done = subprocess.run(
        command, cwd=project.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Add --yes to send" in done.stderr
    assert not (project.folder / "outbox").exists()


def test_a_one_off_post_with_words_of_its_own(project: Project) -> None:
    said = project.syndicate(
        "post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--text", "Read this.", "--yes"
    )
    assert said.status == 0, said
    (posted,) = (project.folder / "outbox").rglob("*.txt")
    assert posted.read_text("utf-8").startswith("Read this.")


def test_what_was_posted_by_hand_is_not_posted_by_the_schedule(project: Project) -> None:
    project.syndicate("post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--at", MONDAY, "--yes")
    said = project.syndicate("plan", "linkedin", "--at", MONDAY, "--json").json
    assert [edition["key"] for edition in said["channels"][0]["editions"]] == [INDIA]


def test_again_posts_once_more_under_a_key_of_its_own(project: Project) -> None:
    for _ in range(2):
        project.syndicate("post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--again", "--yes")
    keys = [row["key"] for row in project.syndicate("editions", "list", "--json").json["editions"]]
    assert sorted(keys) == [HYDERABAD, f"{HYDERABAD}#2"]


def test_a_digest_by_hand_takes_the_schedulers_own_key(project: Project) -> None:
    assert project.syndicate("send", "weekly-digest", "--at", MONDAY, "--yes").status == 0
    assert [row["key"] for row in project.syndicate("editions", "list", "--json").json["editions"]] == [DIGEST]
    assert "entered before" in project.syndicate("run", "--once", "--at", MONDAY).out


def test_editions_show_and_why_tell_what_became_of_a_recipient(project: Project) -> None:
    project.syndicate("run", "--once", "--at", MONDAY)
    shown = project.syndicate("editions", "show", DIGEST)
    assert "ada@example.org  sent" in shown.out
    told = project.syndicate("why", DIGEST, "ada@example.org")
    assert told.status == 0
    assert "planned -> sending" in told.out
    assert "sending -> sent" in told.out
    nobody = project.syndicate("why", DIGEST, "nobody@example.org")
    assert nobody.status == 2


def test_status_names_the_next_and_the_last_runs(project: Project) -> None:
    project.syndicate("run", "--once", "--at", MONDAY)
    said = project.syndicate("status")
    assert said.status == 0
    assert "Nothing waits for a person." in said.out
    assert DIGEST in said.out


def test_config_show_fills_in_the_defaults_and_config_schema_describes_them(project: Project) -> None:
    shown = project.syndicate("config", "show")
    assert "secret: ${file:var/secret}" in shown.out
    assert project.syndicate("config", "schema").json["type"] == "object"


def test_init_starts_a_project_and_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    somewhere = Project(tmp_path)
    assert somewhere.syndicate("init", "here").status == 0
    assert (tmp_path / "here" / "seeds" / "000_b5ca7274b39b3a56.md").is_file()
    (tmp_path / "here" / "config" / "readers.csv").write_text("mine")
    again = somewhere.syndicate("init", "here")
    assert again.status == 2
    assert (tmp_path / "here" / "config" / "readers.csv").read_text() == "mine"


READING = [
    ["check"],
    ["articles", "--at", MONDAY],
    ["plan", "--at", MONDAY],
    ["preview", "linkedin", "--at", MONDAY],
    ["run", "--once", "--at", MONDAY, "--dry-run"],
    ["send", "weekly-digest", "--at", MONDAY, "--dry-run"],
    ["post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--dry-run"],
    ["status"],
    ["editions", "list"],
    ["config", "show"],
    ["config", "schema"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_json_is_one_document_and_nothing_else(project: Project, command: list[str]) -> None:
    before, after = project.syndicate("--json", *command), project.syndicate(*command, "--json")
    assert isinstance(before.json, dict)
    assert before.json.keys() == after.json.keys()
    assert before.err == after.err == ""


MISTAKES = [
    (["plan", "nowhere"], 2, "there is no channel 'nowhere'"),
    (["send", "linkedin"], 2, "linkedin is a post channel"),
    (["post", "seeds/missing.md", "--to", "linkedin"], 2, "seeds/missing.md"),
    (["post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "weekly-digest"], 2, "weekly-digest is a digest channel"),
    (["plan", "--at", "tomorrow"], 2, "--at 'tomorrow' is not a time"),
    (["run", "--once", "--out", "x"], 2, "--out belongs to --dry-run"),
    (["editions", "show", "nothing"], 2, "there is no edition nothing"),
    (["why", "nothing"], 2, "there is no edition nothing"),
    (["resolve", "nothing", "--sent"], 2, "Write EDITION:RECIPIENT"),
    (["resolve", "no/edition:of@this.key", "--sent"], 2, "there is no edition no/edition"),
    (["send", "weekly-digest", "--plan", "", "--yes"], 2, "--plan '' is too short"),
    (["send", "weekly-digest", "--plan", "1a2b", "--yes"], 2, "Give the 8 digits that plan shows."),
    (["editions", "approve", "no/such"], 2, "there is no edition no/such"),
    (["editions", "diff", "no/such"], 2, "there is no edition no/such"),
    (["plan", "--at", "0001-01-01"], 2, "between 1970 and 9000"),
    (["post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--text", " "], 2, "--text is empty"),
    (["resolve", "nothing"], 2, "say exactly one of"),
    (["--config", "elsewhere.yaml", "plan"], 2, "there is no such file"),
]


@pytest.mark.parametrize(("command", "status", "sentence"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_a_sentence_with_an_exit_status(
    project: Project, command: list[str], status: int, sentence: str
) -> None:
    said = project.syndicate(*command)
    assert said.status == status
    assert sentence in said.err
    assert "Traceback" not in said.err
    machine = project.syndicate(*command, "--json")
    assert machine.status == status
    assert sentence in json.dumps(machine.json["error"], ensure_ascii=False)


def test_every_problem_of_the_configuration_is_shown_at_once(project: Project) -> None:
    project.configure(("template: digest", "templte: digest"), ("max: 2", "max: two"))
    said = project.syndicate("plan")
    assert said.status == 2
    assert "channels.weekly-digest: unknown key 'templte', did you mean 'template'?" in said.err
    assert "channels.linkedin.select.max" in said.err


def test_a_pipe_gets_plain_text(project: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "syndicate", "plan", "--at", MONDAY],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\x1b" not in done.stdout


def test_check_names_the_line_of_an_unknown_adapter_and_of_a_faulty_reader(project: Project) -> None:
    project.configure(("adapter: file", "adapter: fill"))
    with (project.folder / "config" / "readers.csv").open("a", encoding="utf-8") as rows:
        rows.write("nobody at all,Nobody,2025-01-01,paper\n")
    said = project.syndicate("check").out
    assert "config/syndicate.yaml:17:21" in said
    assert "Did you mean 'file'?" in said
    assert "config/readers.csv:5" in said


def test_a_wrong_command_line_is_a_document_too(project: Project) -> None:
    said = project.syndicate("plann", "--json")
    assert said.status == 2
    assert "not understood" in said.json["error"]["message"]


def test_check_says_that_an_account_takes_no_digests(project: Project) -> None:
    page = 'page: {adapter: linkedin, token: "${env:NO_TOKEN}", author: "urn:li:person:1"}'
    project.configure(
        ("  outbox: {adapter: file, folder: outbox}", f"  outbox: {{adapter: file, folder: outbox}}\n  {page}"),
        ("account: outbox\n    audience", "account: page\n    audience"),
    )
    said = project.syndicate("check").out
    assert "channels.weekly-digest: account page (linkedin) takes no digests" in said


@pytest.mark.parametrize(("template", "takes"), [("linkedin", False), ("x", False), ("mastodon", True)])
def test_check_says_which_network_takes_no_threads(project: Project, template: str, takes: bool) -> None:
    project.configure(("template: linkedin", f"template: {template}\n    thread: 5"))
    said = project.syndicate("check").out
    told = f"{template} takes no threads that could be repeated without doubling a part"
    assert (told in said) == (not takes)
    assert ("Take out channels.linkedin.thread." in said) == (not takes)


def test_a_thread_is_shown_post_by_post_and_written_to_the_outbox(project: Project) -> None:
    project.configure(("template: linkedin", "template: mastodon\n    thread: 4"))
    shown = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run")
    assert shown.status == 0, shown
    project.syndicate("run", "--once", "--at", MONDAY)
    written = sorted((project.folder / "outbox" / "linkedin").glob("*.json"))
    for path in written:
        post = json.loads(path.read_bytes())
        assert len(post["then"]) == 3
        assert "The whole article" in post["then"][-1]
        assert path.with_suffix(".txt").read_text("utf-8") == "\n\n".join([post["text"], *post["then"]]) + "\n"
        page = (project.folder / "outbox" / "index.html").read_text("utf-8")
        assert all(text in unescape(page) for text in post["then"])
    assert len(written) == 2


def test_why_tells_of_a_row_that_was_left_out_and_of_nobody_else(project: Project) -> None:
    with (project.folder / "config" / "readers.csv").open("a", encoding="utf-8") as rows:
        rows.write("nobody at all,Nobody,2025-01-01,paper\n")
    project.syndicate("run", "--once", "--at", MONDAY)
    told = project.syndicate("why", DIGEST, "nobody at all").out
    assert "left out" in told
    assert "sending" not in told


def test_articles_shows_a_refused_file_and_why(project: Project) -> None:
    (project.folder / "seeds" / "broken.md").write_bytes(b"\x00\x00\x00")
    assert "refused     seeds/broken.md" in project.syndicate("articles", "--at", MONDAY).out


def test_a_quiet_run_still_says_what_failed(project: Project) -> None:
    assert project.syndicate("-q", "run", "--once", "--at", MONDAY).out == ""
    (project.folder / "templates" / "linkedin.txt.j2").write_text("{{ nothing }}", "utf-8")
    said = project.syndicate("-q", "post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--again", "--yes")
    assert said.status == 1
    assert said.out == ""
    assert "linkedin.txt.j2" in said.err


@pytest.mark.parametrize(
    "account",
    [
        'ops: {adapter: webhook, url: "https://example.com/hook", secret: "${env:NOT_SET_HERE}"}',
        'ops: {adapter: linkedin, author: "urn:li:organization:1", token: "${env:NOT_SET_HERE}"}',
    ],
)
def test_a_secret_that_is_not_set_here_is_no_fault_and_no_obstacle_to_a_dry_run(project: Project, account: str) -> None:
    config = project.folder / "config" / "syndicate.yaml"
    before, channel, after = config.read_text("utf-8").partition("  linkedin:\n")
    after = after.replace("account: outbox", "account: ops")
    config.write_text(before.replace("accounts:\n", f"accounts:\n  {account}\n") + channel + after)
    assert "config/syndicate.yaml" not in project.syndicate("check").out
    said = project.syndicate("post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--dry-run")
    assert said.status == 0, said
