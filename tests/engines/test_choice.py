from __future__ import annotations

import pytest

from sct_rootlets.engines import load_engine
from sct_rootlets.errors import UsageError
from sct_rootlets.store import locate

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("device", "engine", "message"),
    [
        ("cuda", "openvino", "on the CPU"),
        ("auto", "tensorrt", "'tensorrt'"),
        ("auto", "nnunet", "two networks"),
    ],
)
def test_engines_that_do_not_go_with_the_model_or_the_device(device, engine, message):
    with pytest.raises(UsageError, match=message):
        load_engine(locate("bundled"), device, engine=engine)
