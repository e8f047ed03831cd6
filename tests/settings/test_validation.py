"""What settings refuse, and that they say why without giving secrets away."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from warmline.errors import ConfigError
from warmline.settings import Settings, explain

TOKEN = SecretStr("0123456789abcdef-token")
KEY = SecretStr("sk-of-nobody")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": -1}, "port: should be greater than or equal to 0"),
        ({"port": 65536}, "port: should be less than or equal to 65535"),
        ({"max_calls": 0}, "max_calls: should be greater than or equal to 1"),
        ({"idle_timeout_sec": 0}, "idle_timeout_sec: should be greater than 0"),
        ({"idle_timeout_sec": math.inf}, "idle_timeout_sec: should be a finite number"),
        ({"vad_stop_sec": math.nan}, "vad_stop_sec: should be a finite number"),
        ({"vad_stop_sec": 0.01}, "vad_stop_sec: should be greater than or equal to 0.05"),
        ({"turn_patience_sec": 11}, "turn_patience_sec: should be less than or equal to 10"),
        ({"tts_rate_wpm": 1000}, "tts_rate_wpm: .*80 to 450"),
        ({"tts_voice": "\x00"}, "tts_voice: .*printable"),
        ({"warm": "tepid"}, "warm: should be 'all', 'imports' or 'none'"),
        ({"log_level": "loud"}, "log_level: should be 'debug'"),
        ({"host": ""}, "host: expected an IP address or a host name"),
        ({"host": "localhost:80"}, "host: expected an IP address or a host name"),
        ({"nonsense": 1}, "nonsense: "),
        ({"port": -1, "max_calls": 0}, "port: .*; max_calls: "),
    ],
)
def test_out_of_range(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{message}"):
        Settings(**values)  # type: ignore[arg-type] # wrong on purpose


def test_choices_are_taken_in_any_case() -> None:
    assert Settings(warm="None", log_level="INFO").warm == "none"  # type: ignore[arg-type] # as the environment has it


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "voice.example.org"])
def test_beyond_loopback_a_token_is_required(host: str) -> None:
    with pytest.raises(ConfigError, match="a token is required: set WARMLINE_TOKEN or pass --token-file FILE"):
        Settings(host=host)
    assert not Settings(host=host, token=TOKEN).is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_on_loopback_none_is(host: str) -> None:
    assert Settings(host=host).is_loopback


@pytest.mark.parametrize("token", ["", "short", "sixteen or more, but with spaces", "ünïcödé-ünïcödé-ünïcödé"])
def test_a_poor_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigError, match=r"^token: should be at least 16") as refused:
        Settings(token=SecretStr(token))
    assert not token or token not in f"{refused.value}{refused.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://example.org", "begins with http"),
        ("example.org/v1", "expected"),
        ("http://[::1", "not a valid address"),
        ("https://me:hidden@example.org/v1", "has no user, password"),
        ("https://example.org/v1?key=hidden", "has no user, password"),
    ],
)
def test_a_base_url_is_an_address_and_nothing_else(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^llm_base_url: .*{message}") as refused:
        Settings(llm_base_url=url, llm_model="some-model")
    assert "hidden" not in str(refused.value)


def test_a_key_does_not_travel_in_the_clear() -> None:
    with pytest.raises(ConfigError, match=r"^llm_base_url: a key is not sent over plain http to another machine"):
        Settings(llm_base_url="http://192.0.2.7/v1", llm_api_key=KEY, llm_model="some-model")
    for url in ("https://192.0.2.7/v1", "http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://localhost/v1"):
        assert Settings(llm_base_url=url, llm_api_key=KEY, llm_model="some-model").llm_base_url == url


def test_openai_needs_a_model_and_other_apis_offer_theirs() -> None:
    complaint = r"^llm_model: the API at https://api.openai.com/v1 must be asked for a model"
    with pytest.raises(ConfigError, match=complaint):
        Settings(llm_api_key=KEY)
    assert Settings(llm_base_url="http://127.0.0.1:8000/v1").llm_model is None


@pytest.mark.parametrize(
    "origin", ["*", "null", "example.org", "https://example.org/", "https://*.example.org", "ws://a"]
)
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(ConfigError, match=r"^allowed_origins: "):
        Settings(allowed_origins=(origin,))


@pytest.mark.parametrize("host", ["*", "http://example.org", "example.org/", "me@example.org", "a b", "example.org:x"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^allowed_hosts: "):
        Settings(allowed_hosts=(host,))


def test_the_servers_own_origins_and_hosts_are_always_allowed() -> None:
    settings = Settings(port=7000, allowed_origins=("HTTPS://Voice.Example.org:443",), allowed_hosts=("voice.example",))
    own = ("127.0.0.1:7000", "localhost:7000", "[::1]:7000")
    assert settings.allowed_hosts == (*own, "voice.example")
    assert settings.allowed_origins == (*(f"http://{host}" for host in own), "https://voice.example.org")


def test_on_port_80_browsers_leave_the_port_out() -> None:
    assert Settings(port=80).allowed_origins == ("http://127.0.0.1", "http://localhost", "http://[::1]")


def test_a_name_of_its_own_is_allowed_but_a_wildcard_is_no_name() -> None:
    assert "voice.example.org:7860" in Settings(host="Voice.example.org", token=TOKEN).allowed_hosts
    assert Settings(host="0.0.0.0", token=TOKEN).allowed_hosts == Settings().allowed_hosts


def test_the_real_port_takes_the_place_of_port_0() -> None:
    settings = Settings(port=0, allowed_hosts=("voice.example",)).listening_on(4321)
    assert settings.port == 4321
    assert settings.allowed_hosts == ("127.0.0.1:4321", "localhost:4321", "[::1]:4321", "voice.example")
    assert settings.allowed_origins == Settings(port=4321).allowed_origins


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_secrets_show_nowhere() -> None:
    settings = Settings(token=TOKEN, llm_api_key=KEY, llm_model="some-model")
    shown = f"{settings!r} {settings} {explain(settings)}"
    assert TOKEN.get_secret_value() not in shown
    assert KEY.get_secret_value() not in shown
    values = {each.name: each.value for each in explain(settings)}
    assert (values["token"], values["llm_api_key"]) == ("set", "set")


@given(st.text(max_size=40))
def test_any_text_as_address_is_taken_or_refused_in_our_words(text: str) -> None:
    for values in ({"allowed_hosts": (text,)}, {"allowed_origins": (f"https://{text}",)}):
        try:
            settings = Settings(**values)  # type: ignore[arg-type] # mypy joins the two types
        except ConfigError:
            continue
        assert not any(character.isspace() for each in settings.allowed_hosts for character in each)


def test_every_setting_says_what_it_means() -> None:
    assert all(each.meaning for each in explain(Settings()))
