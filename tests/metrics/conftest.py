"""What the tests of figures share."""

from __future__ import annotations

import pytest

from app.database.engine import Database
from app.encryption import Cipher
from tests.outbox.conftest import Outbox


@pytest.fixture
def outbox(database: Database, cipher: Cipher) -> Outbox:
    return Outbox(database, cipher)
