"""Redirects, certificates and proxies, with real servers on loopback."""

from __future__ import annotations

import pytest

from sct_rootlets.errors import DownloadError
from tests.store.server import Fault, Proxy, Server
from tests.store.web.downloading import CONTENT, SIZE, assert_whole, fetch

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


# --- HTTPS, CA bundle, proxy ------------------------------------------------------------


@pytest.fixture
def secure(tmp_path_factory):
    with Server(tls_folder=tmp_path_factory.mktemp("tls"), host="localhost") as server:
        yield server


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


def test_plain_http_where_https_is_expected_is_an_error(server, target, caplog):
    url = server.add("/model.zip", CONTENT).replace("http://", "https://")
    with pytest.raises(DownloadError, match="encrypted connection failed"):
        fetch(url, target, attempts=2)
    assert caplog.text.count("the encrypted connection failed; trying again") == 1


@pytest.fixture
def hidden(tmp_path_factory):
    """Return a server whose name no name server knows."""
    folder = tmp_path_factory.mktemp("tls")
    with Server(tls_folder=folder, host="models.invalid") as server:
        yield server


def test_https_through_the_proxy_and_the_ca_bundle_of_the_environment(hidden, target, monkeypatch):
    url = hidden.add("/model.zip", CONTENT, Fault(cut_after=SIZE // 2))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hidden.ca_file))
    with Proxy(hidden.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        fetch(url, target)
        assert proxy.seen == [f"CONNECT models.invalid:{hidden.port}"] * 2
    assert "range" in hidden.asked("/model.zip")[1]
    assert_whole(target)


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


def test_a_proxy_that_refuses_is_named(hidden, server, target, monkeypatch, caplog):
    with Proxy(hidden.port, refuse=403) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(DownloadError, match="proxy does not let us through") as caught:
            fetch(hidden.add("/model.zip", CONTENT), target, attempts=2)
        assert "HTTPS_PROXY" in caught.value.remedy
    assert caplog.text.count("the proxy does not let us through; trying again") == 1
    with Proxy(server.port, refuse=407) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(DownloadError, match="proxy wants a user"):
            fetch(server.add("/model.zip", CONTENT), target)
