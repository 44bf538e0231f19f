from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from sct_rootlets.checkpoint import program as tested
from sct_rootlets.checkpoint.archive import MAX_PICKLE_BYTES
from sct_rootlets.checkpoint.program import HoldsMore, run
from tests.checkpoint import hostile

torch = pytest.importorskip("torch")

SHARED = ["again", (1, 2.5)]
HARMLESS = [
    None,
    [True, False, 0, 255, 65535, -1, 10**12, -(10**40), 0.1, -1e300, "é", "x" * 300],
    {"a": {"b": [], "c": ()}, "d": {0: "first", 1: "second", 300: (1, 2, 3, 4)}},
    [SHARED, SHARED, {"shared": SHARED}],
    [[[[["deep"]]]], [(number, str(number)) for number in range(400)]],
    {"bytes": b"\xff\x00", "ordered": OrderedDict(a=1, b=2)},
]


@pytest.mark.parametrize("number", range(len(HARMLESS)))
def test_harmless_programs_give_what_pickle_gives(number):
    assert run(pickle.dumps(HARMLESS[number], protocol=2), {}) == HARMLESS[number]


def test_what_holds_itself_is_built():
    inside: list = []
    inside.append({"itself": inside})
    found = run(pickle.dumps(inside, protocol=2), {})
    assert found[0]["itself"] is found


def test_changed_programs_give_an_error_or_what_pickle_gives():
    draw = random.Random(3)
    source = pickle.dumps([{"a": [1, (2, -3.5), "text"], "b": {7: None}}, "a", True], protocol=2)
    same = 0
    for _ in range(2000):
        changed = bytearray(source)
        for _ in range(draw.randint(1, 3)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        try:
            found = run(bytes(changed), {})
        except Exception:  # noqa: BLE001  hostile bytes raise what they like
            continue
        assert repr(found) == repr(pickle.loads(changed))  # nan differs from itself
        same += 1
    assert 200 < same < 1500


@pytest.mark.parametrize(
    ("opcodes", "problem"),
    [
        (b"(0.", "takes more than it has made|opcode POP"),
        (b"N(\x85.", "takes more than it has made"),
        (b"t.", "pop from empty list"),
        (b"}(NNu.", "a key that is a NoneType"),
        (b"}\x8a\x01\xffNs.", "a key that is -1"),
        (b"}J\x00\x00\x10\x00Ns.", "a key that is 1048576"),
        (b"}(Nu.", "zip"),
        (b"(t]a.", "values put into a tuple"),
        (b"h\x00.", "0"),
        (b"I123\n.", "opcode INT"),
        (b"L" + b"9" * 9999 + b"L\n.", "opcode LONG"),
        (b"N", "its pickle is cut"),
        (b"\xfe", "no opcode"),
        (b"]}b.", "a changed list"),
        (b"])R.", "a call of a list"),
        (b"ctorch\nFloatStorage\n)R.", "a call of a _Kind"),
    ],
)
def test_what_a_program_cannot_do_is_said(opcodes, problem):
    with pytest.raises((ValueError, IndexError, KeyError, HoldsMore)) as caught:
        run(b"\x80\x02" + opcodes, {})
    shown = caught.value.names if isinstance(caught.value, HoldsMore) else caught.value
    assert any(part in str(shown) for part in problem.split("|"))


def test_the_largest_key_of_an_optimiser_is_taken():
    assert run(b"}J\xff\xff\x0f\x00Ns.", {}) == {(1 << 20) - 1: None}


def test_steps_are_counted(monkeypatch):
    program = b"\x80\x02" + b"N" * 20 + b"."
    monkeypatch.setattr(tested, "MAX_STEPS", 22)
    assert run(program, {}) is None
    monkeypatch.setattr(tested, "MAX_STEPS", 21)
    with pytest.raises(ValueError, match="more than 21 steps"):
        run(program, {})


def test_bytes_are_counted():
    once = b"c_codecs\nencode\nX\x04\0\0\0abcdq\x00X\x06\0\0\0latin1q\x01\x86R"
    again = b"c_codecs\nencode\nh\x00h\x01\x86R"
    assert run(once + again + b"0.".replace(b"0", b""), {}) == b"abcd"
    several = b"(" + once + 30 * again + b"l"
    assert len(several) > 31 * 4  # as long as what it makes
    with pytest.raises(HoldsMore):  # LIST, which torch.save never writes
        run(several + b".", {})
    long = b"X\x00\x10\0\0" + b"a" * 4096 + b"q\x00X\x06\0\0\0latin1q\x01"
    two, one = (b"](" + long + again * times + b"e." for times in (2, 1))
    assert run(one, {})[-1] == b"a" * 4096
    with pytest.raises(ValueError, match="more bytes than its texts have"):
        run(two, {})


def test_names_are_collected_up_to_a_thousand():
    names = b"".join(b"cos\nname%d\n" % number for number in range(3000))
    with pytest.raises(HoldsMore) as caught:
        run(names + b".", {})
    assert caught.value.names == [f"os.name{number}" for number in range(1000)]


def test_a_name_after_something_damaged_is_found():
    with pytest.raises(HoldsMore) as caught:
        run(b"N}b" + b"cos\nsystem\n.", {})
    assert caught.value.names == ["os.system"]


def test_the_log_of_the_longest_training_is_within_the_bounds():
    """Of 8000 epochs of 25 classes; measured on 20 epochs."""
    draw = np.random.default_rng(2)
    per_class = [[np.float64(x) for x in draw.random(25)] for _ in range(20)]
    per_epoch = {name: [np.float64(x) for x in draw.random(20)] for name in "abcdefgh"}
    made = io.BytesIO()
    torch.save(hostile.content(0, logging={**per_epoch, "dice": per_class}), made)
    with zipfile.ZipFile(made) as archive:
        program = archive.read("archive/data.pkl")
    assert len(program) * 400 < MAX_PICKLE_BYTES
    assert sum(1 for _ in tested._steps(program)) * 400 < tested.MAX_STEPS
    assert run(program, {})["logging"].keys() == {*per_epoch, "dice"}
