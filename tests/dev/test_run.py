"""`make run`: everything starts, ends, and says in one sentence what is wrong."""

import os
import signal
import stat
from collections.abc import Callable

import httpx
import psutil
import pytest

from gateway.dev.ports import is_free
from tests.deadline import wait_until
from tests.dev.conftest import Run

StartRun = Callable[..., Run]


def _is_gone(process: psutil.Process) -> bool:
    # An ended process counts as gone even before its parent has collected it.
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _assert_one_sentence(run: Run, *, start: str) -> None:
    assert run.wait() == 1
    assert run.errors.startswith(start), run.errors
    assert run.errors.count("\n") == 1
    assert "Traceback" not in run.errors


def test_every_part_is_up_when_the_addresses_are_printed(run: Run) -> None:
    """Each printed address answers: the dashboard, the gateway's docs and the simulator."""
    for address in (
        f"{run.url('pocketbase')}/_/",
        f"{run.url('gateway')}/docs",
        f"{run.url('simulator')}/",
    ):
        assert address in run.output
        assert httpx.get(address, trust_env=False).status_code == 200


def test_new_secrets_are_shown_and_kept_private(run: Run) -> None:
    """The generated superuser password works, is shown, and is kept in a file of mode 0600."""
    kept = run.read_secrets()
    assert kept["SUPERUSER_PASSWORD"] in run.output
    assert kept["SIMULATOR_WEBHOOK_SECRET"] in run.output
    assert stat.S_IMODE((run.folder / "secrets.env").stat().st_mode) == 0o600
    login = run.log_in_superuser(kept["SUPERUSER_EMAIL"], kept["SUPERUSER_PASSWORD"])
    assert login.status_code == 200


def test_secrets_are_in_no_command_line(run: Run) -> None:
    """`ps` shows no secret of any part."""
    commands = " ".join(" ".join(part.cmdline()) for part in run.parts)
    kept = run.read_secrets()
    assert "pocketbase" in commands
    assert not [name for name in kept if name != "SUPERUSER_EMAIL" and kept[name] in commands]


def test_a_second_run_in_the_same_folder_is_one_sentence(run: Run) -> None:
    """Two runs never share a PocketBase data folder."""
    second = Run(run.home, run.ports, "", {}, name="second")
    _assert_one_sentence(second, start=f"Another run uses {run.folder}: ")
    assert run.child.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process(start_run: StartRun, number: signal.Signals) -> None:
    """Ctrl-C and a termination end the run with code 0 and leave no process."""
    run = start_run()
    parts = run.wait_up()
    assert len(parts) >= 3
    assert run.interrupt(number) == 0
    assert all(_is_gone(part) for part in parts)
    assert all(is_free(port) for port in run.ports.values())
    assert run.errors == ""


def test_a_signal_during_the_start_ends_every_process(start_run: StartRun) -> None:
    """A terminal that is closed before anything is healthy ends the run cleanly too."""
    run = start_run()
    wait_until((run.folder / "log" / "pocketbase.log").exists, 20)
    assert run.interrupt(signal.SIGHUP) == 0
    assert run.errors == ""
    assert all(is_free(port) for port in run.ports.values())


@pytest.mark.parametrize("part", ["PocketBase", "The gateway", "The Stripe simulator"])
def test_a_part_that_dies_is_restarted(start_run: StartRun, part: str) -> None:
    """The others go on, and the log that says why it ended is named."""
    run = start_run()
    before = run.wait_up()
    word = {"PocketBase": "pocketbase", "The gateway": "gateway.dev.reload"}.get(
        part, "stripe_simulator"
    )
    victim = next(p for p in before if word in p.cmdline() or p.name() == word)
    others = {p.pid for p in run.direct_parts if p.pid != victim.pid}
    os.kill(victim.pid, signal.SIGKILL)
    wait_until(lambda: f"{part} ended by SIGKILL; its log {run.folder / 'log'}" in run.output, 10)
    wait_until(lambda: len(run.direct_parts) == 3, 20)
    assert others < {p.pid for p in run.direct_parts}
    url = run.url({"PocketBase": "pocketbase", "The gateway": "gateway"}.get(part, "simulator"))
    wait_until(lambda: run.answers(f"{url}/"), 20)
    assert run.interrupt() == 0


def test_killing_the_run_itself_leaves_no_process(start_run: StartRun) -> None:
    """On Linux the parts also end when the run is killed outright."""
    run = start_run()
    parts = run.wait_up()
    run.child.kill()
    run.wait()
    _, alive = psutil.wait_procs(parts, timeout=10)
    assert not [process for process in alive if not _is_gone(process)]


def test_a_second_start_finds_its_data(start_run: StartRun) -> None:
    """A user of the first run can log in in the second, which shows no secret again."""
    account = {"email": "me@example.com", "password": "correct-horse"}
    run = start_run()
    run.wait_up()
    users = "/api/collections/users"
    httpx.post(
        f"{run.url('pocketbase')}{users}/records",
        json=account | {"passwordConfirm": "correct-horse"},
        trust_env=False,
    ).raise_for_status()
    run.interrupt()

    again = start_run()
    again.wait_up()
    assert not [
        text for text in run.read_secrets().values() if "@" not in text and text in again.output
    ]
    login = httpx.post(
        f"{again.url('pocketbase')}{users}/auth-with-password",
        json={"identity": account["email"], "password": account["password"]},
        trust_env=False,
    )
    assert login.status_code == 200


def test_a_lost_secrets_file_is_made_anew(start_run: StartRun) -> None:
    """A generated password may replace an older generated one, so a lost file is no lockout."""
    run = start_run()
    run.wait_up()
    run.interrupt()
    (run.folder / "secrets.env").unlink()

    again = start_run()
    again.wait_up()
    kept = again.read_secrets()
    answer = again.log_in_superuser(kept["SUPERUSER_EMAIL"], kept["SUPERUSER_PASSWORD"])
    assert answer.status_code == 200


def test_a_port_in_use_is_one_sentence(start_run: StartRun, used_port: int) -> None:
    """The sentence names the port, the part and the variable that chooses another."""
    run = start_run(GATEWAY_PORT=str(used_port))
    _assert_one_sentence(run, start=f"Port {used_port} for the gateway is in use: ")
    assert "GATEWAY_PORT" in run.errors


def test_a_missing_webhook_secret_is_one_sentence(start_run: StartRun) -> None:
    """A real Stripe key without a webhook secret cannot work, and the variable is named."""
    run = start_run("STRIPE_SECRET_KEY=sk_test_mine")
    _assert_one_sentence(run, start="STRIPE_SECRET_KEY is set but STRIPE_WEBHOOK_SECRETS is not")
    assert "sk_test_mine" not in run.errors


def test_a_port_that_is_no_number_is_one_sentence(start_run: StartRun) -> None:
    """A mistyped port is named."""
    run = start_run(GATEWAY_PORT="eighty")
    _assert_one_sentence(run, start="GATEWAY_PORT is 'eighty', which is not a port")


def test_half_a_superuser_is_one_sentence(start_run: StartRun) -> None:
    """A superuser's address without a password is named, and nothing is guessed."""
    run = start_run("POCKETBASE_SUPERUSER_EMAIL=me@example.com")
    _assert_one_sentence(run, start="POCKETBASE_SUPERUSER_PASSWORD is not set")


def test_a_refused_superuser_is_one_sentence(start_run: StartRun) -> None:
    """PocketBase's own words say why an address or a password is not taken."""
    run = start_run(
        "POCKETBASE_SUPERUSER_EMAIL=me@example.com\nPOCKETBASE_SUPERUSER_PASSWORD=short"
    )
    _assert_one_sentence(run, start="PocketBase refused the superuser: ")
    assert "at least 8 character" in run.errors


def test_a_wrong_superuser_password_is_one_sentence_and_changes_nothing(
    start_run: StartRun,
) -> None:
    """A superuser that a person made is never given another password."""
    email = "me@example.com"
    run = start_run(
        f"POCKETBASE_SUPERUSER_EMAIL={email}\nPOCKETBASE_SUPERUSER_PASSWORD=the-right-one"
    )
    run.wait_up()
    run.interrupt()
    wrong = start_run(
        f"POCKETBASE_SUPERUSER_EMAIL={email}\nPOCKETBASE_SUPERUSER_PASSWORD=a-wrong-one"
    )
    _assert_one_sentence(wrong, start=f"The superuser {email} has another password")
    assert "a-wrong-one" not in wrong.errors
    right = start_run(
        f"POCKETBASE_SUPERUSER_EMAIL={email}\nPOCKETBASE_SUPERUSER_PASSWORD=the-right-one"
    )
    right.wait_up()
    assert right.log_in_superuser(email, "the-right-one").status_code == 200


def test_stripe_keys_replace_the_simulator(start_run: StartRun) -> None:
    """With keys in `.env` no simulator runs, and the environment wins over the file."""
    run = start_run(
        "STRIPE_SECRET_KEY=sk_test_mine\nSTRIPE_WEBHOOK_SECRETS=whsec_a,whsec_b\n"
        "STRIPE_API_BASE=http://127.0.0.1:9",
        STRIPE_API_BASE="http://127.0.0.1:1",
    )
    parts = run.wait_up()
    assert not [part for part in parts if "stripe_simulator" in part.cmdline()]
    assert is_free(run.ports["SIMULATOR_PORT"])
    assert "http://127.0.0.1:1 (your keys)" in run.output
    assert "rows of the simulator" not in run.output
    assert "sk_test_mine" not in run.output


def test_a_change_from_the_simulator_to_stripe_is_noted(start_run: StartRun) -> None:
    """Rows that the simulator made stay in PocketBase, and Stripe knows none of them."""
    run = start_run()
    run.wait_up()
    run.interrupt()
    again = start_run("STRIPE_SECRET_KEY=sk_test_mine\nSTRIPE_WEBHOOK_SECRETS=whsec_a")
    again.wait_up()
    assert f"{run.folder / 'pb_data'} has rows of the simulator" in again.output
