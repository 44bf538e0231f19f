"""Downloads against a real server on loopback, good and bad."""

from __future__ import annotations

import hashlib
import socket

import pytest

import sct_rootlets
from sct_rootlets.errors import DownloadError, IntegrityError, StoreError, UsageError
from sct_rootlets.store.web import download as download_module
from sct_rootlets.store.web.download import sidecar_path
from tests.store.mounted import in_file_system
from tests.store.server import Fault
from tests.store.tiny import near
from tests.store.web.downloading import (
    CONTENT,
    IMPATIENT,
    SHA256,
    SIZE,
    archive,
    assert_whole,
    cut_at_half,
    fetch,
)

HTML = b"<!DOCTYPE html><html><body>Please log in to the guest network</body></html>"


# --- what is brought --------------------------------------------------------------------


def test_a_file_is_brought_whole_with_its_hash_and_progress(server, target):
    url = server.add("/model.zip", CONTENT)
    calls = []
    found = fetch(url, target, sha256=SHA256.upper(), progress=lambda *call: calls.append(call))
    assert (found.url, found.sha256, found.size_bytes) == (url, SHA256, SIZE)
    assert_whole(target)
    assert [call[0] for call in calls] == [url] * len(calls)
    done = [call[1] for call in calls]
    assert done == sorted(done)
    assert done[-1] == SIZE
    assert {call[2] for call in calls} == {SIZE}
    assert server.asked("/model.zip")[0]["user-agent"] == f"sct_rootlets/{sct_rootlets.__version__}"


@pytest.mark.parametrize("fault", [Fault(chunked=True), Fault(unframed=True)])
def test_a_file_of_unknown_length_is_brought_whole(server, target, fault):
    url = server.add("/model.zip", CONTENT, always=fault)
    totals = set()
    fetch(url, target, size_bytes=None, progress=lambda url, done, total: totals.add(total))
    assert_whole(target)
    assert totals == {None}


def test_a_gzip_file_called_compressed_is_kept_as_it_is(server, target):
    content = b"\x1f\x8b" + CONTENT
    encoded = Fault(headers=(("Content-Encoding", "x-gzip"),))
    url = server.add("/a.tar.gz", content, always=encoded)
    fetch(url, target, sha256=None, size_bytes=None)
    assert_whole(target, content)
    zipped = server.add("/a.zip", content, always=encoded)
    with pytest.raises(DownloadError, match="compressed on the way"):
        fetch(zipped, target, sha256=None, size_bytes=None)


def test_user_and_password_are_sent_and_not_told(server, target):
    url = server.add("/model.zip", CONTENT)
    secret = url.replace("://", "://me:secret@") + "?download=1"
    assert fetch(secret, target).url == url + "?download=1"
    assert server.asked("/model.zip")[0]["authorization"].startswith("Basic ")
    with pytest.raises(DownloadError) as caught:
        fetch(secret.replace("model", "other"), target)
    assert "secret" not in str(caught.value)


# --- truncated, oversized, wrong hash ---------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=CONTENT[:1000]),
        Fault(body=CONTENT + b"more"),
        Fault(body=CONTENT[:100_000], chunked=True),
    ],
    ids=["announced shorter", "announced longer", "ended earlier"],
)
def test_a_wrong_size_is_refused_at_once(server, target, fault):
    url = server.add("/model.zip", CONTENT, always=fault)
    with pytest.raises(IntegrityError, match=f"has {len(fault.body)} bytes instead of {SIZE}"):
        fetch(url, target)
    assert not target.exists()
    assert len(server.asked("/model.zip")) == 1


@pytest.mark.parametrize("fault", [Fault(chunked=True), Fault(unframed=True)])
def test_an_oversized_stream_is_stopped(server, target, fault):
    url = server.add("/model.zip", archive(5_000_000), always=fault)
    seen = []
    with pytest.raises(IntegrityError, match=f"more than {SIZE} bytes, and was stopped"):
        fetch(url, target, progress=lambda url, done, total: seen.append(done))
    assert max(seen) <= SIZE
    assert not target.exists()


def test_no_promise_is_no_reason_to_fill_the_disk(server, target, monkeypatch):
    monkeypatch.setattr(download_module, "MOST_BYTES", 200_000)
    for fault, said in ((Fault(chunked=True), "more than 200000 bytes"), (Fault(), "any model")):
        url = server.add("/model.zip", CONTENT, always=fault)
        with pytest.raises(IntegrityError, match=said):
            fetch(url, target, sha256=None, size_bytes=None)
        assert not target.exists()


def test_a_wrong_hash_is_refused_and_removed(server, target):
    url = server.add("/model.zip", CONTENT)
    with pytest.raises(IntegrityError, match=f"instead of {near(SHA256)}") as caught:
        fetch(url, target, sha256=near(SHA256))
    assert url in str(caught.value)
    assert "Do not use" in caught.value.remedy
    assert list(target.parent.iterdir()) == []


def test_a_wrong_hash_outweighs_a_mirror_that_is_gone(server, target):
    urls = [server.add("/a.zip", archive(seed=1)), server.base + "/gone.zip"]
    with pytest.raises(IntegrityError, match=r"a\.zip: .* instead of .*gone\.zip: .*404"):
        fetch(urls, target)


# --- HTML instead of an archive ---------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "content_type", "said"),
    [
        (HTML, "text/html; charset=utf-8", "web page instead of an archive"),
        (HTML, "application/zip", "web page instead of an archive"),
        (b"not found, sorry", "application/octet-stream", "no archive"),
        (b"", "application/octet-stream", "answer is empty"),
    ],
    ids=["web page", "web page called zip", "text", "nothing"],
)
def test_an_answer_that_is_no_archive_is_refused(server, target, content, content_type, said):
    url = server.add("/model.zip", content, content_type=content_type)
    with pytest.raises(DownloadError, match=said) as caught:
        fetch(url, target, sha256=None, size_bytes=None)
    assert "-from-file" in caught.value.remedy
    assert not target.exists()


def test_a_web_page_does_not_cost_the_part_there_is(server, target):
    url = cut_at_half(server, target)
    part = target.read_bytes()
    server.add("/model.zip", HTML, content_type="application/zip", etag=None, last_modified=None)
    with pytest.raises(DownloadError, match="web page"):
        fetch(url, target, size_bytes=None)
    assert target.read_bytes() == part
    server.add("/model.zip", CONTENT)
    fetch(url, target)
    assert server.asked("/model.zip")[-1]["range"] == f"bytes={len(part)}-"
    assert_whole(target)


# --- statuses, mirrors, attempts --------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "fault", "attempts"),
    [
        (CONTENT, Fault(status=404), 1),
        (CONTENT, Fault(status=503), 3),
        (archive(seed=1), Fault(), 1),
    ],
    ids=["gone", "in trouble for ever", "wrong hash"],
)
def test_the_next_mirror_is_tried(server, target, content, fault, attempts):
    wrong = server.add("/a.zip", content, always=fault)
    right = server.add("/b.zip", CONTENT)
    assert fetch([wrong, right], target, attempts=3).url == right
    assert len(server.asked("/a.zip")) == attempts
    assert_whole(target)


@pytest.mark.parametrize(
    ("status", "said", "attempts"),
    [
        (404, "no such file", 1),
        (410, "no such file", 1),
        (403, "refused", 1),
        (401, "refused", 1),
        (500, "in trouble or busy", 4),
        (503, "in trouble or busy", 4),
    ],
)
def test_a_refusal_is_said_and_repeated_where_it_may_pass(
    server, target, caplog, status, said, attempts
):
    url = server.add("/model.zip", CONTENT, always=Fault(status=status))
    with pytest.raises(DownloadError, match=rf"{said} \(HTTP {status}\)") as caught:
        fetch(url, target)
    assert "-from-file" in caught.value.remedy
    assert len(server.asked("/model.zip")) == attempts
    assert caplog.text.count(f"HTTP {status}); trying again") == attempts - 1


def test_a_server_that_asks_to_wait_is_asked_again(server, target):
    waits = [Fault(status=429, headers=(("Retry-After", asked),)) for asked in ("7", "soon")]
    fetch(server.add("/model.zip", CONTENT, *waits), target)
    assert len(server.asked("/model.zip")) == 3
    assert_whole(target)


def test_no_server_is_a_failed_connection(target, caplog):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with pytest.raises(DownloadError, match="no connection") as caught:
        fetch(f"http://127.0.0.1:{port}/model.zip", target)
    assert "HTTPS_PROXY" in caught.value.remedy
    assert caplog.text.count("127.0.0.1/model.zip: no connection; trying again") == 3


def test_no_address_is_said(target):
    with pytest.raises(DownloadError, match="no address"):
        fetch([], target)


# --- stalled, cut, continued ------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [*(Fault(stall_after=place) for place in (-1, 0, 150_000)), Fault(cut_after=99, reset=True)],
    ids=["no answer", "nothing after it", "stalled within", "reset"],
)
def test_a_stalled_connection_is_given_up_and_tried_again(server, target, fault):
    url = server.add("/model.zip", CONTENT, fault)
    done = []
    progress = lambda url, count, total: done.append(count)  # noqa: E731
    fetch(url, target, timeouts=IMPATIENT, attempts=20, progress=progress)
    assert len(server.asked("/model.zip")) >= 2
    assert done == sorted(done)  # what had arrived is not brought again
    assert_whole(target)


def test_a_server_that_always_stalls_is_an_error(server, target, caplog):
    url = server.add("/model.zip", CONTENT, always=Fault(stall_after=-1))
    with pytest.raises(DownloadError, match="no answer in time"):
        fetch(url, target, timeouts=IMPATIENT, attempts=2)
    assert caplog.text.count("no answer in time; trying again") == 1
    assert len(server.asked("/model.zip")) == 2
    url = server.add("/model.zip", CONTENT, always=Fault(stall_after=100))
    with pytest.raises(DownloadError, match=r"stalled|no answer in time"):
        fetch(url, target, timeouts=IMPATIENT, attempts=1)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut_after=SIZE // 2),
        Fault(cut_after=SIZE // 2, chunked=True),
        Fault(cut_after=SIZE // 2, unframed=True),
    ],
)
def test_a_connection_cut_at_half_is_continued(server, target, fault):
    url = server.add("/model.zip", CONTENT, fault)
    done = []
    fetch(url, target, progress=lambda url, count, total: done.append(count))
    first, second = server.asked("/model.zip")
    assert "range" not in first
    start = int(second["range"][len("bytes=") : -1])
    assert SIZE // 4 < start <= SIZE // 2
    assert second["if-range"] == '"version-1"'
    assert done == sorted(done)
    assert_whole(target)


def test_a_whole_part_costs_one_byte(server, target):
    """A process killed between the last byte and the check of the hash."""
    url = cut_at_half(server, target)
    target.write_bytes(CONTENT)
    fetch(url, target)
    assert server.asked("/model.zip")[-1]["range"] == f"bytes={SIZE - 1}-"
    assert_whole(target)


def test_a_file_cut_more_often_than_attempts_are_counted_still_comes(server, target, monkeypatch):
    monkeypatch.setattr(download_module, "WORTHWHILE_BYTES", 60_000)
    url = server.add("/model.zip", CONTENT, *[Fault(cut_after=70_000)] * 4)
    fetch(url, target, attempts=2)
    assert len(server.asked("/model.zip")) == 5
    assert_whole(target)


@pytest.mark.parametrize(
    ("path", "other", "change"),
    [
        ("/model.zip", archive(seed=2), {"etag": '"version-2"'}),
        ("/model.zip", archive(seed=2), {"etag": '"2"', "always": Fault(ignore_if_range=True)}),
        ("/model.zip", archive(seed=2), {"always": Fault(ignore_range=True)}),
        (
            "/model.zip",
            archive(seed=2),
            {"etag": None, "last_modified": None, "always": Fault(ignore_if_range=True)},
        ),
        ("/model.zip", archive(1000), {}),
        ("/other.zip", archive(seed=2), {}),
    ],
    ids=[
        "changed",
        "changed, If-Range ignored",
        "Range ignored",
        "no validators any more",
        "shorter than the part",
        "of another mirror",
    ],
)
def test_bytes_of_two_versions_are_never_joined(server, target, path, other, change):
    cut_at_half(server, target)
    found = fetch(server.add(path, other, **change), target, sha256=None, size_bytes=None)
    assert found.sha256 == hashlib.sha256(other).hexdigest()
    assert_whole(target, other)


@pytest.mark.parametrize(
    ("etag", "sidecar"),
    [
        *((etag, None) for etag in (None, 'W/"weak"')),
        *(('"1"', damaged) for damaged in ("", "[]", "{}", '{"url": 1}', "\x00", "null")),
    ],
)
def test_without_a_strong_validator_or_a_whole_sidecar_nothing_is_continued(
    server, target, etag, sidecar
):
    url = cut_at_half(server, target, etag=etag, last_modified=None)
    if sidecar is not None:
        sidecar_path(target).write_text(sidecar)
    fetch(url, target)
    assert "range" not in server.asked("/model.zip")[-1]
    assert_whole(target)


def test_the_date_alone_is_a_validator(server, target):
    url = cut_at_half(server, target, etag='W/"weak"')
    fetch(url, target)
    assert server.asked("/model.zip")[-1]["if-range"] == "Wed, 01 Jan 2025 00:00:00 GMT"
    assert_whole(target)


def test_a_damaged_part_is_found_by_the_hash_and_brought_again(server, target):
    url = cut_at_half(server, target)
    part = bytearray(target.read_bytes())
    part[1000] ^= 1
    target.write_bytes(part)
    fetch(url, target)
    asked = ["range" in headers for headers in server.asked("/model.zip")]
    assert asked == [False, True, False]
    assert_whole(target)


# --- full and read-only file systems ----------------------------------------------------


def test_space_is_looked_at_before(server, target):
    url = server.add("/model.zip", CONTENT, always=Fault(length=10**17))
    with pytest.raises(StoreError, match=r"no room .*100000000\.0 GB are needed") as caught:
        fetch(url, target, size_bytes=10**17)
    assert "SCT_ROOTLETS_HOME" in caught.value.remedy
    assert not target.exists()


@pytest.mark.parametrize(
    ("options", "fault", "told"),
    [
        ("size=128k", Fault(chunked=True), ["the disk or your quota is full", "SCT_ROOTLETS_HOME"]),
        ("size=128k", Fault(), ["no room", "300.0 kB are needed and 131.1 kB are free"]),
        ("ro", Fault(), ["Read-only file system", "SCT_ROOTLETS_HOME"]),
    ],
    ids=["fills on the way", "too small", "read-only"],
)
def test_a_disk_that_will_not_do_is_said_and_freed(server, tmp_path, options, fault, told):
    url = server.add("/model.zip", CONTENT, always=fault)
    action = f"from sct_rootlets.store.web.download import *; download([{url!r}], folder / 'a')"
    said, left = in_file_system(tmp_path / "small", options, action)
    assert all(words in said for words in told)
    assert left == "[]"


def test_a_folder_that_is_not_there_is_said(server, tmp_path):
    with pytest.raises(StoreError, match="none"):
        fetch(server.add("/model.zip", CONTENT), tmp_path / "none" / "a.part")


def test_an_address_that_is_not_allowed_is_a_wrong_command(target):
    with pytest.raises(UsageError):
        fetch("http://example.org/a.zip", target)
