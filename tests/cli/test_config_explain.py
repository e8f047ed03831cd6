"""`warmline config explain`: every value and its source, no secret."""

import json
from pathlib import Path

from tests.cli.conftest import Run

KEY = "sk-of-nobody-in-particular"


def test_json_has_every_setting_with_its_source(run: Run, tmp_path: Path) -> None:
    (tmp_path / "warmline.toml").write_text("max_calls = 3\n")
    done = run("config", "explain", "--json", "--cold", WARMLINE_PORT="9000", OPENAI_API_KEY=KEY, OPENAI_MODEL="m")
    explained = {each["name"]: each for each in json.loads(done.stdout)}
    assert explained["max_calls"]["source"] == "warmline.toml:1"
    assert explained["port"] == {
        "name": "port",
        "value": "9000",
        "source": "environment, WARMLINE_PORT",
        "meaning": "TCP port to listen on; 0 takes a free one",
    }
    assert (explained["warm"]["value"], explained["warm"]["source"]) == ("none", "command line, --warm")
    assert explained["llm_api_key"]["value"] == "set"
    assert KEY not in done.stdout + done.stderr


def test_text_is_for_people(run: Run) -> None:
    done = run("config", "explain", "--port", "9000")
    assert "port = 9000  [command line, --port]\n    TCP port to listen on" in done.stdout


def test_a_misspelt_variable_is_mentioned(run: Run) -> None:
    done = run("config", "explain", WARMLINE_MAX_CALS="3")
    assert done.returncode == 0
    assert done.stderr == "warmline: WARMLINE_MAX_CALS sets nothing; did you mean WARMLINE_MAX_CALLS?\n"


def test_what_serve_takes_explain_takes_too(run: Run) -> None:
    listed = [line.split()[0] for line in run("serve", "--help").stdout.splitlines() if line.startswith("  --")]
    assert len(listed) > 10
    text = run("config", "explain", "--help").stdout
    assert [option for option in listed if option not in text] == ["--explain"]  # a plan is no setting
