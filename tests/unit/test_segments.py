"""When a segment is full."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

from pressmark.crawl.segments import FULL_ITEMS, FULL_SECONDS, OpenSegment

_ITEM = cast("Any", None)


def test_segment_is_full_after_a_number_of_candidates_or_some_minutes(tmp_path: Path) -> None:
    segment = OpenSegment(tmp_path, items=[_ITEM] * (FULL_ITEMS - 1))
    assert not segment.is_full
    segment.items.append(_ITEM)
    assert segment.is_full
    long_ago = time.monotonic() - FULL_SECONDS
    assert OpenSegment(tmp_path, opened=long_ago, items=[_ITEM]).is_full
    assert not OpenSegment(tmp_path, opened=long_ago).is_full, "nothing to seal"
