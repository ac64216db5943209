from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from local_aws.database_files import UnusableStore
from local_aws.store import FORMAT, AlreadyExists, Document, Store, scoped


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state.sqlite")


def test_documents_are_found_by_kind_and_name(store: Store) -> None:
    store.put("model", "us-west-2/a", {"n": 1})
    assert store.get("model", "us-west-2/a") == {"n": 1}
    assert store.get("endpoint", "us-west-2/a") is None


def test_a_name_is_taken_once(store: Store) -> None:
    store.insert("model", "a", {"n": 1})
    with pytest.raises(AlreadyExists):
        store.insert("model", "a", {"n": 2})
    assert store.get("model", "a") == {"n": 1}


def test_a_list_keeps_the_order_of_creation_also_after_changes(store: Store) -> None:
    for name in ("c", "a", "b"):
        store.insert("model", scoped("us-west-2", name), {"name": name})
    store.insert("model", scoped("eu-west-1", "d"), {"name": "d"})
    store.put("model", scoped("us-west-2", "c"), {"name": "C"})
    assert [document["name"] for document in store.list("model", scoped("us-west-2", ""))] == ["C", "a", "b"]


def test_a_prefix_is_taken_literally(store: Store) -> None:
    store.insert("object", "a_b/x", {"n": 1})
    store.insert("object", "aXb/x", {"n": 2})
    assert store.list("object", "a_b/") == [{"n": 1}]


def test_updates_do_not_lose_each_other(store: Store) -> None:
    store.put("counter", "c", {"n": 0})

    def count(document: Document) -> None:
        document["n"] += 1

    def work() -> None:
        for _ in range(50):
            store.update("counter", "c", count)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("counter", "c") == {"n": 200}


def test_a_failing_update_changes_nothing(store: Store) -> None:
    store.put("model", "a", {"n": 1})

    def fail(document: Document) -> None:
        document["n"] = 2
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.update("model", "a", fail)
    assert store.get("model", "a") == {"n": 1}


def test_documents_survive(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.sqlite")
    first.put("model", "a", {"name": "é"})
    first.close()
    assert Store(tmp_path / "state.sqlite").get("model", "a") == {"name": "é"}


def test_what_is_deleted_is_gone(store: Store) -> None:
    store.put("model", "a", {})
    assert store.delete("model", "a")
    assert not store.delete("model", "a")
    assert store.update("model", "a", lambda document: None) is None


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "state.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
        database.execute(f"PRAGMA user_version={FORMAT + 1}")
    with pytest.raises(UnusableStore, match=rf"format {FORMAT + 1}; this one reads {FORMAT}.* Delete the folder"):
        Store(tmp_path / "state.sqlite")


def test_a_list_by_prefix_is_not_a_list_of_neighbours(store: Store) -> None:
    for name in ("a", "a/", "a/b", "a/\U0001f600", "a0", "b/a"):
        store.insert("model", name, {"name": name})
    assert [document["name"] for document in store.list("model", "a/")] == ["a/", "a/b", "a/\U0001f600"]


def test_a_store_from_before_formats_were_numbered_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
        database.execute("CREATE TABLE documents (name TEXT)")
    with pytest.raises(UnusableStore, match="another version"):
        Store(tmp_path / "state.sqlite")


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    file.write_bytes(b"my notes" * 100)
    with pytest.raises(UnusableStore, match="no file of local_aws"):
        Store(tmp_path / "state.sqlite")
    assert file.read_bytes() == b"my notes" * 100


def test_a_store_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.sqlite")
    with pytest.raises(UnusableStore, match="in use by another local_aws"):
        Store(tmp_path / "state.sqlite")
    first.close()
    Store(tmp_path / "state.sqlite").close()


def test_listeners_are_told_of_changes_of_their_kind_in_order(store: Store) -> None:
    heard: list[tuple[str, Document | None, Document | None]] = []
    store.subscribe("fruit", lambda *change: heard.append(change))
    store.insert("fruit", "apple", {"Color": "green"})
    store.insert("stone", "granite", {"Color": "grey"})
    store.update("fruit", "apple", lambda document: {**document, "Color": "red"})
    store.put("fruit", "pear", {"Color": "yellow"})
    store.delete("fruit", "apple")
    store.delete("fruit", "never there")
    assert heard == [
        ("apple", None, {"Color": "green"}),
        ("apple", {"Color": "green"}, {"Color": "red"}),
        ("pear", None, {"Color": "yellow"}),
        ("apple", {"Color": "red"}, None),
    ]


def test_a_listener_that_fails_takes_nothing_back(store: Store) -> None:
    def fail(*change: object) -> None:
        raise ValueError("not my day")

    store.subscribe("fruit", fail)
    store.insert("fruit", "apple", {})
    assert store.get("fruit", "apple") == {}


def test_a_damaged_page_is_found_at_the_start_and_told(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    store = Store(file)
    for number in range(500):
        store.insert("model", f"{number}", {"text": "x" * 1000})
    store.close()
    with file.open("r+b") as damaged:
        damaged.seek(20 * 4096)
        damaged.write(b"\xff" * 4096)
    with pytest.raises(UnusableStore, match=r"state.sqlite is damaged.* Delete the folder"):
        Store(file)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").mkdir()
    with pytest.raises(UnusableStore, match=r"cannot be opened or written: .* Make sure that .* can be written"):
        Store(tmp_path / "state.sqlite")
