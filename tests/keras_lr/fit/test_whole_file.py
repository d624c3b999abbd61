from __future__ import annotations

import pytest

from keras_lr.fit.whole_file import written_whole
from tests.kit.full_disk import full_after

pytestmark = pytest.mark.backend


def test_a_file_takes_the_place_of_another_in_one_go(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("old")
    with written_whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_where_the_disk_is_full_the_former_file_stays(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("old")
    full = pytest.raises(OSError, match="too large")
    with full, written_whole(path) as part, full_after(2):
        part.write_text("new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
