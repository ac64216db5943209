"""Key files: which are taken, and what is said of the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.access.keys import Key, UnusableKeys, read_keys
from tests.local_aws.access.guarded import KEY, KEYS, OTHER_KEY, OTHER_SECRET, SECRET, write_keys


def test_every_profile_with_a_key_counts(tmp_path: Path) -> None:
    assert read_keys(write_keys(tmp_path)) == [Key(KEY, SECRET), Key(OTHER_KEY, OTHER_SECRET, "a-token")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no key"),
        ("[default]\naws_access_key_id = A\n", "holds no key"),
        ("[default]\naws_access_key_id =\naws_secret_access_key = x-secret\n", "holds no key"),
        ("aws_secret_access_key = x-secret\n", "is no AWS credentials file"),
        ("[default]\nx-secret\n", "is no AWS credentials file"),
    ],
)
def test_a_file_without_keys_is_told_without_its_content(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnusableKeys, match=reason) as error:
        read_keys(write_keys(tmp_path, text))
    assert "x-secret" not in str(error.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_reach_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = write_keys(tmp_path)
    file.chmod(mode)
    with pytest.raises(UnusableKeys, match="chmod 600"):
        read_keys(file)


def test_no_secret_is_in_what_is_printed_of_a_key() -> None:
    shown = repr([*map(str, [Key("A", "x-secret", "x-token")]), Key.generated()])
    assert "x-" not in shown
    assert Key.generated().secret not in shown
    assert Key.generated() != Key.generated()


@pytest.mark.parametrize("file", ["missing", "."])
def test_a_server_without_its_keys_does_not_start(tmp_path: Path, file: str) -> None:
    command = [sys.executable, "-m", "local_aws", "--port", "0", "--data-dir", str(tmp_path / "aws")]
    ended = subprocess.run(
        [*command, "--keys", str(tmp_path / file)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "local_aws cannot start: The key file" in ended.stderr
    assert KEYS not in ended.stderr
