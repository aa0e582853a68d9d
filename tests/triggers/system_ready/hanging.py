"""What a rule of a test waits for."""

from __future__ import annotations

import threading

released = threading.Event()
