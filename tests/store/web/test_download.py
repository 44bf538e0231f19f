"""Downloads against a real server on loopback, good and bad."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import sct_rootlets
from sct_rootlets.errors import DownloadError, IntegrityError, StoreError, UsageError
from sct_rootlets.store.web import download as download_module
from sct_rootlets.store.web.download import Timeouts, download, sidecar_path
from sct_rootlets.store.web.partial import Validators
from tests.store.server import Fault, Proxy, Server

#: No pauses, and patience with a busy machine; who waits for nothing to come, waits shorter.
TIMEOUTS = Timeouts(connect_s=60.0, read_s=60.0, pause_s=0.0, longest_pause_s=0.0)
IMPATIENT = Timeouts(connect_s=60.0, read_s=0.2, pause_s=0.0, longest_pause_s=0.0)

HTML = b"<!DOCTYPE html><html><body>Please log in to the guest network</body></html>"


def archive(size_bytes: int = 300_001, seed: int = 0) -> bytes:
    """Return bytes that begin as a zip does; what follows is not looked at by a download."""
    return b"PK\x03\x04" + random.Random(seed).randbytes(size_bytes - 4)


CONTENT = archive()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "staging.part"


def fetch(urls, target, **options):
    urls = [urls] if isinstance(urls, str) else urls
    options = {"sha256": SHA256, "size_bytes": SIZE, "timeouts": TIMEOUTS, **options}
    return download(urls, target, **options)


def assert_whole(target: Path, content: bytes = CONTENT) -> None:
    assert target.read_bytes() == content
    assert not sidecar_path(target).exists()
    assert list(target.parent.iterdir()) == [target]


def cut_at_half(server, target, path="/model.zip", **options) -> str:
    """Let a download fail at half, so that the next call finds a part."""
    url = server.add(path, CONTENT, Fault(cut_after=SIZE // 2), **options)
    with pytest.raises(DownloadError, match=r"was cut"):
        fetch(url, target, attempts=1)
    assert 0 < target.stat().st_size <= SIZE // 2
    return url


# --- what is brought --------------------------------------------------------------------


def test_a_file_is_brought_whole_with_its_hash_and_progress(server, target):
    url = server.add("/model.zip", CONTENT)
    calls = []
    found = fetch(url, target, progress=lambda *call: calls.append(call))
    assert (found.url, found.sha256, found.size_bytes) == (url, SHA256, SIZE)
    assert_whole(target)
    assert [call[0] for call in calls] == [url] * len(calls)
    done = [call[1] for call in calls]
    assert done == sorted(done)
    assert done[-1] == SIZE
    assert {call[2] for call in calls} == {SIZE}
    assert server.asked("/model.zip")[0]["user-agent"] == f"sct_rootlets/{sct_rootlets.__version__}"


def test_without_a_promise_the_hash_seen_is_returned(server, target):
    url = server.add("/model.zip", CONTENT)
    assert fetch(url, target, sha256=None, size_bytes=None).sha256 == SHA256


@pytest.mark.parametrize("fault", [Fault(chunked=True), Fault(unframed=True)])
def test_a_file_of_unknown_length_is_brought_whole(server, target, fault):
    url = server.add("/model.zip", CONTENT, always=fault)
    totals = set()
    fetch(url, target, size_bytes=None, progress=lambda url, done, total: totals.add(total))
    assert_whole(target)
    assert totals == {None}


def test_a_hash_in_capitals_is_the_same_hash(server, target):
    assert fetch(server.add("/a.zip", CONTENT), target, sha256=SHA256.upper()).sha256 == SHA256


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


@pytest.mark.parametrize("fault", [Fault(body=CONTENT[:1000]), Fault(body=CONTENT + b"more")])
def test_an_announced_size_that_is_wrong_is_refused_before_reading(server, target, fault):
    url = server.add("/model.zip", CONTENT, always=fault)
    with pytest.raises(IntegrityError, match=f"has {len(fault.body)} bytes instead of {SIZE}"):
        fetch(url, target)
    assert not target.exists()
    assert len(server.asked("/model.zip")) == 1


def test_a_truncated_stream_without_a_length_is_refused(server, target):
    url = server.add("/model.zip", CONTENT, always=Fault(body=CONTENT[:100_000], chunked=True))
    with pytest.raises(IntegrityError, match=f"has 100000 bytes instead of {SIZE}"):
        fetch(url, target)
    assert not target.exists()


def test_a_file_that_ends_before_its_announced_length_is_a_cut(server, target):
    url = server.add("/model.zip", CONTENT, always=Fault(cut_after=100_000))
    with pytest.raises(DownloadError, match=r"cut after \d+ of 300001 bytes|was cut"):
        fetch(url, target, attempts=2)


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
    url = server.add("/model.zip", archive(seed=1))
    with pytest.raises(IntegrityError, match=f"instead of {SHA256}") as caught:
        fetch(url, target)
    assert url in str(caught.value)
    assert "Do not use" in caught.value.remedy
    assert list(target.parent.iterdir()) == []


def test_after_a_wrong_hash_the_next_mirror_is_tried(server, target):
    wrong, right = server.add("/a.zip", archive(seed=1)), server.add("/b.zip", CONTENT)
    assert fetch([wrong, right], target).url == right
    assert_whole(target)


def test_a_wrong_hash_outweighs_a_mirror_that_is_gone(server, target):
    urls = [server.add("/a.zip", archive(seed=1)), server.base + "/gone.zip"]
    with pytest.raises(IntegrityError, match=r"a\.zip: .* instead of .*gone\.zip: .*404"):
        fetch(urls, target)


# --- HTML instead of an archive ---------------------------------------------------------


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/zip"])
def test_a_web_page_is_not_an_archive(server, target, content_type):
    url = server.add("/model.zip", HTML, content_type=content_type)
    with pytest.raises(DownloadError, match="web page instead of an archive") as caught:
        fetch(url, target, sha256=None, size_bytes=None)
    assert "-from-file" in caught.value.remedy
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "said"), [(b"not found, sorry", "no archive"), (b"", "answer is empty")]
)
def test_other_answers_that_are_no_archive_are_refused(server, target, content, said):
    url = server.add("/model.zip", content, content_type="application/octet-stream")
    with pytest.raises(DownloadError, match=said):
        fetch(url, target, sha256=None, size_bytes=None)
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


def test_404_then_mirror(server, target):
    gone, there = server.base + "/gone.zip", server.add("/model.zip", CONTENT)
    assert fetch([gone, there], target).url == there
    assert len(server.asked("/gone.zip")) == 1
    assert_whole(target)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "no such file"), (410, "no such file"), (403, "refused"), (401, "refused")],
)
def test_a_lasting_refusal_is_not_repeated(server, target, status, said):
    url = server.add("/model.zip", CONTENT, always=Fault(status=status))
    with pytest.raises(DownloadError, match=rf"{said} \(HTTP {status}\)") as caught:
        fetch(url, target)
    assert "-from-file" in caught.value.remedy
    assert len(server.asked("/model.zip")) == 1


def test_500_thrice_then_success(server, target, caplog):
    url = server.add("/model.zip", CONTENT, *[Fault(status=500)] * 3)
    with caplog.at_level(logging.WARNING):
        fetch(url, target)
    assert len(server.asked("/model.zip")) == 4
    assert caplog.text.count("HTTP 500); trying again") == 3
    assert_whole(target)


def test_500_for_ever_ends_at_the_next_mirror(server, target):
    broken = server.add("/a.zip", CONTENT, always=Fault(status=503))
    right = server.add("/b.zip", CONTENT)
    assert fetch([broken, right], target, attempts=3).url == right
    assert len(server.asked("/a.zip")) == 3
    with pytest.raises(DownloadError, match="HTTP 503"):
        fetch(broken, target, attempts=2)


def test_a_server_that_asks_to_wait_is_asked_again(server, target):
    waits = [Fault(status=429, headers=(("Retry-After", asked),)) for asked in ("7", "soon")]
    fetch(server.add("/model.zip", CONTENT, *waits), target)
    assert len(server.asked("/model.zip")) == 3
    assert_whole(target)


def test_no_server_is_a_failed_connection(target):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with pytest.raises(DownloadError, match="no connection") as caught:
        fetch(f"http://127.0.0.1:{port}/model.zip", target)
    assert "HTTPS_PROXY" in caught.value.remedy


def test_no_address_is_said(target):
    with pytest.raises(DownloadError, match="no address"):
        fetch([], target)


# --- stalled, cut, continued ------------------------------------------------------------


@pytest.mark.parametrize("stall_after", [-1, 0, 150_000])
def test_a_stalled_connection_is_given_up_and_tried_again(server, target, stall_after):
    url = server.add("/model.zip", CONTENT, Fault(stall_after=stall_after))
    done = []
    progress = lambda url, count, total: done.append(count)  # noqa: E731
    fetch(url, target, timeouts=IMPATIENT, attempts=20, progress=progress)
    assert len(server.asked("/model.zip")) >= 2
    assert done == sorted(done)  # what had arrived is not brought again
    assert_whole(target)


def test_a_server_that_always_stalls_is_an_error(server, target):
    url = server.add("/model.zip", CONTENT, always=Fault(stall_after=-1))
    with pytest.raises(DownloadError, match="no answer in time"):
        fetch(url, target, timeouts=IMPATIENT, attempts=2)
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


def test_a_reset_connection_is_tried_again(server, target):
    fetch(server.add("/model.zip", CONTENT, Fault(cut_after=150_000, reset=True)), target)
    assert len(server.asked("/model.zip")) == 2
    assert_whole(target)


def test_a_part_of_an_earlier_process_is_continued(server, target):
    url = cut_at_half(server, target)
    size = target.stat().st_size
    assert json.loads(sidecar_path(target).read_text())["total"] == SIZE
    fetch(url, target)
    assert server.asked("/model.zip")[-1]["range"] == f"bytes={size}-"
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
    "change",
    [
        {"etag": '"version-2"'},
        {"etag": '"version-2"', "always": Fault(ignore_if_range=True)},
        {"always": Fault(ignore_range=True)},
        {"etag": None, "last_modified": None, "always": Fault(ignore_if_range=True)},
    ],
    ids=["changed", "changed, If-Range ignored", "Range ignored", "no validators any more"],
)
def test_bytes_of_two_versions_are_never_joined(server, target, change):
    cut_at_half(server, target)
    other = archive(seed=2)
    url = server.add("/model.zip", other, **change)
    found = fetch(url, target, sha256=None)
    assert found.sha256 == hashlib.sha256(other).hexdigest()
    assert_whole(target, other)


def test_a_shorter_new_version_answers_416_and_is_brought_whole(server, target):
    cut_at_half(server, target)
    other = archive(1000)
    url = server.add("/model.zip", other)
    fetch(url, target, sha256=None, size_bytes=None)
    assert_whole(target, other)


@pytest.mark.parametrize(
    "validators",
    [
        {"etag": None, "last_modified": None},
        {"etag": 'W/"weak"', "last_modified": None},
    ],
)
def test_without_a_strong_validator_nothing_is_continued(server, target, validators):
    url = cut_at_half(server, target, **validators)
    fetch(url, target)
    assert "range" not in server.asked("/model.zip")[-1]
    assert_whole(target)


def test_the_date_alone_is_a_validator(server, target):
    url = cut_at_half(server, target, etag='W/"weak"')
    fetch(url, target)
    assert server.asked("/model.zip")[-1]["if-range"] == "Wed, 01 Jan 2025 00:00:00 GMT"
    assert_whole(target)


def test_a_part_of_another_mirror_is_not_continued(server, target):
    cut_at_half(server, target)
    other = archive(seed=3)
    url = server.add("/other.zip", other)
    fetch(url, target, sha256=None)
    assert "range" not in server.asked("/other.zip")[-1]
    assert_whole(target, other)


@pytest.mark.parametrize("sidecar", ["", "[]", "{}", '{"url": 1}', "\x00", "null"])
def test_a_damaged_sidecar_means_from_the_start(server, target, sidecar):
    url = cut_at_half(server, target)
    sidecar_path(target).write_text(sidecar)
    fetch(url, target)
    assert "range" not in server.asked("/model.zip")[-1]
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


@pytest.mark.parametrize(
    "content_range", ["bytes 5-9/10", "bytes 0-8/10", "bytes 0-9/*", "bytes 9-0/10", "x", ""]
)
def test_an_answer_that_does_not_continue_is_not_joined(content_range):
    class Answer:
        status_code = 206
        headers = {"Content-Range": content_range, "ETag": '"1"'}  # noqa: RUF012

    known = Validators("https://example.org/a.zip", '"1"', None, 10)
    assert known.continued_at(Answer(), 3) is None
    Answer.headers["Content-Range"] = "bytes 3-9/10"
    assert known.continued_at(Answer(), 3) == 3


# --- redirects and addresses ------------------------------------------------------------


def test_redirects_are_followed_and_a_part_is_continued_through_them(server, target):
    server.add("/final.zip", CONTENT, Fault(cut_after=SIZE // 2))
    server.redirect("/second.zip", "/final.zip")
    url = server.redirect("/first.zip", server.base + "/second.zip")
    assert fetch(url, target).url == url
    assert "range" in server.asked("/final.zip")[1]
    assert_whole(target)


def test_a_redirect_loop_ends(server, target):
    url = server.redirect("/a.zip", "/b.zip")
    server.redirect("/b.zip", "/a.zip")
    with pytest.raises(DownloadError, match="redirects in a circle"):
        fetch(url, target)
    assert 2 < len(server.requests) < 20
    right = server.add("/c.zip", CONTENT)
    assert fetch([url, right], target).url == right


@pytest.mark.parametrize("to", ["http://example.org/a.zip", "ftp://127.0.0.1/a.zip", "file:///a"])
def test_a_redirect_to_an_address_not_allowed_is_refused(server, target, to):
    with pytest.raises(DownloadError, match="not allowed"):
        fetch(server.redirect("/a.zip", to), target)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.zip",
        "http://127.0.0.1.example.org/a.zip",
        "http://user@example.org/a.zip",
        "http://localhost@example.org/a.zip",
        "ftp://127.0.0.1/a.zip",
        "file:///etc/passwd",
        "https://",
        "http://[::1",
        "model.zip",
    ],
)
def test_addresses_that_are_not_allowed_are_a_wrong_command(target, url):
    with pytest.raises(UsageError):
        fetch(url, target)


# --- HTTPS, CA bundle, proxy ------------------------------------------------------------


@pytest.fixture
def secure(tmp_path_factory):
    with Server(tls_folder=tmp_path_factory.mktemp("tls"), host="localhost") as server:
        yield server


def test_https_with_the_ca_bundle_of_the_environment(secure, target, monkeypatch):
    url = secure.add("/model.zip", CONTENT)
    assert url.startswith("https://")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.ca_file))
    fetch(url, target)
    assert_whole(target)


def test_an_unknown_certificate_is_refused_at_once_with_the_remedy(secure, target, caplog):
    url = secure.add("/model.zip", CONTENT)
    with pytest.raises(DownloadError, match="certificate cannot be verified") as caught:
        fetch(url, target)
    assert "REQUESTS_CA_BUNDLE" in caught.value.remedy
    assert secure.requests == []
    assert "trying again" not in caplog.text


def test_a_ca_bundle_that_is_not_there_is_said(secure, target, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(target.parent / "none.pem"))
    with pytest.raises(DownloadError, match=r"none\.pem"):
        fetch(secure.add("/model.zip", CONTENT), target)


def test_https_never_becomes_http(secure, server, target, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.ca_file))
    url = secure.redirect("/a.zip", server.add("/model.zip", CONTENT))
    with pytest.raises(DownloadError, match="not allowed"):
        fetch(url, target)
    assert server.requests == []


def test_plain_http_where_https_is_expected_is_an_error(server, target):
    url = server.add("/model.zip", CONTENT).replace("http://", "https://")
    with pytest.raises(DownloadError, match="encrypted connection failed"):
        fetch(url, target, attempts=2)


@pytest.fixture
def hidden(tmp_path_factory):
    """Return a server whose name no name server knows."""
    folder = tmp_path_factory.mktemp("tls")
    with Server(tls_folder=folder, host="models.invalid") as server:
        yield server


def test_https_through_the_proxy_of_the_environment(hidden, target, monkeypatch):
    url = hidden.add("/model.zip", CONTENT, Fault(cut_after=SIZE // 2))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hidden.ca_file))
    with Proxy(hidden.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        fetch(url, target)
        assert proxy.seen == [f"CONNECT models.invalid:{hidden.port}"] * 2
    assert "range" in hidden.asked("/model.zip")[1]
    assert_whole(target)


def test_without_the_proxy_that_server_is_not_reached(hidden, target):
    with pytest.raises(DownloadError, match="no connection"):
        fetch(hidden.add("/model.zip", CONTENT), target, attempts=1)


def test_http_through_the_proxy_unless_no_proxy(server, target, monkeypatch):
    url = server.add("/model.zip", CONTENT)
    with Proxy(server.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        fetch(url, target)
        assert proxy.seen == [f"GET {url}"]
        assert_whole(target)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        fetch(url, target)
        assert len(proxy.seen) == 1
    assert_whole(target)


def test_a_proxy_that_refuses_is_named(hidden, server, target, monkeypatch):
    with Proxy(hidden.port, refuse=403) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(DownloadError, match="proxy does not let us through") as caught:
            fetch(hidden.add("/model.zip", CONTENT), target, attempts=1)
        assert "HTTPS_PROXY" in caught.value.remedy
    with Proxy(server.port, refuse=407) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(DownloadError, match="proxy wants a user"):
            fetch(server.add("/model.zip", CONTENT), target)


# --- full and read-only file systems ----------------------------------------------------


def test_space_is_looked_at_before(server, target):
    url = server.add("/model.zip", CONTENT, always=Fault(length=10**17))
    with pytest.raises(IntegrityError, match="more than any model"):
        fetch(url, target, size_bytes=None)
    size_bytes = 10**17
    with pytest.raises(StoreError, match=r"no room .*100000000\.0 GB are needed") as caught:
        fetch(url, target, size_bytes=size_bytes)
    assert "SCT_ROOTLETS_HOME" in caught.value.remedy
    assert not target.exists()


def in_small_file_system(script: str, options: str, folder: Path) -> str:
    """Run Python code that finds `folder` to be a file system mounted with `options`."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o {options} none '{folder}'"
    probe = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("this machine lets no user mount a file system (unshare -rm)")
    run = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$0" -c "$1"', sys.executable, script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(sct_rootlets.__file__).parents[1])},
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def needs_unshare():
    if not Path("/usr/bin/unshare").exists():
        pytest.skip("no unshare: file systems cannot be mounted without root")


def script_for(url: str, folder: Path, **options) -> str:
    return textwrap.dedent(f"""
        from pathlib import Path
        from sct_rootlets.errors import StoreError
        from sct_rootlets.store.web.download import download
        folder = Path({str(folder)!r})
        try:
            download([{url!r}], folder / "a.part", **{options!r})
        except StoreError as error:
            print(error)
        print(sorted(path.name for path in folder.iterdir()))
        """)


@pytest.mark.usefixtures("needs_unshare")
def test_a_disk_that_fills_on_the_way_is_said_and_freed(server, tmp_path):
    folder = tmp_path / "small"
    url = server.add("/model.zip", CONTENT, always=Fault(chunked=True))
    said, left = in_small_file_system(script_for(url, folder), "size=128k", folder).splitlines()
    assert "the disk or your quota is full" in said
    assert "SCT_ROOTLETS_HOME" in said
    assert left == "[]"


@pytest.mark.usefixtures("needs_unshare")
def test_a_disk_too_small_is_said_before(server, tmp_path):
    folder = tmp_path / "small"
    url = server.add("/model.zip", CONTENT)
    said, left = in_small_file_system(script_for(url, folder), "size=128k", folder).splitlines()
    assert "there is no room" in said
    assert "300.0 kB are needed and 131.1 kB are free" in said
    assert left == "[]"


@pytest.mark.usefixtures("needs_unshare")
def test_a_read_only_store_is_said(server, tmp_path):
    folder = tmp_path / "small"
    url = server.add("/model.zip", CONTENT)
    said, _ = in_small_file_system(script_for(url, folder), "ro", folder).splitlines()
    assert "Read-only file system" in said
    assert "SCT_ROOTLETS_HOME" in said


def test_a_folder_that_is_not_there_is_said(server, tmp_path):
    with pytest.raises(StoreError, match="none"):
        fetch(server.add("/model.zip", CONTENT), tmp_path / "none" / "a.part")
