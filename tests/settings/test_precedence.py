"""Which source wins, and that every value knows its own."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from warmline.errors import ConfigError
from warmline.settings import Settings, explain, load_settings, misspelt_variables, start_notes

TOKEN = "0123456789abcdef-token"


def source_of(settings: Settings, name: str) -> str:
    return next(each.source for each in explain(settings) if each.name == name)


def test_everything_is_default_in_an_empty_place() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert {each.source for each in explain(settings)} == {"default"}


def test_each_source_wins_over_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "warmline.toml").write_text('max_calls = 3\nport = 3000\nhost = "localhost"\n')
    monkeypatch.setenv("WARMLINE_PORT", "2000")
    monkeypatch.setenv("WARMLINE_MAX_CALLS", "2")
    settings = load_settings({"max_calls": 1, "port": None})
    assert (settings.max_calls, settings.port, settings.host) == (1, 2000, "localhost")
    assert source_of(settings, "max_calls") == "command line, --max-calls"
    assert source_of(settings, "port") == "environment, WARMLINE_PORT"
    assert source_of(settings, "host") == "warmline.toml:3"
    assert source_of(settings, "warm") == "default"


def test_our_variables_win_over_openais_and_those_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "warmline.toml").write_text('llm_model = "from-file"\nllm_base_url = "http://127.0.0.1:1/v1"\n')
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:2/v1/")
    monkeypatch.setenv("OPENAI_MODEL", "from-openai")
    monkeypatch.setenv("WARMLINE_LLM_MODEL", "from-warmline")
    settings = load_settings()
    assert (settings.llm_model, settings.llm_base_url) == ("from-warmline", "http://127.0.0.1:2/v1")
    assert source_of(settings, "llm_base_url") == "environment, OPENAI_BASE_URL"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_PORT", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    settings = load_settings()
    assert (settings.port, settings.llm_api_key) == (7860, None)


def test_lists_are_split_at_commas_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_ALLOWED_HOSTS", "Voice.example.org, 192.0.2.7:7860")
    settings = load_settings()
    assert settings.allowed_hosts[-2:] == ("voice.example.org", "192.0.2.7:7860")


def test_a_key_without_a_url_means_openai_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
    settings = load_settings({"llm_model": "some-model"})
    assert settings.llm_base_url == "https://api.openai.com/v1"
    assert source_of(settings, "llm_base_url") == "because llm_api_key is set (environment, OPENAI_API_KEY)"
    assert "some-model at https://api.openai.com/v1" in start_notes(settings)[0]


def azure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://front.openai.azure.com/")
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "front-desk")


def test_azure_names_come_together_and_without_a_key_the_identity_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    azure(monkeypatch)
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    settings = load_settings()
    assert (settings.llm_base_url, settings.llm_model) == ("https://front.openai.azure.com", "front-desk")
    assert (settings.llm_azure_api_version, settings.llm_api_key) == ("2024-10-21", None)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "key-of-azure")
    assert load_settings().llm_api_key == SecretStr("key-of-azure")
    elsewhere = load_settings({"llm_base_url": "https://api.example.org/v1"})
    assert (elsewhere.llm_api_key, elsewhere.llm_azure_api_version) == (SecretStr("sk-of-openai"), None)
    assert load_settings({"llm_base_url": "embedded"}).llm_azure_api_version is None


def test_azure_without_a_version_or_a_deployment_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    azure(monkeypatch)
    with pytest.raises(ConfigError, match="OPENAI_API_VERSION is not"):
        load_settings()
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    monkeypatch.delenv("AZURE_OPENAI_DEPLOYMENT")
    with pytest.raises(ConfigError, match="AZURE_OPENAI_DEPLOYMENT"):
        load_settings()


def test_embedded_keeps_the_emulator_and_the_key_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.example.org/v1")
    settings = load_settings({"llm_base_url": "embedded"})
    assert (settings.llm_base_url, settings.llm_api_key) == (None, None)
    assert source_of(settings, "llm_api_key") == "not used, because llm_base_url is 'embedded'"
    assert "built-in emulator (command line, --llm-base-url)" in start_notes(settings)[0]


def test_a_token_file_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WARMLINE_TOKEN", "another-token-of-the-environment")
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    settings = load_settings({"host": "0.0.0.0"}, token_file=file)
    assert settings.token is not None
    assert settings.token.get_secret_value() == TOKEN
    assert source_of(settings, "token") == f"command line, --token-file {file}"


@pytest.mark.parametrize("name", ["token", "llm_api_key"])
def test_a_secret_is_never_taken_from_the_command_line(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: a secret is never taken from the command line"):
        load_settings({name: TOKEN})


def test_a_wrong_value_is_traced_to_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_PORT", "many")
    with pytest.raises(ConfigError, match=r"^port \(environment, WARMLINE_PORT\): .*integer"):
        load_settings()


def test_a_misspelt_variable_is_noticed() -> None:
    assert misspelt_variables(["WARMLINE_PORT", "WARMLINE_MAX_CALS", "WARMLINE_REQUIRE_BROWSER", "PATH"]) == [
        "WARMLINE_MAX_CALS sets nothing; did you mean WARMLINE_MAX_CALLS?"
    ]


def test_what_was_chosen_is_said_at_the_start() -> None:
    notes = start_notes(load_settings({"port": 9000}))
    assert notes == [
        "Language model: the built-in emulator (no --llm-base-url, no OPENAI_API_KEY)",
        "Set: port = 9000 (command line, --port)",
    ]
