"""Exports of other services, each recognised by its header and read as it was meant. The people are invented."""

import json
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syndicate.audience.bundle import parts
from syndicate.audience.layout import Basis, Read
from syndicate.audience.records import Records
from syndicate.audience.source import NotReadableError
from syndicate.model.people import Grounds, Reason, Standing
from tests.audience.importing import NOW, Reading

MAILCHIMP = (
    "Email Address,First Name,Last Name,Company,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,"
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION"
)


def test_mailchimps_subscribers_have_agreed_by_its_form(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        f"{MAILCHIMP},LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
        'ada@x.test,Ada,Byron,Tea,2,"2023-04-21 11:16:57",192.0.2.7,"2023-04-21 11:18:02",192.0.2.8,,,,,,IN,,'
        '"2024-01-02 03:04:05",1001,aa11,,"""VIP"",""Weekly, digest"""\n',
    )
    assert found.service == "Mailchimp"
    assert found.only.name == "Ada Byron"
    assert found.only.tags == ("vip", "weekly, digest")
    assert found.only.state is Standing.ACTIVE
    assert found.only.grounds == Grounds(
        source="Mailchimp export",
        evidence="people.csv:2",
        ip="192.0.2.8",
        given=datetime(2023, 4, 21, 11, 18, 2, tzinfo=UTC),
    )
    assert found.only.fields == {
        "first_name": "Ada", "last_name": "Byron", "company": "Tea", "member_rating": "2", "cc": "IN",
        "last_changed": "2024-01-02 03:04:05", "leid": "1001", "euid": "aa11",
    }  # fmt: skip


def test_who_left_at_mailchimp_has_left_and_what_it_cleaned_has_bounced(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        f"{MAILCHIMP},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LEID,EUID,NOTES\n"
        'left@x.test,,,,,,,"2018-02-12 10:54:27",,,,,,,,,"2018-07-23 12:19:27",,,NORMAL,,1004,aa11,\n',
    )
    assert (found.only.state, found.only.suppressed) == (Standing.UNSUBSCRIBED, "")
    assert found.only.grounds.given == datetime(2018, 7, 23, 12, 19, 27, tzinfo=UTC)
    found = Reading(
        tmp_path,
        f"{MAILCHIMP},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS\n"
        'gone@x.test,,,,1,,,"2018-02-05 19:28:23",,,,,,,,,"2020-03-23 17:30:05",,,1005,aa11,,\n',
    )
    assert (found.service, found.only.suppressed) == ("Mailchimp", Reason.BOUNCE)


def test_mailchimps_contacts_who_never_subscribed_are_not_active(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        f"{MAILCHIMP},LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
        'buyer@x.test,,,,1,,,"2018-02-05 19:28:23",,,,,,,,,"2020-03-23 17:30:05",1005,aa11,,\n',
        name="nonsubscribed_members_export_1.csv",
    )
    assert found.only.state is Standing.PENDING


def test_substack_in_its_three_forms(tmp_path: Path) -> None:
    new = Reading(
        tmp_path,
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "free@x.test,false,,other,false,2025-01-01T10:00:00.000Z,\n"
        "off@x.test,true,,yearly,true,2024-03-01T00:00:00.000Z,\n",
    )
    assert new.service == "Substack"
    assert [one.state for one in new.newcomers] == [Standing.ACTIVE, Standing.UNSUBSCRIBED]
    assert new.newcomers[0].fields == {"active_subscription": "false", "plan": "other"}
    assert new.newcomers[0].joined == datetime(2025, 1, 1, 10, tzinfo=UTC)
    older = "email,active_subscription,expiry,email_disabled,prefer_digests,created_at\na@x.test,true,,false,true,\n"
    assert Reading(tmp_path, older).service == "Substack"
    paid = "email,expiry,email_disabled,prefer_digests,stripe_connected_customer_id,type\na@x.test,,false,,,comp\n"
    found = Reading(tmp_path, paid)
    assert (found.service, found.only.fields) == ("Substack", {"type": "comp"})


def test_a_date_of_joining_is_a_date_of_consent_only_with_a_source(tmp_path: Path) -> None:
    text = (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "free@x.test,false,,other,false,2025-01-01T10:00:00.000Z,\n"
    )
    assert Reading(tmp_path, text).only.grounds.source == ""
    grounds = Reading(tmp_path, text, source="Substack form").only.grounds
    assert (grounds.source, grounds.given) == ("Substack form", datetime(2025, 1, 1, 10, tzinfo=UTC))


def test_ghost_labels_are_tags_and_its_guarding_apostrophes_are_taken_off(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,"
        "tiers,gift_id\r\n"
        'a1,a@x.test,\'=1+1,"VIP, early",true,true,cus_1,2024-01-15T10:00:00.000Z,,"vip,beta",Gold,\r\n'
        "a2,b@x.test,O'Neil,,false,false,,2024-02-01T12:30:00.000Z,,,,\r\n"
        "a3,c@x.test,,,true,false,,2023-02-01T12:30:00.000Z,2024-05-05T00:00:00.000Z,,,\r\n",
    )
    assert found.service == "Ghost"
    assert [one.name for one in found.newcomers] == ["=1+1", "O'Neil", ""]
    assert found.newcomers[0].tags == ("vip", "beta")
    assert found.newcomers[0].fields["tiers"] == "Gold"
    assert [one.state for one in found.newcomers] == [Standing.ACTIVE, Standing.UNSUBSCRIBED, Standing.UNSUBSCRIBED]
    older = "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at\n"
    assert Reading(tmp_path, f"{older}a1,a@x.test,,,true,true,,,\n").service == "Ghost"


def test_beehiiv_states_and_its_column_for_each_tier(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        "email,First Name,Last Name,status,tier,created_at,stripe_customer_id,Free Tier,Gold Tier,unsubscribed_at,"
        "Subscription Date (Substack)\n"
        "a@x.test, Lorem ,,active,free,2023-03-24 10:23:10 UTC,,Yes,No,,\n"
        "b@x.test,,,inactive,premium,2023-03-24 10:36:47 UTC,,No,Yes,2023-08-01 00:00:00 UTC,\n"
        "c@x.test,,,pending,free,2023-04-11 14:02:46 UTC,,Yes,No,,2019-05-05\n"
        "d@x.test,,,needs_attention,free,2023-04-11 14:02:46 UTC,,Yes,No,,\n",
    )
    assert found.service == "beehiiv"
    states = [one.state for one in found.newcomers]
    assert states == [Standing.ACTIVE, Standing.UNSUBSCRIBED, Standing.PENDING, Standing.PENDING]
    assert found.newcomers[0].fields == {
        "first_name": "Lorem", "tier": "free", "free_tier": "Yes", "gold_tier": "No"
    }  # fmt: skip
    assert found.notes == {5: "nobody knows the status 'needs_attention': not mailed"}


@pytest.mark.parametrize("header", ["first_name,email,created_at,status", "first_name,email_address,created_at,state"])
def test_kits_inactive_have_not_confirmed_yet(tmp_path: Path, header: str) -> None:
    rows = "".join(
        f"{state},{state}@x.test,2022-09-10T11:12:13Z,{state}\n"
        for state in ("active", "inactive", "cancelled", "bounced", "complained")
    )
    found = Reading(tmp_path, f"{header}\n{rows}")
    assert found.service == "Kit"
    assert [(one.state, one.suppressed) for one in found.newcomers] == [
        (Standing.ACTIVE, ""),
        (Standing.PENDING, ""),
        (Standing.UNSUBSCRIBED, ""),
        (Standing.UNSUBSCRIBED, Reason.BOUNCE),
        (Standing.UNSUBSCRIBED, Reason.COMPLAINT),
    ]


def test_a_table_with_last_names_is_not_kits(tmp_path: Path) -> None:
    found = Reading(tmp_path, "first_name,last_name,email,created_at,status\nA,B,a@x.test,2022-09-10,inactive\n")
    assert (found.service, found.only.state) == ("", Standing.UNSUBSCRIBED)


def test_kits_state_is_no_field_and_a_postal_state_is_one(tmp_path: Path) -> None:
    kits = Reading(tmp_path, "first_name,email_address,created_at,state\nA,a@x.test,2022-09-10,active\n")
    assert kits.only.fields == {"first_name": "A"}
    postal = Reading(tmp_path, "email,state\na@x.test,Texas\n")
    assert (postal.only.fields, postal.only.state) == ({"state": "Texas"}, Standing.ACTIVE)


def test_buttondowns_metadata_are_fields_and_its_tags_stand_between_semicolons(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        "id,secondary_id,email,notes,subscriber_type,referrer_url,utm_source,utm_medium,utm_campaign,creation_date,"
        "ip_address,subscription_date,unsubscription_date,tags,metadata\n"
        "1,7,a@x.test,Met in NYC.,premium,https://x.test/new,,,,2024-03-12 00:03:09.183465+00:00,192.0.2.181,"
        "2024-03-13 00:03:09.183465+00:00,,corporate;nyc,\"{'staff': 'true', 'n': 3, 'deep': {'a': [1]}}\"\n"
        "2,8,b@x.test,,unsubscribed,,,,,2024-03-13 00:03:09+00:00,,2024-03-13,2024-04-08 17:09:32+00:00,,\n"
        "3,9,c@x.test,,unactivated,,,,,2024-03-13 00:03:09+00:00,,,,,\n"
        "4,9,d@x.test,,undeliverable,,,,,2024-03-13 00:03:09+00:00,,2024-03-13 00:03:09+00:00,,,\n",
    )
    assert found.service == "Buttondown"
    first, left, unconfirmed, bounced = found.newcomers
    assert first.tags == ("corporate", "nyc")
    assert first.fields == {
        "id": "1", "secondary_id": "7", "notes": "Met in NYC.", "referrer_url": "https://x.test/new",
        "subscriber_type": "premium", "staff": "true", "n": "3", "deep": '{"a": [1]}',
    }  # fmt: skip
    assert (first.grounds.source, first.grounds.ip) == ("Buttondown export", "192.0.2.181")
    assert first.grounds.given == datetime(2024, 3, 13, 0, 3, 9, 183465, tzinfo=UTC)
    assert (left.state, left.grounds.given) == (Standing.UNSUBSCRIBED, datetime(2024, 4, 8, 17, 9, 32, tzinfo=UTC))
    assert unconfirmed.state is Standing.PENDING
    assert bounced.suppressed == Reason.BOUNCE


def test_listmonks_attributes_are_fields(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        'u1,a@x.test,Lia,"{""city"": ""Pune"", ""good"": true, ""no"": null}",enabled,'
        "2024-03-13 00:03:09.183465 +0000 UTC,2024-03-13 00:03:09.183465 +0000 UTC\n"
        "u2,b@x.test,Bad,{broken,blocklisted,2024-03-13 00:03:09.183465 +0000 UTC,\n",
    )
    assert found.service == "listmonk"
    assert {"city": "Pune", "good": "true"}.items() <= found.newcomers[0].fields.items()
    assert found.newcomers[0].joined == datetime(2024, 3, 13, 0, 3, 9, 183465, tzinfo=UTC)
    assert found.newcomers[1].suppressed == Reason.MANUAL


def test_keila_keeps_its_tags_within_its_data(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        "Email,First name,Last name,Data,Status,External ID\n"
        'a@x.test,Jane,Doe,"{""tags"":[""rocket""],""x"":1}",active,\n',
    )
    assert (found.service, found.only.tags, found.only.fields["x"]) == ("Keila", ("rocket",), "1")


def test_brevo_writes_the_day_first(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        "EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME\n"
        "a@x.test;Doe;Jane;;0;0;12-04-2022 09:30;\nb@x.test;;;;1;0;12-04-2022 09:30;\n",
    )
    assert found.service == "Brevo"
    assert found.newcomers[0].joined == datetime(2022, 4, 12, 9, 30, tzinfo=UTC)
    assert found.newcomers[1].suppressed == Reason.MANUAL


def test_a_plain_table_says_its_own_consent(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        "email,name,tags,consent_source,consent_date,consent_ip,city\n"
        'a@x.test,Ada,"vip;b",web form,2025-01-02,192.0.2.1,Pune\nb@x.test,,"x, y",,,,\n',
        tags=("imported",),
    )
    assert found.service == ""
    assert found.newcomers[0].tags == ("vip", "b", "imported")
    assert found.newcomers[1].tags == ("x", "y", "imported")
    assert found.newcomers[0].fields == {"city": "Pune"}
    grounds = found.newcomers[0].grounds
    assert (grounds.source, grounds.given, grounds.ip) == ("web form", datetime(2025, 1, 2, tzinfo=UTC), "192.0.2.1")
    assert (found.newcomers[1].grounds.source, found.newcomers[1].grounds.given) == ("", None)


def test_lines_of_json_are_read_like_rows(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        '{"email": "a@x.test", "name": "Ada", "tags": ["vip", "b; c"], "score": 3, "on": true, "none": null}\n\n'
        '{"status": "unsubscribed", "email": "b@x.test"}\n',
        name="people.jsonl",
    )
    assert found.newcomers[0].tags == ("vip", "b; c")
    assert found.newcomers[0].fields == {"score": "3", "on": "true"}
    assert found.newcomers[1].state is Standing.UNSUBSCRIBED
    assert found.newcomers[1].grounds.evidence == "people.jsonl:3"


def test_an_archive_is_read_file_by_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("posts.csv", "post_id,post_date,is_published,title\n1.a,2024-01-01,TRUE,Hello\n")
        archive.writestr("posts/1.a.html", "<p>Hello</p>")
        archive.writestr("__MACOSX/._email_list.x.csv", "junk")
        archive.writestr("email_list.x.csv", "email,active_subscription,email_disabled\na@x.test,false,false\n")
    found = parts(tmp_path / "export.zip", "export.zip")
    assert [part.shown for part in found] == ["export.zip:email_list.x.csv", "export.zip:posts.csv"]
    records = Records(found[0], Basis(now=NOW))
    assert [row.found.newcomer.address for row in records if isinstance(row.found, Read)] == ["a@x.test"]
    assert records.layout is not None
    assert records.layout.form.name == "Substack"
    with pytest.raises(NotReadableError, match="no column is named email"):
        list(Records(found[1], Basis(now=NOW)))


def test_the_exports_beside_the_project_are_read_as_they_were_meant(shared: Path) -> None:
    folder = shared / "cases" / "subscribers"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    checked = 0
    for name, want in expected.items():
        if "active" not in want:
            continue
        (part,) = parts(folder / name, name)
        rows = list(Records(part, Basis(now=NOW)))
        people = {}
        for row in rows:
            if isinstance(row.found, Read):
                people.setdefault(row.found.newcomer.address.lower(), row.found.newcomer)
        counts = Counter(one.state for one in people.values())
        found = {
            "active": counts[Standing.ACTIVE],
            "suppressed": counts[Standing.UNSUBSCRIBED],
            "pending": counts[Standing.PENDING],
            "rejected": sum(isinstance(row.found, str) for row in rows),
        }
        assert {name: {key: want.get(key, 0) for key in found}} == {name: found}
        checked += 1
    assert checked == 15
