"""What a development server makes for itself and keeps in INSTANCE_DIR, so that nothing need be set up."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def development_secret_key(instance_dir: Path) -> str:
    """The Fernet key in `secret-key`, made at the first call."""
    return _made_once(instance_dir / "secret-key", Fernet.generate_key).decode()


def development_auth_key(instance_dir: Path) -> bytes:
    """The RSA private key (PEM) in `auth-key.pem`, made at the first call: it stands in for core's."""
    return _made_once(instance_dir / "auth-key.pem", _rsa_key)


def _rsa_key() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """Read the file, made first if need be; of several processes that make it at once, one wins whole."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return path.read_bytes()
