"""Our rule in users' scripts, and nothing else of theirs."""

import subprocess
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.formats.mail_server.sieve_text import pieces, problems
from reconciler.model.address import Address, Place
from reconciler.model.stage import Stage
from reconciler.resources.server.sieve import KIND, SieveScript, desired, merge, mergeable
from reconciler.spec.spec import Spec

OLD = "ann@old.example.net"
OURS = (
    '# rule:[Forward to old.example.net and retain]\r\nif true\r\n{\r\n\tredirect :copy "ann@old.example.net";\r\n}\r\n'
)
ALONE = 'require ["copy"];\r\n' + OURS
OFF = ALONE.replace("if true", "if false # true")
USERS = (
    "# filters of Ann\r\n\r\n"
    'require ["fileinto","imap4flags"];\r\n'
    "# rule:[Lists]\r\n"
    'if anyof (header :contains "list-id" "x", header :is "subject" "a } b # c")\r\n'
    "{\r\n"
    '\tfileinto "Lists";\r\n'
    "\tstop;\r\n"
    "}\r\n"
)


def spec(**mailbox: object) -> Spec:
    return Spec.model_validate(
        {
            "domain": "example.org",
            "old": {"backend": "memory", "mx": ["10 mx.old.example.net"]},
            "new": {"backend": "memory", "mx": ["10 mx.new.example.net"]},
            "dns": {"backend": "memory"},
            "mailboxes": [{"address": "ann@example.org", **mailbox}],
        }
    )


def script(content: str, name: str = "roundcube", *, active: bool = True) -> SieveScript:
    return SieveScript(place=Place.NEW, name="ann@example.org", script=name, content=content, active=active)


def wanted(stage: Stage = Stage.OVERLAP, *, moved: bool = False, target: str = OLD) -> SieveScript:
    (one,) = desired(spec(forward_to=target, moved=moved), stage)
    return one


def test_the_rule_is_written_as_roundcube_writes_it() -> None:
    assert wanted().content == ALONE
    assert merge(wanted(), None) == script(ALONE)


@pytest.mark.parametrize("stage", Stage)
def test_copies_go_to_the_old_server_while_it_is_still_read(stage: Stage) -> None:
    assert wanted(stage).forwards_to == (OLD if stage in {Stage.OVERLAP, Stage.CUTOVER} else None)


@pytest.mark.parametrize("stage", Stage)
def test_a_user_who_has_moved_is_forwarded_at_no_stage_but_the_address_stays_ours(stage: Stage) -> None:
    assert wanted(stage, moved=True).forwards_to is None
    assert merge(wanted(stage, moved=True), script(ALONE)) is None
    assert merge(wanted(stage, moved=True), None) is None


def test_a_date_that_is_not_settled_counts_as_not_moved() -> None:
    (one,) = desired(spec(forward_to=OLD, moved=date(2030, 1, 1)), Stage.OVERLAP)
    assert one.forwards_to == OLD


def test_a_mailbox_without_an_old_account_is_left_alone() -> None:
    assert list(desired(spec(), Stage.OVERLAP)) == []


def test_the_rule_goes_first_and_copy_into_the_requirements_of_the_user() -> None:
    merged = merge(wanted(), script(USERS, "main"))
    assert merged == script(
        USERS.replace('["fileinto"', '["copy","fileinto"').replace("# rule:[Lists]", OURS + "# rule:[Lists]"), "main"
    )
    assert merge(None, merged) == script(USERS, "main")


def test_line_ends_of_the_user_are_kept() -> None:
    merged = merge(wanted(), script(USERS.replace("\r\n", "\n")))
    assert merged is not None
    assert "\r" not in merged.content
    assert merged.forwards_to == OLD


def test_a_script_without_requirements_gets_one_before_the_first_rule() -> None:
    merged = merge(wanted(), script("# mine\n\n# about size\nif size :over 1M { discard; }\n"))
    assert merged is not None
    assert merged.content.startswith('# mine\n\nrequire ["copy"];\n# rule:[Forward')
    assert merged.content.endswith("}\n# about size\nif size :over 1M { discard; }\n")
    assert merge(None, merged) == script("# mine\n\n# about size\nif size :over 1M { discard; }\n")


def test_a_requirement_without_brackets_keeps_its_form() -> None:
    before = script('require "fileinto"; # for lists\nfileinto "x";\n')
    merged = merge(wanted(), before)
    assert merged is not None
    assert merged.content.startswith('require "fileinto"; # for lists\nrequire ["copy"];\n# rule:[Forward')
    assert merge(None, merged) == before


def test_the_empty_script_of_roundcube_comes_back() -> None:
    merged = merge(wanted(), script("/* empty script */"))
    assert merged is not None
    assert merged.forwards_to == OLD
    gone = merge(None, merged)
    assert gone is not None
    assert gone.content.strip() == "/* empty script */"


def test_a_script_that_the_user_named_is_never_deleted() -> None:
    assert merge(None, merge(wanted(), script("", "main"))) == script("", "main")


def test_copy_stays_required_where_a_rule_of_the_user_needs_it() -> None:
    merged = merge(wanted(), script('require ["copy"];\r\n# rule:[x]\r\nredirect :copy "me@example.com";\r\n'))
    assert merge(None, merged) == script('require ["copy"];\r\n# rule:[x]\r\nredirect :copy "me@example.com";\r\n')


def test_another_destination_replaces_the_rule_where_it_stands() -> None:
    behind = script('require ["copy","fileinto"];\r\n# rule:[Mine]\r\nkeep;\r\n' + OURS + "# rule:[Last]\r\nstop;\r\n")
    merged = merge(wanted(target="ann@other.example.com"), behind)
    assert merged is not None
    assert merged.content == behind.content.replace("old.example.net", "other.example.com")


def test_a_rule_that_stands_is_not_moved() -> None:
    behind = script('require ["copy"];\r\n# rule:[Mine]\r\nkeep;\r\n' + OURS)
    assert merge(wanted(), behind) == behind


def test_a_rule_that_its_user_switched_off_stays_off_and_is_known() -> None:
    off = script(OFF)
    assert merge(wanted(), off) == off
    assert merge(wanted(target="ann@other.example.com"), off) == off
    assert off.switched_off
    assert off.forwards_to is None
    assert not script(ALONE).switched_off
    assert not script(USERS).switched_off


def test_a_rule_switched_off_goes_when_the_move_is_over() -> None:
    assert merge(wanted(Stage.HARDEN), script(OFF)) is None


def test_a_rule_typed_by_hand_is_known_whatever_its_blanks() -> None:
    by_hand = script(
        'require "copy";\n# rule:[Forward to OldMail and retain]\nif true { redirect :copy "ann@old.example.net"; }\n'
    )
    assert by_hand.forwards_to == OLD
    assert merge(wanted(), by_hand) == by_hand
    assert merge(None, by_hand) is None


NAME = "# rule:[Forward to old.example.net and retain]\r\n"
BODY = '{\r\n\tredirect :copy "ann@old.example.net";\r\n}\r\n'
THEIRS = [
    'redirect "x@example.com";\r\n',
    'redirect :copy "ann@old.example.net";\r\n',
    f'if header :contains "subject" "urgent"\r\n{BODY}',
    f"if not true\r\n{BODY}",
    f"if anyof (true, false)\r\n{BODY}",
    f"if true # always\r\n{BODY}",
    f'if false # header :is "a" "b"\r\n{BODY}',
    BODY.replace("{", "if true\r\n{\r\n\t/* to the old one */"),
    "if true\r\n" + BODY.replace("}", '\tfileinto "Urgent";\r\n}'),
    "if true\r\n" + BODY.replace("}", "\tstop;\r\n}"),
    "if true\r\n" + BODY.replace(":copy ", "").replace("{", "{\r\n\tkeep;"),
    "if true\r\n" + BODY.replace("ann@", 'x\\"@'),
    f"if true\r\n{BODY}# or\r\nelsif true {{ stop; }}\r\nelse {{ keep; }}\r\n",
]


@pytest.mark.parametrize("body", THEIRS)
def test_a_rule_of_our_name_with_another_body_is_its_users(body: str) -> None:
    theirs = script('require ["copy","fileinto"];\r\n' + NAME + body, "main")
    assert theirs.rule is None
    assert merge(None, theirs) == theirs
    assert merge(wanted(Stage.HARDEN), theirs) == theirs
    merged = merge(wanted(), theirs)
    assert merged is not None
    assert merged.forwards_to == OLD
    assert merged.content == theirs.content.replace(NAME, OURS + NAME)
    gone = merge(None, merged)
    assert gone is not None
    assert gone.content.endswith(NAME + body)
    assert gone.rule is None


@pytest.mark.parametrize(
    "content",
    [
        'require ["vnd.dovecot.pipe"];\npipe "x";\n',
        "if true {\nkeep;\n",
        "keep",
        'redirect "unfinished;\n',
        "} keep;",
        "%",
    ],
)
def test_a_script_that_cannot_be_read_stays_as_it_stands_and_says_why(content: str) -> None:
    standing = script(content)
    assert merge(wanted(), standing) == standing
    assert merge(None, standing) == standing
    reason = mergeable(standing)
    assert reason is not None
    assert "line" in reason


def test_an_unreadable_script_with_our_rule_keeps_it() -> None:
    standing = script(ALONE + 'require ["vnd.dovecot.pipe"];\npipe "x";\n')
    assert merge(wanted(), standing) == standing
    assert merge(None, standing) == standing
    assert standing.forwards_to == OLD


def test_the_rules_of_an_inactive_script_are_not_switched_on() -> None:
    standing = script(USERS, active=False)
    assert merge(wanted(), standing) == standing
    assert "not active" in str(mergeable(standing))
    with_ours = script(ALONE + "keep;\r\n", active=False)
    assert merge(wanted(), with_ours) == with_ours
    assert with_ours.switched_off


def test_a_script_of_ours_that_was_written_but_not_activated_is_activated() -> None:
    assert merge(wanted(), script(ALONE, active=False)) == script(ALONE)
    assert merge(wanted(), script("", active=False)) == script(ALONE)
    assert merge(None, script(ALONE, active=False)) is None


def test_the_mailbox_comes_first_and_spf_only_while_the_rule_is_on() -> None:
    mailbox = Address(Place.NEW, "mailbox", "ann@example.org")
    assert list(wanted().needs()) == [mailbox, Address(Place.DNS, "rrset", "example.org. TXT")]
    assert list(script(OFF).needs()) == [mailbox]
    assert list(script(USERS).needs()) == [mailbox]


RULES = st.sampled_from(
    [
        '# rule:[Forward to x and retain]\nif header :is "a" "b"\n{\n\tredirect :copy "p@sms.example";\n}\n',
        '# rule:[Forward to old.example.net and retain]\nif true\n{\n\tredirect "x@example.com";\n\tkeep;\n}\n',
        '# rule:[Spam]\nif header :contains "x-spam" "yes"\n{\n\tfileinto "Junk";\n\tstop;\n}\n',
        "# just a remark\n",
        "\n",
        "/* two\nlines */\n",
        '# rule:[Forward to example.com]\nif true\n{\n\tredirect :copy "boss@example.com";\n}\n',
        "# rule:[and retain]\nkeep;\n",
        'if size :over 10M { discard; } elsif header :is "a" "}" { keep; } else { stop; }\n',
        "vacation :days 1 text:\ngone # fishing {\n..\n.\n;\n",
        'if not anyof (true, header :is ["a", "b"] ["c\\"d", "e"]) { addflag "\\\\Seen"; }\n',
        'fileinto "Grüße"; # bye\n',
    ]
)
REQUIRES = st.sampled_from(
    [
        'require ["fileinto","imap4flags","vacation","copy"];\n',
        'require ["copy", "fileinto", "imap4flags", "vacation"];\n',
        'require ["fileinto", "copy"];\nrequire ["imap4flags", "vacation"];\n',
        '# mine\n\nrequire "copy";\nrequire ["vacation",\n  "fileinto", "imap4flags"]; # all\n',
    ]
)


def _off_again(content: str) -> str:
    return content.replace('if true\n{\n\tredirect :copy "ann@', 'if false # true\n{\n\tredirect :copy "ann@')


@given(requires=REQUIRES, rules=st.lists(RULES, max_size=6), crlf=st.booleans())
def test_no_rule_of_the_user_is_lost_or_altered(requires: str, rules: list[str], crlf: bool) -> None:
    ends = "\r\n" if crlf else "\n"
    before = script((requires + "".join(rules)).replace("\n", ends), "mine")
    assert problems(before.content) is None
    merged = merge(wanted(), before)
    assert merged is not None
    assert merged.forwards_to == OLD
    assert problems(merged.content) is None
    assert merge(wanted(), merged) == merged
    assert merged.content.replace(OURS.replace("\r\n", ends), "") == before.content
    commands = [piece for piece in pieces(merged.content) if piece.word not in {"", "require"}]
    assert OLD in merged.content[commands[0].start : commands[0].end]
    gone = merge(None, merged)
    assert gone is not None
    assert merge(None, gone) == gone
    assert gone.content.endswith("".join(rules).replace("\n", ends))
    off = script(_off_again(merged.content), "mine")
    assert merge(wanted(), off) == off


@given(rules=st.lists(st.sampled_from(["keep;\n", "# rule:[a]\nif true { keep; }\n", "stop;\n"]), max_size=4))
def test_putting_and_taking_away_gives_the_same_bytes(rules: list[str]) -> None:
    before = script("".join(rules), "mine")
    assert merge(None, merge(wanted(), before)) == before


@pytest.mark.daemon
def test_pigeonhole_compiles_every_merged_script(tmp_path) -> None:
    requires = ["", 'require ["fileinto","vacation"];\n', '# mine\n\nrequire "vacation";\n', "/* empty script */"]
    rules = ["", "keep;\n", "# rule:[x]\nif true\n{\n\tstop;\n}\n", "if size :over 1M { discard; } else { keep; }\n"]
    stood = [*(a + b for a, b in product(requires, rules)), USERS, OFF]
    for number, content in enumerate(stood):
        for name, merged in (("on", merge(wanted(), script(content))), ("gone", merge(None, script(content)))):
            if merged is None:
                continue
            path = tmp_path / f"{number}-{name}.sieve"
            path.write_bytes(merged.content.encode())
            done = subprocess.run(["/usr/bin/sievec", path, tmp_path / "out.svbin"], capture_output=True, check=False)
            assert done.returncode == 0, (merged.content, done.stderr)


@pytest.mark.parametrize("stage", Stage)
def test_merging_what_the_spec_wants_settles(stage: Stage) -> None:
    for content, moved in product([USERS, ALONE, OFF, "", "/* empty script */", "broken"], [True, False]):
        once = KIND.merge(wanted(stage, moved=moved), script(content))
        assert KIND.merge(wanted(stage, moved=moved), once) == once
