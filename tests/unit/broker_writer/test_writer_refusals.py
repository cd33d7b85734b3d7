"""A refusal keeps the fields of its reasons on the bus and in the store, beside what older processes know (D04)."""

import json

import pytest
from support.broker_writer import ACCOUNT, MemoryJournal, World, eventually, instance, play

from trading_api.modules.broker.domain import requests as asked
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for, not_found
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.journal.record import RecordError
from trading_api.modules.broker.writer import wire
from trading_api.modules.broker.writer.codec import dump_reply, load_reply

QTY, MARGIN = Problem(Field.QTY, "qty 0 is not above 0"), Problem(None, "Not enough margin.")
OLD = '{"refusal":{"kind":"invalid","reason":"qty 0. No.","reasons":["qty 0.","No."],"order_id":"7"}}'
"""As processes wrote it that knew of no fields."""


@pytest.mark.parametrize("fields", [["qty"], ["qty", "", ""], []])
def test_D04_a_refusal_without_one_field_for_each_reason_is_no_record(fields: list[str]) -> None:
    written = json.loads(OLD)
    written["refusal"]["fields"] = fields
    with pytest.raises(RecordError, match="fields of 2 reasons"):
        load_reply(json.dumps(written))


def test_D04_a_field_that_only_a_newer_process_knows_reads_as_none() -> None:
    written = json.loads(OLD)
    written["refusal"]["fields"] = ["qty", "moon_phase"]
    assert load_reply(json.dumps(written)) == invalid_for(
        Problem(Field.QTY, "qty 0."), Problem(None, "No."), order_id="7"
    )


def test_D04_a_refusal_of_an_older_process_has_no_fields() -> None:
    old = invalid_for(Problem(None, "qty 0."), Problem(None, "No."), order_id="7")
    assert load_reply(OLD) == old
    assert wire.load_outcome(b"reply " + OLD.encode()) == old
    assert dump_reply(old) == OLD, "which older processes read too"


@pytest.mark.parametrize(
    "refusal", [invalid_for(QTY), invalid_for(MARGIN, QTY, order_id="9"), not_found(QTY), invalid_for(MARGIN)]
)
def test_D04_a_refusal_keeps_its_fields_on_the_bus_and_in_the_store(refusal: Refusal) -> None:
    assert load_reply(dump_reply(refusal)) == refusal
    assert wire.load_outcome(wire.dump_success(refusal)) == refusal


@pytest.mark.parametrize("field", Field)
def test_D04_every_field_is_written_by_its_name(field: Field) -> None:
    refusal = invalid_for(MARGIN, Problem(field, "No."))
    text = dump_reply(refusal)
    assert json.loads(text)["refusal"]["fields"] == ["", field.value]
    assert load_reply(text) == refusal


def test_D04_an_answer_under_a_key_keeps_its_fields_over_the_bus_and_in_the_next_reign() -> None:
    unknown = invalid_for(Problem(Field.ORDER_ID, "Order 99 is not known."))

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await eventually(lambda: one.writer.is_ready, "the writer")
            for each in (two, one, two):
                assert await each.execute(asked.CancelOrder("99"), command_id="key:k") == unknown
        assert json.loads(journal.stored[ACCOUNT, "key:k"].answer_json)["refusal"]["fields"] == ["order_id"]
        world.leases.offer()
        async with instance(world) as three:
            await eventually(lambda: three.writer.is_ready, "the writer")
            assert await three.execute(asked.CancelOrder("99"), command_id="key:k") == unknown
        assert len(journal.batches) == 1, "decided once"

    play(scene)
