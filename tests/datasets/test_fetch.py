"""Downloads from a server on this machine that cuts, lies and changes its files."""

from __future__ import annotations

import errno
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from tiny_collection import FILE, NOTES, TinyCollection
from tiny_dataset import Tiny, tiny_files, zipped

from har_virtual.datasets import _archives, _download, fetch
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.exceptions import DownloadError, TermsError, UnknownNameError
from har_virtual.files import content_sha256

NAME = "tiny.zip"
# Bytes that do not pack, so that a download can be cut at many places.
NOISE = np.random.default_rng(0).bytes(50_000)
ARCHIVE = zipped({f"Tiny_Data/{name}": content for name, content in tiny_files().items()} | {"noise.bin": NOISE})
CONSENT = {"accept_terms": True, "verbose": 0}
PAGE = b"<!DOCTYPE html><title>Please log in</title>"


class Server(ThreadingHTTPServer):
    """A server of one file.

    Each entry of `cuts` ends one answer after so many bytes. Of a range it gives at most `step` bytes, from `shift`
    bytes behind the place that was asked for. An answer waits until it is `open`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.mark, self.kind = ARCHIVE, '"1"', "application/zip"
        self.status, self.redirect, self.with_ranges, self.with_size = 200, "", True, True
        self.step, self.shift, self.modified = len(ARCHIVE), 0, ""
        self.cuts: list[int] = []
        self.asked: list[str | None] = []
        self.conditions: list[str | None] = []
        self.n_connections = 0
        self.open = threading.Event()
        self.open.set()

    def get_request(self):
        self.n_connections += 1
        return super().get_request()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        server.asked.append(asked)
        server.conditions.append(condition)
        server.open.wait(10)
        size = len(server.content)
        start, stop = 0, size
        if asked and server.with_ranges and condition in (None, server.mark, server.modified):
            start = int(asked.removeprefix("bytes=").removesuffix("-")) + server.shift
            stop = min(start + server.step, size + server.shift)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        elif server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
        else:
            self.send_response(server.status)
        content = (server.content * 2)[start:stop]
        self.send_header("Content-Type", server.kind)
        if server.with_size:
            self.send_header("Content-Length", "0" if server.redirect else str(len(content)))
        if server.mark:
            self.send_header("ETag", server.mark)
        if server.modified:
            self.send_header("Last-Modified", server.modified)
        self.end_headers()
        if not server.redirect:
            self.wfile.write(content[: server.cuts.pop(0)] if server.cuts else content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def serve(monkeypatch) -> Iterator[type]:
    """Run servers until the test ends."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_download, "_PAUSE_S", 0.0)
    running = []

    def start(context: ssl.SSLContext | None = None) -> Server:
        server = Server()
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server(serve) -> Server:
    return serve()


def tiny(server: Server | str, sha256: str | None = None) -> Tiny:
    url = server if isinstance(server, str) else server.url
    dataset = Tiny()
    dataset.source = Source(url, NAME, 51_000_000, sha256, "CC BY 4.0", "https://example.org/tiny")
    return dataset


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


WHOLE = sorted([NAME, f"{NAME}.json", *(f"Tiny_Data/{name}" for name in tiny_files())])


def test_a_data_set_is_downloaded_unpacked_and_found_by_its_loader(server, tmp_path, capfd):
    home = fetch_dataset(tiny(server), tmp_path / "new", **CONSENT)
    assert home == tmp_path / "new" / "Tiny_Data"
    assert names(tmp_path / "new") == WHOLE
    assert len(Tiny().load(tmp_path / "new", cache=False)) == 4
    assert capfd.readouterr() == ("", "")


def test_without_consent_the_terms_are_shown_and_nothing_is_downloaded(server, tmp_path):
    with pytest.raises(TermsError) as error:
        fetch_dataset(tiny(server), tmp_path / "my data")
    for shown in ("CC BY 4.0", "https://example.org/tiny", "51 MB", server.url, "accept_terms=True"):
        assert shown in str(error.value)
    assert f"har-virtual datasets fetch tiny '{tmp_path / 'my data'}' --accept-terms" in str(error.value)
    assert server.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_second_call_asks_neither_the_server_nor_for_consent(server, tmp_path):
    home = fetch_dataset(tiny(server), tmp_path, **CONSENT)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in WHOLE}
    assert fetch_dataset(tiny(server), tmp_path) == home
    assert len(server.asked) == 1
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)} == before


def test_a_complete_download_by_hand_is_left_alone(server, tmp_path):
    for name, content in tiny_files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert fetch_dataset(tiny(server), tmp_path) == tmp_path
    assert names(tmp_path) == sorted(tiny_files())
    assert server.asked == []


def test_each_name_that_the_home_may_have_counts(server, tmp_path):
    class TwoNames(Tiny):
        folders = ("Tiny_Data", "Tiny_v2")

    dataset = TwoNames()
    dataset.source = tiny(server).source
    server.content = zipped({f"Tiny_v2/{name}": content for name, content in tiny_files().items()})
    home = fetch_dataset(dataset, tmp_path, **CONSENT)
    assert home == tmp_path / "Tiny_v2"
    assert names(home) == sorted(tiny_files())
    # As somebody else would have unpacked it.
    (tmp_path / f"{NAME}.json").unlink()
    (tmp_path / NAME).unlink()
    assert fetch_dataset(dataset, tmp_path) == home
    assert len(server.asked) == 1


def test_an_archive_that_was_put_there_by_hand_is_taken(server, tmp_path):
    (tmp_path / NAME).write_bytes(ARCHIVE)
    fetch_dataset(tiny(server), tmp_path)
    assert names(tmp_path) == WHOLE
    assert server.asked == []


def test_a_cut_connection_is_taken_up_where_it_broke(server, tmp_path):
    server.cuts = [10_000, 0, 20_000, 1]
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    # Blocks that did not come whole may be lost.
    starts = [0 if asked is None else int(asked[6:-1]) for asked in server.asked]
    assert starts == sorted(starts) and starts[-1] > 20_000
    assert (tmp_path / NAME).read_bytes() == ARCHIVE


def test_a_later_call_goes_on_from_what_an_earlier_one_left(server, tmp_path):
    server.cuts = [30_000, 0, 0, 0]
    with pytest.raises(DownloadError, match="fetch again to go on") as error:
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert f"save it as {tmp_path / NAME}" in str(error.value)
    assert names(tmp_path) == [f"{NAME}.part", f"{NAME}.part.json"]
    there = (tmp_path / f"{NAME}.part").stat().st_size
    assert 0 < there <= 30_000
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert server.asked[-1] == f"bytes={there}-"
    assert names(tmp_path) == WHOLE


@pytest.fixture
def part(server, tmp_path) -> Path:
    """The unfinished file of an earlier call; the server gives no cut answers any more."""
    server.cuts = [30_000, 0, 0, 0]
    with pytest.raises(DownloadError):
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    server.asked.clear()
    server.conditions.clear()
    return tmp_path / f"{NAME}.part"


@pytest.mark.parametrize("change", ["mark", "ranges", "size"])
def test_a_file_that_changed_meanwhile_is_downloaded_anew(server, tmp_path, part, change):
    other = zipped(
        {f"Tiny_Data/{name}": content for name, content in tiny_files().items()} | {"noise.bin": NOISE[::-1]}
    )
    assert len(other) == len(ARCHIVE)
    server.content = ARCHIVE + b"\0" * 500 if change == "size" else other
    if change == "mark":
        server.mark = '"2"'
    if change == "size":
        # Together with what is there, as many bytes as the file had before.
        server.step = len(ARCHIVE) - part.stat().st_size
    server.with_ranges = change != "ranges"
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert (tmp_path / NAME).read_bytes() == server.content
    assert len(server.asked) == (2 if change == "size" else 1)


def test_the_rest_is_asked_for_on_condition_that_the_file_is_the_same(server, tmp_path, part):
    there = part.stat().st_size
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert (server.asked, server.conditions) == ([f"bytes={there}-"], ['"1"'])


@pytest.mark.parametrize("modified", ["", "Sat, 21 Nov 2020 09:00:00 GMT"])
def test_a_weak_mark_is_no_condition_but_the_time_of_the_last_change_is(server, tmp_path, modified):
    server.mark, server.modified, server.cuts = 'W/"1"', modified, [30_000]
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert server.conditions == [None, modified or None]
    assert (tmp_path / NAME).read_bytes() == ARCHIVE


@pytest.mark.parametrize("shift", [-7, 7])
def test_a_server_that_goes_on_at_another_place_is_noticed(server, tmp_path, part, shift):
    server.shift, there = shift, part.stat().st_size
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert server.asked == [f"bytes={there}-", None]
    assert (tmp_path / NAME).read_bytes() == ARCHIVE


def test_a_server_that_gives_less_than_was_asked_for_is_asked_for_the_rest(server, tmp_path, part):
    there = part.stat().st_size
    server.step = 8_000
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert server.asked == [f"bytes={start}-" for start in range(there, len(ARCHIVE), server.step)]
    assert (tmp_path / NAME).read_bytes() == ARCHIVE


def test_a_part_that_is_whole_needs_no_server(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(ARCHIVE)
    (tmp_path / f"{NAME}.part.json").write_text(json.dumps([server.url, len(ARCHIVE), '"1"']), encoding="utf-8")
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert server.asked == []
    assert names(tmp_path) == WHOLE


def test_a_part_that_is_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(ARCHIVE + b"more")
    (tmp_path / f"{NAME}.part.json").write_text(json.dumps([server.url, len(ARCHIVE), '"1"']), encoding="utf-8")
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert (tmp_path / NAME).read_bytes() == ARCHIVE


def test_a_part_of_which_nothing_is_known_is_not_trusted(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 100)
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert server.asked == [None]
    assert names(tmp_path) == WHOLE


def test_a_file_of_unknown_length_that_was_cut_is_no_archive(server, tmp_path):
    server.with_size, server.cuts = False, [30_000]
    with pytest.raises(DownloadError, match="no zip archive but something that begins with b'PK"):
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("text/html; charset=utf-8", r"tiny\.zip gave a web page instead of the file: it was moved, or needs a login"),
        ("application/zip", "no zip archive but something that begins with b'<!DOCTYPE html>"),
    ],
)
def test_a_web_page_instead_of_the_archive_is_said_and_not_kept(server, tmp_path, kind, reason):
    server.content, server.kind = PAGE, kind
    with pytest.raises(DownloadError, match=reason) as error:
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert "By hand: get" in str(error.value)
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 503])
def test_an_answer_of_the_server_that_is_an_error_is_said(server, tmp_path, status):
    server.status = status
    with pytest.raises(DownloadError, match=f"(?s)the server answered {status} .*By hand: get"):
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert len(server.asked) == 1


def test_no_server_is_one_clear_error(server, tmp_path):
    closed = tiny(server.url.replace(str(server.server_port), "1"))
    with pytest.raises(DownloadError, match=r"(?s)^Tiny could not be fetched: the connection failed.*By hand: get"):
        fetch_dataset(closed, tmp_path, **CONSENT)


def test_a_known_sha256_is_checked(server, tmp_path):
    with pytest.raises(DownloadError, match="another sha256 than is known"):
        fetch_dataset(tiny(server, sha256="0" * 64), tmp_path, **CONSENT)
    assert names(tmp_path) == []
    (tmp_path / NAME).write_bytes(ARCHIVE)
    fetch_dataset(tiny(server, sha256=content_sha256(tmp_path / NAME)), tmp_path / "b", **CONSENT)
    assert names(tmp_path / "b") == WHOLE
    with pytest.raises(DownloadError, match="is not what it should be"):
        fetch_dataset(tiny(server, sha256="0" * 64), tmp_path, **CONSENT)


def test_the_sha256_of_the_first_download_holds_from_then_on(server, tmp_path):
    fetch_dataset(tiny(server), tmp_path, **CONSENT)
    archive, record = tmp_path / NAME, json.loads((tmp_path / f"{NAME}.json").read_text(encoding="utf-8"))
    assert record["sha256"] == content_sha256(archive)
    assert record["licence"] == "CC BY 4.0"
    archive.write_bytes(ARCHIVE[:-1] + b"x")
    with pytest.raises(DownloadError, match=r"tiny\.zip is not what it should be.*Delete it"):
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    archive.unlink()
    shutil.rmtree(tmp_path / "Tiny_Data")
    server.content = ARCHIVE + b"\0"
    with pytest.raises(DownloadError, match="another sha256 than is known"):
        fetch_dataset(tiny(server), tmp_path, **CONSENT)


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"1,walking")])
def test_a_file_that_is_missing_or_short_comes_back_from_the_archive(server, tmp_path, harm):
    home = fetch_dataset(tiny(server), tmp_path, **CONSENT)
    (home / "mine.txt").touch()
    harm(home / "data/p2_left_wrist.csv")
    assert fetch_dataset(tiny(server), tmp_path) == home
    assert (home / "data/p2_left_wrist.csv").read_bytes() == tiny_files()["data/p2_left_wrist.csv"]
    assert (home / "mine.txt").exists()
    assert len(server.asked) == 1


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b'{"sha256": 1}', b"\xff", b'{"sha256": "0", "home": "x"}'])
def test_a_damaged_record_counts_as_none(server, tmp_path, record):
    (tmp_path / NAME).write_bytes(ARCHIVE)
    (tmp_path / f"{NAME}.json").write_bytes(record)
    assert fetch_dataset(tiny(server), tmp_path) == tmp_path / "Tiny_Data"
    assert json.loads((tmp_path / f"{NAME}.json").read_text(encoding="utf-8"))["home"] == "Tiny_Data"


def test_an_archive_in_the_archive_is_unpacked_if_the_data_are_in_it(server, tmp_path):
    inner = zipped({f"Tiny_Data/{name}": content for name, content in tiny_files().items()})
    server.content = zipped({"readme.pdf": b"", "download/Tiny.zip": inner})
    assert fetch_dataset(tiny(server), tmp_path, **CONSENT) == tmp_path / "Tiny_Data"
    assert names(tmp_path) == WHOLE


def test_an_archive_that_was_unpacked_is_not_kept_beside_what_was_in_it(server, tmp_path):
    server.content = zipped({"readme.pdf": b"", "Tiny.zip": zipped(tiny_files())})
    home = fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert home == tmp_path / "Tiny_Data"
    assert names(home) == sorted([*tiny_files(), "readme.pdf"])


def test_archives_among_the_data_stay_archives(server, tmp_path):
    server.content = zipped({f"x/{name}": content for name, content in {**tiny_files(), "data/b.zip": ARCHIVE}.items()})
    home = fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert (home / "data/b.zip").read_bytes() == ARCHIVE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped({"a.txt": b"1"}), "holds nothing of Tiny, such as data/p1_left_wrist.csv"),
        (zipped({"data/p1_left_wrist.csv": b"1,a", "../x": b"1"}), "points outside"),
        (ARCHIVE.replace(NOISE[:9], b"123456789"), "Bad CRC-32|zlib|invalid"),
    ],
)
def test_a_wrong_archive_leaves_no_data_set_that_looks_whole(server, tmp_path, content, reason):
    server.content = content
    with pytest.raises(DownloadError, match=reason) as error:
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert f"Delete {tmp_path / NAME}" in str(error.value)
    assert names(tmp_path) == [NAME]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is a full disk")
def test_a_full_disk_is_said(server, tmp_path):
    (tmp_path / f"{NAME}.part").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"the disk is full\. Free some space"):
        fetch_dataset(tiny(server), tmp_path, **CONSENT)


@pytest.fixture
def full_disk(monkeypatch) -> Iterator[None]:
    """A disk with room for one and a half of the archive's files."""
    copy, n_copied = shutil.copyfileobj, 0

    def copy_until_full(source, target, *arguments):
        nonlocal n_copied
        n_copied += 1
        if n_copied > 1:
            target.write(source.read(10))
            raise OSError(errno.ENOSPC, "No space left on device")
        copy(source, target, *arguments)

    with monkeypatch.context() as context:
        context.setattr(_archives.shutil, "copyfileobj", copy_until_full)
        yield


def test_a_disk_that_is_full_while_unpacking_leaves_nothing_that_looks_whole(server, tmp_path, full_disk):
    (tmp_path / NAME).write_bytes(ARCHIVE)
    with pytest.raises(DownloadError, match=r"the disk is full\. Free some space and fetch again"):
        fetch_dataset(tiny(server), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_disk_that_is_full_leaves_a_data_set_as_it_was(server, tmp_path, full_disk):
    (tmp_path / NAME).write_bytes(ARCHIVE)
    (tmp_path / "Tiny_Data/data").mkdir(parents=True)
    (tmp_path / "Tiny_Data/data/p1_left_wrist.csv").write_bytes(b"1,walking")
    with pytest.raises(DownloadError, match="the disk is full"):
        fetch_dataset(tiny(server), tmp_path)
    assert names(tmp_path) == ["Tiny_Data/data/p1_left_wrist.csv", NAME]
    assert (tmp_path / "Tiny_Data/data/p1_left_wrist.csv").read_bytes() == b"1,walking"


def test_a_second_process_says_that_another_one_is_at_work(server, tmp_path):
    server.open.clear()
    first = threading.Thread(target=fetch_dataset, args=(tiny(server), tmp_path), kwargs=CONSENT)
    first.start()
    while first.is_alive() and not server.asked:
        first.join(0.01)
    with pytest.raises(DownloadError, match=rf"^{tmp_path / NAME} is being fetched by another process: wait") as error:
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
    assert f"delete {tmp_path / NAME}.lock" in str(error.value)
    server.open.set()
    first.join()
    assert len(server.asked) == 1
    assert names(tmp_path) == WHOLE


def test_a_lock_that_was_left_behind_is_kept_until_it_is_deleted(server, tmp_path):
    lock = tmp_path / f"{NAME}.lock"
    for _ in range(2):
        lock.touch()
        with pytest.raises(DownloadError, match="is being fetched by another process"):
            fetch_dataset(tiny(server), tmp_path, **CONSENT)
    lock.unlink()
    home = fetch_dataset(tiny(server), tmp_path, **CONSENT)
    lock.touch()
    assert fetch_dataset(tiny(server), tmp_path) == home


def test_what_another_process_brought_at_the_last_moment_is_not_fetched_again(server, tmp_path, monkeypatch):
    lock = fetch._locked

    @contextmanager
    def lock_late(archive: Path) -> Iterator[None]:
        monkeypatch.setattr(fetch, "_locked", lock)
        fetch_dataset(tiny(server), tmp_path, **CONSENT)
        before.update({name: (tmp_path / name).stat().st_mtime_ns for name in WHOLE})
        with lock(archive):
            yield

    before: dict[str, int] = {}
    monkeypatch.setattr(fetch, "_locked", lock_late)
    assert fetch_dataset(tiny(server), tmp_path, **CONSENT) == tmp_path / "Tiny_Data"
    assert len(server.asked) == 1
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in WHOLE} == before


def test_a_folder_that_cannot_be_made_is_said(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"Not a directory|File exists"):
        fetch_dataset(tiny(server), tmp_path / "file" / "home", **CONSENT)


def test_a_data_set_that_needs_a_form_says_how_to_get_it(tmp_path):
    with pytest.raises(
        DownloadError, match=r"(?s)Tiny cannot be fetched by a program.*Ask <tiny@example\.org> for it\.$"
    ):
        fetch_dataset(Tiny(), tmp_path, accept_terms=True)


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody else has signed, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names_ = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names_, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


@pytest.fixture
def secure(serve, certificate) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return serve(context)


def test_a_server_whose_certificate_nobody_signed_is_not_believed(secure, tmp_path):
    with pytest.raises(DownloadError, match="certificate could not be verified, so nothing was downloaded"):
        fetch_dataset(tiny(secure.url.replace("http:", "https:")), tmp_path / "data", **CONSENT)
    assert secure.asked == []
    assert secure.n_connections == 1
    assert names(tmp_path / "data") == []


def test_a_way_from_https_to_http_is_not_taken(server, secure, certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    url = secure.url.replace("http:", "https:")
    fetch_dataset(tiny(url), tmp_path / "a", **CONSENT)
    assert names(tmp_path / "a") == WHOLE
    secure.redirect = server.url
    with pytest.raises(DownloadError, match="which is not encrypted"):
        fetch_dataset(tiny(url), tmp_path / "b", **CONSENT)
    assert names(tmp_path / "b") == []


def test_a_data_set_is_fetched_by_its_name_too(tmp_path):
    with pytest.raises(TermsError, match="Creative Commons"):
        fetch_dataset("pamap2", tmp_path)
    with pytest.raises(UnknownNameError, match="There is no data set 'pamap'; there are flag3d, mm_fit, opp"):
        fetch_dataset("pamap", tmp_path)


def test_the_annotations_of_a_collection_are_fetched_as_the_plain_file_that_they_are(server, tmp_path):
    collection = TinyCollection()
    collection.source = Source(server.url, FILE, None, None, "CC BY 4.0", "https://example.org/tiny")
    server.content = NOTES.encode()
    assert fetch_dataset(collection, tmp_path, **CONSENT) == tmp_path
    assert (tmp_path / FILE).read_text(encoding="utf-8") == NOTES
    assert fetch_dataset(collection, tmp_path) == tmp_path
    assert len(server.asked) == 1
    with pytest.raises(TermsError, match=r"fetch_dataset\('tiny_videos', "):
        fetch_dataset(collection, tmp_path / "other")


@pytest.mark.parametrize(("name", "said"), [(FILE, "no such file"), ("notes.tar.gz", "no tar archive")])
def test_a_page_where_annotations_were_expected_is_not_kept(server, tmp_path, name, said):
    collection = TinyCollection()
    collection.source = Source(server.url, name, None, None, "CC BY 4.0", "https://example.org/tiny")
    server.content = PAGE
    with pytest.raises(DownloadError, match=said):
        fetch_dataset(collection, tmp_path, **CONSENT)
    assert names(tmp_path) == []
