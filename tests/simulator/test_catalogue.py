"""Products of a new account: those of a TOML file, and the sentence for one that is not valid."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT
from stripe_simulator.catalogue import InvalidCatalogue, read_catalogue, seed
from stripe_simulator.world import World

_PRICE = 'currency = "usd"\nunit_amount = 500\nlookup_key = "monthly"\n'


def test_a_file_names_the_products() -> None:
    """The example project's file becomes products and prices with their metadata."""
    world = World(seed=1, now=1_800_000_000)
    seed(world, read_catalogue(ROOT / "examples" / "stripe_catalogue.toml"))
    prices = {price["lookup_key"]: price for price in world.all("price").values()}
    writer = prices["writer_monthly"]
    assert writer["metadata"]["checkout_trial_days"] == "14"
    assert world.get("product", writer["product"])["metadata"]["limit_publishing"] == "3"
    assert [event["type"] for event in world.events[:2]] == ["product.created", "price.created"]


def test_an_existing_account_keeps_its_products() -> None:
    """A later start creates nothing."""
    world = World(seed=1, now=1_800_000_000)
    seed(world)
    before = len(world.events)
    seed(world, ({"name": "More"},))
    assert len(world.events) == before


@pytest.mark.parametrize(
    "text",
    [
        "products = 3",
        "[[products",
        "[products]",
        '[[products]]\nname = ""',
        f'[[products]]\nname = "A"\n[[products.prices]]\n{_PRICE}recurring = "month"',
        f'[[products]]\nname = "A"\n{f"[[products.prices]]{chr(10)}{_PRICE}" * 2}',
        "",
    ],
)
def test_an_invalid_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    """The sentence names the file."""
    file = tmp_path / "catalogue.toml"
    file.write_text(text)
    with pytest.raises(InvalidCatalogue, match=r"catalogue\.toml"):
        read_catalogue(file)


def test_the_command_refuses_a_missing_file(tmp_path: Path) -> None:
    """`--catalogue` without its file ends with code 2 and no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "stripe_simulator", f"--catalogue={tmp_path / 'none.toml'}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "none.toml" in done.stderr
    assert "Traceback" not in done.stderr
