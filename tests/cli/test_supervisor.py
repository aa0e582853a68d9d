"""Children that do not outlive their parent."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import pytest

from app.cli.supervisor import _die_with_parent


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
@pytest.mark.parametrize(("parent", "status"), [(os.getpid, 0), (os.getppid, 1)], ids=["alive", "dead already"])
def test_a_child_whose_parent_died_before_it_could_ask_to_be_told_ends(parent: object, status: int) -> None:
    assert callable(parent)
    child = subprocess.run(["true"], preexec_fn=partial(_die_with_parent, parent()), check=False)
    assert child.returncode == status
