from datetime import timedelta
from enum import Enum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.spec.mailbox import Mailbox
from reconciler.spec.servers import Exchange, OldServer
from reconciler.spec.spec import Spec
from reconciler.spec.wording import faults, keys_at, suggestion, unknown_key


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Key(BaseModel):
    key_file: Path


class Login(BaseModel):
    user: str


class Odd(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int = 0
    real: float = 0
    flag: bool = False
    words: list[str] = []
    table: dict[str, int] = {}
    port: int = Field(default=25, gt=0, lt=65536)
    short: str = Field(default="", max_length=3)
    code: str = Field(default="aa", pattern="^[a-z]{2}$")
    policy: str = Field(default="none", pattern="^(none|reject)$")
    level: Literal["low", "high"] = "low"
    colour: Colour = Colour.RED
    network: IPv4Network | None = None
    span: timedelta = timedelta()
    auth: Key | Login | None = None
    many: Annotated[list[int], Field(min_length=2, max_length=3)] = [1, 2]


def said(model: type[BaseModel], value: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    return [fault.message for fault in faults(caught.value.errors(), model)]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"number": "x"}, "number: expected a whole number"),
        ({"number": 1.5}, "number: expected a whole number"),
        ({"real": "x"}, "real: expected a number"),
        ({"flag": "x"}, "flag: expected true or false"),
        ({"words": "x"}, "words: expected a list"),
        ({"words": [[]]}, "words: expected text"),
        ({"table": []}, "table: expected a mapping (key: value)"),
        ({"port": 0}, "port: expected more than 0"),
        ({"port": 70000}, "port: expected less than 65536"),
        ({"short": "long text"}, "short: expected at most 3 characters"),
        ({"code": "1"}, "code: expected text of the pattern ^[a-z]{2}$"),
        ({"policy": "x"}, "policy: expected one of none, reject"),
        ({"level": "x"}, "level: expected 'low' or 'high'"),
        ({"colour": "x"}, "colour: expected 'red' or 'blue'"),
        ({"network": "x"}, "network: expected an IPv4 network"),
        ({"many": [1]}, "many: expected at least 2 in this list"),
        ({"many": [1, 2, 3, 4]}, "many: expected at most 3 in this list"),
        ({"nmber": 1}, "unknown key 'nmber'; did you mean 'number'?"),
    ],
)
def test_one_wrong_value_is_one_message_in_domain_words(value: object, message: str):
    assert said(Odd, value) == [message]


def test_entries_that_are_wrong_are_not_reported_as_too_few_as_well():
    assert said(Odd, {"many": ["x", "y"]}) == ["many: expected a whole number"] * 2


def test_no_message_repeats_an_input_of_a_secret_field():
    wrong = {"address": "a@b.org", "password": "hunter2", "old_password": "hunter2", "passwrd": "hunter2"}
    assert len(said(Mailbox, wrong)) == 3
    assert "hunter2" not in "".join(said(Mailbox, wrong))


def test_a_missing_key_is_reported_at_its_mapping():
    with pytest.raises(ValidationError) as caught:
        Exchange.model_validate({"preference": 1})
    (fault,) = faults(caught.value.errors(), Exchange)
    assert fault == ((), "the key 'exchange' is missing", False)


def test_the_known_keys_are_those_of_the_model_at_the_place():
    assert keys_at(Spec, ("old", "mx", 0)) == ("preference", "exchange")
    assert keys_at(Spec, ("hosts", "mail.example.org")) == ("old", "new")
    assert keys_at(Spec, ("old",)) == tuple(OldServer.model_fields)
    assert keys_at(Odd, ("auth",)) == ("key_file", "user")
    assert keys_at(Odd, ("number",)) == ()


def test_a_word_that_resembles_none_lists_all_that_are_known():
    assert suggestion("zzz", ["old", "new"]) == "'zzz'; expected one of old, new"
    assert suggestion("zzz", []) == "'zzz'"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("password:hunter2", "a space is missing after 'password:'"),
        ("pass:hunter2", "unknown key 'pass…'; did you mean 'password'?"),
        ("pass\nhunter2", "unknown key 'pass…'; did you mean 'password'?"),
        ("pass word", "unknown key 'pass…'; did you mean 'password'?"),
        ("pasword", "unknown key 'pasword'; did you mean 'password'?"),
        ("", "unknown key ''; expected one of password"),
    ],
)
def test_a_key_with_a_value_stuck_to_it_is_shown_without_the_value(key: str, message: str):
    assert unknown_key(key, ["password"]) == message
