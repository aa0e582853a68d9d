"""A country's directory that a test writes into, and the pages that show it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from app.composition.messages import create_preview
from app.settings import Settings

PNG = b"\x89PNG\r\n\x1a\n and so on"
RULES = """
from app.country import fields, trigger
trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="hospital-discharge")
"""


def settings_of(directory: Path | None, **environ: str) -> Settings:
    """Of a test server for this directory."""
    country = {} if directory is None else {"COUNTRY_DIR": str(directory)}
    return Settings.from_env({"APP_ENV": "test", "SECRET_KEY": Fernet.generate_key().decode(), **country, **environ})


@dataclass(frozen=True)
class CountryFiles:
    """`directory` is made at the first write."""

    directory: Path

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def words(self, *rows: str, languages: str = "en,fr") -> Path:
        """Write `translations/ours.csv`."""
        return self.write("translations/ours.csv", "\n".join([f"id,description,{languages}", *rows]) + "\n")

    def template(self, name: str, content: str | bytes) -> Path:
        return self.write(f"templates/email/{name}", content)

    def pages(self, **environ: str) -> FlaskClient:
        """The page alone, as `country-config messages preview` serves it."""
        self.directory.mkdir(exist_ok=True)
        return create_preview(settings_of(self.directory, **environ)).test_client()
