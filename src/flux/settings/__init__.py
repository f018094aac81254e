"""Every knob, typed and documented: a TOML file and `FLUX_<SECTION>__<NAME>` variables over defaults.

One file a section; `loading.py` reads them, `flux doctor --settings` lists them. Start with the section you need.
"""

from __future__ import annotations

from flux.settings.loading import Settings, SettingsError, describe, load_settings

__all__ = ["Settings", "SettingsError", "describe", "load_settings"]
