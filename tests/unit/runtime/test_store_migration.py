"""Before anything starts the store is looked at, and migrated when it must be. A shell script is the backend here."""

import json
from pathlib import Path

import pytest

from deploy.runtime import store_migration
from deploy.runtime.progress import Silent
from deploy.runtime.store_migration import MigrationFailed, StoreMigration

URL = "postgresql://u:hunter2@db/x"


def answer(*stores: tuple[str, str | None, str | None]) -> str:
    """What the backend says of the files of a store: name, revision before, revision after."""
    listed = [{"store": name, "from": before, "to": after} for name, before, after in stores]
    return json.dumps({"up_to_date": all(after == "0003" for _, _, after in stores), "stores": listed})


CURRENT = answer(("db", "0003", "0003"), ("orders", "0003", "0003"))
BEHIND = answer(("db", "0001", "0001"), ("orders", None, None))
DONE = answer(("db", "0001", "0003"), ("orders", None, "0003"))


class Notes(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)


def backend(folder: Path, check: str, migrate: str = "exit 9") -> StoreMigration:
    """A migration whose backend runs the shell text `check` for --check, else `migrate`. It keeps its calls."""
    script = folder / "python"
    body = f'case "$*" in *--check*) {check};; *) {migrate};; esac'
    script.write_text(f'#!/bin/sh\necho "$@ $TRADING_STORE_URL" >> "{folder}/calls"\n{body}\n')
    script.chmod(0o755)
    made = StoreMigration(script, folder, {"TRADING_STORE_URL": "from the shell"})
    made.look(URL)
    return made


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def says(text: str, code: int = 0) -> str:
    return f"echo '{text}'; exit {code}"


def test_P06_a_current_store_is_only_looked_at(tmp_path: Path) -> None:
    with backend(tmp_path, says(CURRENT)) as store:
        notes = Notes()
        store.bring_up_to_date(notes)
        store.bring_up_to_date(notes)
    assert calls(tmp_path) == [f"-P -m trading_api migrate --json --check {URL}"], "and its URL is in no argument"
    assert notes.told == []


def test_D02_a_store_that_is_behind_is_migrated_once_and_that_is_told(tmp_path: Path) -> None:
    with backend(tmp_path, says(BEHIND, 1), says(DONE)) as store:
        notes = Notes()
        assert not store.is_current()
        store.bring_up_to_date(notes)
        store.bring_up_to_date(notes)
    assert len(calls(tmp_path)) == 2
    assert notes.told == ["bringing the store up to date …", "the store db went from version 0001 to 0003"]


def test_D02_what_the_backend_notes_is_told(tmp_path: Path) -> None:
    done = json.dumps({**json.loads(CURRENT), "notes": ["made orders: there was none beside db"]})
    with backend(tmp_path, says(BEHIND, 1), says(done)) as store:
        notes = Notes()
        store.bring_up_to_date(notes)
    assert notes.told == ["bringing the store up to date …", "made orders: there was none beside db"]


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (says('{"error": "db: version 0009 is newer than 0003"}', 1), "db: version 0009 is newer than 0003"),
        ("echo Traceback >&2; exit 1", "Traceback"),
        ("exit 7", "exit code 7"),
        ("echo nonsense", "nonsense"),
        (says("[]"), r"\[\]"),
    ],
)
def test_D02_a_store_of_no_use_is_refused_in_the_backends_words(tmp_path: Path, check: str, why: str) -> None:
    with (
        backend(tmp_path, check) as store,
        pytest.raises(MigrationFailed, match=f"{why}; nothing was started") as caught,
    ):
        store.bring_up_to_date(Silent())
    assert "hunter2" not in str(caught.value)
    assert len(calls(tmp_path)) == 1


@pytest.mark.parametrize("migrate", [says('{"error": "the disk is full"}', 1), says(BEHIND, 1), "kill -9 $$"])
def test_D02_a_migration_that_fails_is_told_and_nothing_counts_as_done(tmp_path: Path, migrate: str) -> None:
    with backend(tmp_path, says(BEHIND, 1), migrate) as store:
        for _ in range(2):
            with pytest.raises(MigrationFailed, match="nothing was started or changed"):
                store.bring_up_to_date(Silent())


def test_D02_a_file_that_was_changed_before_another_failed_is_no_secret(tmp_path: Path) -> None:
    partly = '{"error": "db: the disk is full; before that: orders: went on", "changed": ["orders"]}'
    words = "the disk is full; before that: orders: went on; nothing was started$"
    with backend(tmp_path, says(BEHIND, 1), says(partly, 1)) as store, pytest.raises(MigrationFailed, match=words):
        store.bring_up_to_date(Silent())


def test_D02_a_look_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_migration, "_CHECK_TIMEOUT_S", 0.2)
    with backend(tmp_path, "exec sleep 60") as store, pytest.raises(MigrationFailed, match=r"no answer within 0\.2 s"):
        store.is_current()


def test_P04_what_was_started_and_not_needed_ends(tmp_path: Path) -> None:
    with backend(tmp_path, "exec sleep 60") as store:
        process = store._look
        assert process is not None
    assert process.returncode == -9
