"""One typed settings object, and where each of its values came from."""

from warmline.settings.cache_dir import prepare_cache_dir
from warmline.settings.explain import Explained, explain, misspelt_variables, start_notes
from warmline.settings.load import load_settings
from warmline.settings.scenario import Fact, Scenario, load_scenario
from warmline.settings.settings import Settings
from warmline.settings.token_file import read_token_file

__all__ = [
    "Explained",
    "Fact",
    "Scenario",
    "Settings",
    "explain",
    "load_scenario",
    "load_settings",
    "misspelt_variables",
    "prepare_cache_dir",
    "read_token_file",
    "start_notes",
]
