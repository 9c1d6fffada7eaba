import importlib
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from jde import cli
from jde.cli import COMMANDS, Command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_teaches(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = COMMANDS[name]
    module = importlib.import_module(f"jde.commands.{command.module}")
    assert is_dataclass(getattr(module, command.options))
    with pytest.raises(SystemExit) as left:
        cli.run([*name.split(), "--help"])
    assert left.value.code == 0
    assert "usage: jde" in capsys.readouterr().out


def test_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"jde {name}" in shown for name in COMMANDS)


def test_a_misspelt_command_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["trakc", "a.mp4"]) == 2
    assert capsys.readouterr().err == (
        "jde: there is no command 'jde trakc'; did you mean 'jde track'?\n"
    )


def make_command(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Put a command in place that fails in a given way."""
    from jde.commands import demo

    def fail(_options: object) -> str:
        raise error

    monkeypatch.setattr(demo, "run", fail)
    monkeypatch.setitem(COMMANDS, "demo", Command("demo", "DemoOptions", "fails"))


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (FileNotFoundError(2, "No such file or directory", "a/b.txt"), 2, "jde: a/b.txt: No such"),
        (PermissionError(13, "Permission denied", "/root/x"), 2, "jde: /root/x: Permission denied"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (KeyboardInterrupt(), 130, "jde: interrupted"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            2,
            "jde: jde demo needs torch, which is not installed: pip install 'jde[torch]'",
        ),
    ],
)
def test_faults_outside_the_program_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    message: str,
) -> None:
    make_command(monkeypatch, error)
    assert cli.run(["demo"]) == code
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_our_own_mistakes_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    make_command(monkeypatch, ModuleNotFoundError("No module named 'jde.gone'", name="jde.gone"))
    with pytest.raises(ModuleNotFoundError):
        cli.run(["demo"])


def test_help_and_import_load_nothing_heavy() -> None:
    code = (
        "import sys, jde.cli; jde.cli.run([]);"
        "heavy = {'torch', 'cv2', 'av', 'scipy', 'tyro', 'numpy'} & set(sys.modules);"
        "print('heavy:', sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.endswith("heavy: []\n")


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jde", "track", str(tmp_path / "gone.mp4")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "gone.mp4" in done.stderr
    assert "Traceback" not in done.stderr
