import json
import re


def test_the_schema_is_printed(run):
    shown = run("schema")
    assert shown.code == 0
    assert json.loads(shown.out)["$schema"].startswith("https://json-schema.org/")


def test_the_schema_can_be_written_to_a_file(run, tmp_path):
    out = tmp_path / "migration.schema.json"
    shown = run("schema", "--out", out)
    assert shown.code == 0
    assert shown.out == ""
    assert out.read_text() == run("schema").out


def test_backends_are_listed_with_their_titles(run):
    shown = run("schema", "--backends").out
    servers, zones = shown.split("\n\n")
    assert servers.startswith("server products\n")
    assert "  postfix_dovecot  " in servers
    assert zones.startswith("DNS products\n")
    assert re.search(r"  zonefile +BIND zone file\n", zones)


def test_backends_can_be_had_as_data_with_the_schema_of_their_options(run):
    data = json.loads(run("schema", "--backends", "--json").out)
    assert data["dns"]["zonefile"]["title"] == "BIND zone file"
    assert "reload" in data["dns"]["zonefile"]["options"]["properties"]
    assert "passwd_file" in data["servers"]["postfix_dovecot"]["options"]["properties"]
