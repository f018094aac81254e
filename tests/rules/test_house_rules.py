"""The house rules hold over the tree, and each rule is able to fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules import house_rules as rules
from tests.rules.house_rules import Module

ROOT = Path(__file__).resolve().parents[2]

LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 45
EXAMPLES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    # rule: (passing module, failing module)
    "kernel_knows_no_plane": (
        ("flux.kernel.wire.call", "from flux.kernel.faults import Fault"),
        ("flux.kernel.wire.call", "from flux.community import faults"),
    ),
    "planes_are_strangers": (
        ("flux.content.plane", "from flux.content import faults\nfrom flux.kernel.wire import Plane"),
        ("flux.content.plane", "import flux.paygate.faults"),
    ),
    "only_entrances_import_the_root": (
        ("flux.serving", "from flux.app import compose"),
        ("flux.community.plane", "from flux import app"),
    ),
    "rooms_meet_through_services": (
        ("flux.community.messages.service", "from flux.community.channels.service import ChannelService"),
        ("flux.community.messages.service", "from flux.community.channels.repository import channel_by_id"),
    ),
    "furniture_faces_one_way": (
        ("flux.community.messages.endpoints", "from flux.community.messages.service import MessageService"),
        ("flux.community.messages.endpoints", "from flux.community.messages import repository"),
    ),
    "sql_lives_in_repositories": (
        ("flux.community.messages.repository", "Q = 'SELECT id FROM messages WHERE id = :id'"),
        ("flux.community.messages.service", "Q = 'SELECT id FROM messages WHERE id = :id'"),
    ),
    "statuses_are_declared": (
        ("flux.content.delivery.endpoints", "answer = Reply(value, status=201)"),
        ("flux.content.delivery.endpoints", "answer = Reply(value, status=404)"),
    ),
    "planes_ask_the_kernel": (
        ("flux.paygate.ledger.service", "now = clock.now_ms()"),
        ("flux.paygate.ledger.service", "import time\nnow = time.time()"),
    ),
    "only_faults_are_raised": (
        ("flux.paygate.ledger.service", "raise DATABASE_ERROR()"),
        ("flux.paygate.ledger.service", "raise RuntimeError('no')"),
    ),
    "no_drawers": (("flux.content.search.words", ""), ("flux.content.utils", "")),
    "files_are_one_thing": (("flux.content.words", "x = 1\n" * 400), ("flux.content.words", "x = 1\n" * 401)),
    "functions_are_one_thing": (
        ("flux.content.words", LONG_FUNCTION.replace("    x = 1\n", "", 10)),
        ("flux.content.words", LONG_FUNCTION),
    ),
}


@pytest.fixture(scope="module")
def tree() -> list[Module]:
    return rules.load(ROOT)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: rules.Rule, tree: list[Module]) -> None:
    assert [violation for module in tree for violation in rule(module)] == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_rule_passes_and_fails(rule: rules.Rule) -> None:
    passing, failing = EXAMPLES[rule.__name__]
    assert list(rule(Module.parse(*passing))) == []
    assert list(rule(Module.parse(*failing))) != []


def test_rooms_form_no_ring(tree: list[Module]) -> None:
    assert list(rules.rooms_form_no_ring(tree)) == []


def test_a_ring_is_found() -> None:
    one = Module.parse("flux.community.a.service", "from flux.community.b.service import B")
    two = Module.parse("flux.community.b.service", "from flux.community.c.service import C")
    three = Module.parse("flux.community.c.service", "import flux.community.a.service")
    assert list(rules.rooms_form_no_ring([one, two])) == []
    assert list(rules.rooms_form_no_ring([one, two, three])) == [
        "community.a → community.b → community.c → community.a"
    ]


def test_relative_imports_are_seen() -> None:
    module = Module.parse("flux.content.a.service", "from ..b import repository")
    assert list(rules.rooms_meet_through_services(module)) != []
