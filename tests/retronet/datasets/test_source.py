"""Finding and fetching: where files are looked for, and what a failed fetch leaves behind."""

import bz2
import gzip
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest
import requests

from retronet.datasets import load
from retronet.datasets.source import MOST_BYTES, RawSplit, WrongContent, data_folder, obtain, unpack
from retronet.datasets.usps import TEST, decode
from retronet.errors import DataError


class Server:
    """Takes the place of the network: answers each address with a file's content or an error."""

    def __init__(self, answers: dict[str, bytes | BaseException]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.timeout: tuple[float, float] = (0, 0)

    def downloader(self, chunk_size: int, timeout: tuple[float, float]) -> "Server":  # noqa: ARG002
        self.timeout = timeout
        return self

    def __call__(self, url: str, output_file: Path, _pooch: None) -> None:
        self.asked.append(url)
        answer = self.answers.get(url.rsplit("/", 1)[1], requests.ConnectionError("no route"))
        if isinstance(answer, BaseException):
            # As a broken connection does: some of the file is there already.
            output_file.write_bytes(b"half")
            raise answer
        output_file.write_bytes(answer)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch):  # noqa: ANN201
    monkeypatch.delenv("RETRONET_OFFLINE")

    def start(answers: dict[str, bytes | BaseException]) -> Server:
        server = Server(answers)
        monkeypatch.setattr(pooch, "HTTPDownloader", server.downloader)
        return server

    return start


@pytest.fixture
def usps_files(data_dir: Path) -> dict[str, bytes]:
    return {name: (data_dir / "usps" / name).read_bytes() for name in ("zip.train.gz", "zip.test.gz")}


def test_data_folder_is_the_given_then_the_environments_then_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RETRONET_DATA_DIR", "/from/environment")
    assert data_folder(Path("/given")) == Path("/given")
    assert data_folder() == Path("/from/environment")
    monkeypatch.delenv("RETRONET_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert data_folder().name == "retronet"


def test_fetched_files_are_stored_and_not_fetched_again(serve, usps_files, tmp_path: Path) -> None:  # noqa: ANN001
    server = serve(usps_files)

    first = load("usps", data_dir=tmp_path / "new")
    again = load("usps", data_dir=tmp_path / "new")

    assert len(server.asked) == 2
    assert sorted(path.name for path in (tmp_path / "new" / "usps").iterdir()) == sorted(usps_files)
    assert first.train.provenance == again.train.provenance
    assert max(server.timeout) <= 10


def test_fetches_over_http_and_names_the_status_of_a_refusal(
    monkeypatch: pytest.MonkeyPatch, usps_files: dict[str, bytes], tmp_path: Path
) -> None:
    monkeypatch.delenv("RETRONET_OFFLINE")
    monkeypatch.setenv("NO_PROXY", "*")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "zip.test.gz").write_bytes(usps_files["zip.test.gz"])

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "served"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"

    def fetch(*names: str) -> RawSplit:
        file = replace(TEST.file, addresses=tuple(f"{host}/{name}" for name in names))
        return obtain(file, tmp_path / "data", partial(decode, split=TEST), download=True)

    try:
        with pytest.raises(DataError, match=r"could not be fetched \(127\.0\.0\.1: it answers 404\)"):
            fetch("nonesuch")
        fetched = fetch("nonesuch", "zip.test.gz")
    finally:
        server.shutdown()
        server.server_close()

    assert fetched.images.shape == (2007, 16, 16)
    (stored,) = (tmp_path / "data" / "usps").iterdir()
    assert stored.read_bytes() == usps_files["zip.test.gz"]


def test_the_next_address_is_asked_when_the_first_sends_a_web_page(serve, usps_files, tmp_path: Path) -> None:  # noqa: ANN001
    server = serve(
        {
            "zip.train.gz": b"<html>moved</html>",
            # ESL text under the LIBSVM address: content, not the name, decides.
            "usps.bz2": gzip.decompress(usps_files["zip.train.gz"]),
            "zip.test.gz": usps_files["zip.test.gz"],
        }
    )

    load("usps", data_dir=tmp_path)

    assert [url.rsplit("/", 1)[1] for url in server.asked] == ["zip.train.gz", "usps.bz2", "zip.test.gz"]
    assert sorted(path.name for path in (tmp_path / "usps").iterdir()) == ["usps.bz2", "zip.test.gz"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (requests.ConnectionError("no route"), "hastie.su.domains: no connection"),
        (requests.ConnectTimeout("5 s"), "hastie.su.domains: no answer in time"),
        (requests.HTTPError(response=None), "hastie.su.domains: it answers an error"),
        (b"<html>sign in</html>", "hastie.su.domains: it is a web page, not digits"),
        (gzip.compress(b"9 -1 -1"), "hastie.su.domains: it has 3 numbers"),
    ],
)
def test_a_failed_fetch_says_why_and_leaves_nothing(serve, tmp_path: Path, answer, reason: str) -> None:  # noqa: ANN001
    serve({"zip.train.gz": answer})
    folder = tmp_path / "deep" / "data"

    with pytest.raises(
        DataError, match=f"USPS train set is not in .*{reason}.*Copy one of zip.train,"
    ) as caught:
        load("usps", data_dir=folder)

    assert "www.csie.ntu.edu.tw: no connection" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_fetch_leaves_nothing(serve, tmp_path: Path) -> None:  # noqa: ANN001
    class Stop(BaseException):
        pass

    serve({"zip.train.gz": Stop()})

    with pytest.raises(Stop):
        load("usps", data_dir=tmp_path / "data")

    assert list(tmp_path.iterdir()) == []


def test_a_failed_fetch_leaves_what_was_there(serve, usps_files, tmp_path: Path) -> None:  # noqa: ANN001
    serve({"zip.test.gz": usps_files["zip.test.gz"][:-100]})
    (tmp_path / "usps").mkdir()
    (tmp_path / "usps/zip.train.gz").write_bytes(usps_files["zip.train.gz"])

    with pytest.raises(DataError, match=r"USPS test set is not in .*hastie.su.domains: it is cut short"):
        load("usps", data_dir=tmp_path)

    assert [path.name for path in (tmp_path / "usps").iterdir()] == ["zip.train.gz"]


def test_a_folder_that_can_not_be_made_is_named(serve, tmp_path: Path) -> None:  # noqa: ANN001
    serve({})
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DataError, match=r"The folder .*file/usps can not be written: .*--data-dir"):
        load("usps", data_dir=tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("usps/usps.h5", "an HDF5 file"),
        ("usps.h5", "an HDF5 file"),
        ("usps/usps_all.mat", "a MATLAB file"),
        ("usps/train-00000-of-00001.parquet", "a Parquet file"),
        ("USPS.zip", "an archive"),
    ],
)
def test_copies_of_another_form_are_named_with_what_to_do(
    serve,  # noqa: ANN001
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    form: str,
) -> None:
    (tmp_path / "usps").mkdir()
    (tmp_path / name).write_bytes(b"...")
    (tmp_path / "mnist.h5").write_bytes(b"of no interest here")
    serve({})
    said = rf"{name} is {form}: such copies of USPS have 8-bit pixels, .* not read\. Copy one of zip\."
    with pytest.raises(DataError, match=said):
        load("usps", data_dir=tmp_path)
    monkeypatch.setenv("RETRONET_OFFLINE", "1")
    with pytest.raises(DataError, match=said):
        load("usps", data_dir=tmp_path)
    with pytest.raises(DataError, match=said + ".* run `retronet data fetch usps --data-dir ") as caught:
        obtain(TEST.file, tmp_path, partial(decode, split=TEST), download=False)
    assert "mnist" not in str(caught.value)


def test_only_a_file_in_the_cache_is_to_be_deleted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RETRONET_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = data_folder()
    assert folder.is_relative_to(tmp_path)
    (folder / "usps").mkdir(parents=True)
    (folder / "usps" / "zip.train.gz").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"Delete that file and run `retronet data fetch usps`\."):
        load("usps")

    (tmp_path / "own" / "usps").mkdir(parents=True)
    (tmp_path / "own" / "usps" / "zip.train.gz").write_bytes(b"broken")
    for variable in ("", "RETRONET_DATA_DIR"):
        monkeypatch.setenv(variable or "UNUSED", str(tmp_path / "own"))
        with pytest.raises(DataError, match="or move it away and run `retronet data fetch usps") as caught:
            load("usps", data_dir=None if variable else tmp_path / "own")
        assert "elete" not in str(caught.value)
        assert ("--data-dir" in str(caught.value)) == (not variable)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
def test_packed_files_are_unpacked_no_further_than_allowed(
    pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retronet.datasets.source.MOST_BYTES", 1 << 20)
    content = pack(b"\0" * (30 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(WrongContent, match="it has more than 1,048,576 bytes"):
            unpack(content)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_file_larger_than_any_known_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "usps").mkdir()
    with (tmp_path / "usps" / "zip.train").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(
        DataError, match="it has more than 67,108,864 bytes, which none of the known files has"
    ):
        load("usps", data_dir=tmp_path)


def test_offline_asks_nobody(serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: ANN001
    server = serve({})
    monkeypatch.setenv("RETRONET_OFFLINE", "1")
    (tmp_path / "mnist").mkdir()

    with pytest.raises(DataError, match=r"MNIST train images is not in .*RETRONET_OFFLINE forbids fetching"):
        load("mnist", data_dir=tmp_path)

    assert server.asked == []
    assert list((tmp_path / "mnist").iterdir()) == []
