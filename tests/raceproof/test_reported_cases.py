"""Where each program on which an earlier search was wrong is held, by its number in the list.

The list has three sections: what was called right and is not, wrong counts, and false alarms,
hangs and values that are not so. A name that is missing here is a program without a test.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REDIS, SQL, COUCH = "wire/redis/", "wire/sql/", "wire/couch/"
CASES = {
    "1.1 WITH … UPDATE": SQL + "test_state.py::test_an_update_that_begins_with_with",
    "1.2 _local": COUCH + "test_state.py::test_local_documents",
    "1.3 1 == 1.0": REDIS
    + "test_reported_cases.py::test_one_is_not_the_same_request_as_one_point_nothing",
    "1.4 JSON parameters": SQL + "test_state.py::test_parameters_that_are_json",
    "1.5 order of rows": SQL + "test_state.py::test_the_order_of_rows",
    "1.6 order of fields": REDIS + "test_reported_cases.py::test_the_order_of_a_hashs_fields",
    "1.7 views, indexes": SQL + "test_state.py::test_what_is_in_the_schema",
    "1.7 triggers": SQL + "test_state.py::test_a_trigger_is_part_of_the_schema",
    "1.8 idle consumers": REDIS
    + "test_reported_cases.py::test_a_consumer_without_entries_can_be_seen",
    "1.9 field TTL, name": REDIS
    + "test_reported_cases.py::test_the_expiry_of_a_field_and_the_name_of_a_connection_can_be_seen",
    "1.10 polling": "search/test_asking_in_vain.py::"
    "test_a_loop_that_gives_up_is_searched_to_its_end",
    "1.11 WatchError": REDIS + "test_reported_cases.py::"
    "test_a_watch_whose_connection_breaks_is_a_watch_error_of_redis_pys_own",
    "1.12 READ COMMITTED": SQL + "test_postgresql.py::test_read_committed_sells_one_thing_twice",
    "1.13 get or create": SQL + "test_postgresql.py::test_get_or_create_in_one_transaction",
    "1.14 stale cache": "wire/test_stores_together.py::"
    "test_a_cache_cleared_before_commit_stays_stale",
    "1.15 ticks while late": "search/test_late_requests.py::"
    "test_time_passes_while_only_a_late_request_is_underway",
    "1.16 chance": REDIS + "test_reported_cases.py::"
    "test_what_cannot_be_right_is_refused_by_name_and_cannot_be_swallowed",
    "1.17 bytes names": REDIS + "test_reported_cases.py::test_bytes_names_are_names",
    "1.18 left over scripts": REDIS
    + "test_reported_cases.py::test_a_script_is_not_there_before_it_is_loaded",
    "1.18 user_version": SQL + "test_state.py::test_pragma_user_version",
    "1.18 advisory locks": SQL
    + "test_postgresql.py::test_a_lock_of_the_session_ends_with_its_world",
    "1.18 application_name": SQL
    + "test_postgresql.py::test_a_name_of_the_session_ends_with_its_world",
    "1.19 pipeline sent again": REDIS
    + "test_reported_cases.py::test_a_pipeline_whose_reply_is_lost_is_sent_again_whole",
    "1.20 no time": REDIS
    + "test_standing_time.py::test_a_key_that_would_expire_is_in_the_sentence",
    "1.21 coroutines": "search/test_never_holds_wrongly.py::"
    "test_what_would_never_run_is_no_client_and_no_check",
    "1.21 no call": "search/test_never_holds_wrongly.py::"
    "test_a_client_that_makes_no_call_is_an_error",
    "1.21 a global redis": "search/test_outside.py::test_a_redis_of_ones_own",
    "1.21 sqlite3": "search/test_outside.py::test_sqlite",
    "1.21 kombu": "search/test_outside.py::test_kombu",
    "1.21 the world's pool": "search/test_outside.py::test_a_client_on_the_worlds_own_pool",
    "1.22 check returns": "search/test_never_holds_wrongly.py::"
    "test_a_check_that_returns_something_is_no_check",
    "1.23 own thread": "search/test_refusals.py::"
    "test_calls_from_a_thread_of_the_clients_own_end_the_search",
    "1.23 swallowed": "search/test_refusals.py::test_a_refusal_in_a_client_ends_the_search",
    "1.24 clocks": "search/test_determinism.py::test_clocks_say_what_the_worlds_clock_says",
    "1.24 chance": "search/test_determinism.py::"
    "test_chance_is_the_same_on_every_replay_and_differs_from_client_to_client",
    "1.24 a shared list": "search/test_never_holds_wrongly.py::"
    "test_a_list_that_clients_share_is_found_by_the_replay",
    "1.24 a stale world": "search/test_never_holds_wrongly.py::"
    "test_a_world_that_is_not_fresh_is_found_by_the_replay",
    "1.25 arguments": "search/test_never_holds_wrongly.py::"
    "test_arguments_that_cannot_be_meant_are_refused",
    "1 FOR UPDATE": SQL + "test_postgresql.py::test_for_update_makes_the_second_buyer_wait",
    "1 deadlock": SQL + "test_postgresql.py::test_updates_in_opposite_order_meet_in_a_deadlock",
    "1 write skew": SQL + "test_postgresql.py::test_write_skew",
    "1 SERIALIZABLE": SQL
    + "test_postgresql.py::test_serializable_with_a_retry_prevents_write_skew",
    "1 40001": SQL
    + "test_postgresql.py::test_serialization_failures_reach_a_client_that_does_not_retry",
    "1 SKIP LOCKED": SQL + "test_postgresql.py::test_skip_locked_skips",
    "1 NOWAIT": SQL + "test_postgresql.py::test_nowait_raises_where_for_update_waits",
    "1 advisory": SQL + "test_postgresql.py::test_a_lock_that_is_tried_and_one_that_waits",
    "1 two inserts": SQL + "test_postgresql.py::test_the_second_of_two_inserts_waits_for_the_first",
    "2 nextval": SQL
    + "test_postgresql.py::test_numbers_of_a_sequence_are_given_to_one_client_each",
    "2 MOVE": REDIS + "test_reported_cases.py::"
    "test_what_cannot_be_right_is_refused_by_name_and_cannot_be_swallowed",
    "2 XSETID": REDIS
    + "test_reported_cases.py::test_how_many_entries_a_stream_is_said_to_have_had",
    "2 compact": COUCH + "test_state.py::test_compacting_takes_old_revisions_away",
    "2 new_edits": COUCH + "test_state.py::test_one_revision_with_two_bodies",
    "2 ready XREAD": REDIS + "test_reported_cases.py::test_what_is_ready_does_not_time_out",
    "3 blocking": REDIS + "test_reported_cases.py::test_who_waits_gets_what_comes",
    "3 endless Lua": REDIS + "test_reported_cases.py::test_a_script_that_does_not_end_is_refused",
    "3 a check that spins": REDIS + "test_reported_cases.py::test_a_check_that_spins_is_ended",
    "3 HGETALL": REDIS
    + "test_reported_cases.py::test_a_hash_is_read_in_the_order_in_which_it_was_written",
    "3 groups without a clock": REDIS
    + "test_reported_cases.py::test_consumer_groups_in_a_world_without_a_clock",
    "3 GETEX EX": REDIS + "test_time.py::test_an_expiry_is_the_worlds",
    "3 EXPIRE GT, EXPIREAT, HEXPIRE": REDIS + "test_time.py::test_an_expiry_is_the_worlds",
    "3 large counts": "search/test_verdict.py::test_large_counts_are_rounded_in_words",
    "3 findings in time": "search/test_verdict.py::"
    "test_many_different_violations_are_listed_in_little_time",
    "3 SETBIT, PFADD, bytes": REDIS
    + "test_libraries.py::test_replies_are_what_redis_py_makes_of_them",
    "3 pandas": SQL + "test_sqlalchemy.py::test_each_way_counts_each_hit",
    "3 stall at an expiry": REDIS
    + "test_time.py::test_a_machine_that_stalls_at_an_expiry_changes_nothing",
    "3 TTL everywhere": REDIS + "test_time.py::test_an_expiry_is_the_worlds",
    "3 XADD *": REDIS + "test_time.py::test_ids_of_entries_are_the_worlds",
    "3 $": REDIS + "test_reported_cases.py::test_a_read_of_what_comes_after_now_waits_for_it",
    "3 Lock": REDIS + "test_libraries.py::test_a_lock_keeps_two_clients_apart",
    "3 register_script": REDIS + "test_libraries.py::"
    "test_a_registered_script_is_one_step_though_the_server_does_not_have_it",
    "3 psubscribe": REDIS + "test_libraries.py::test_patterns",
    "3 run_in_thread": REDIS
    + "test_reported_cases.py::test_a_thread_of_a_pubsub_is_refused_by_name",
    "3 SQLAlchemy": SQL + "test_sqlalchemy.py::test_each_way_counts_each_hit",
    "3 attachments": COUCH + "test_library.py::test_attachments_pass_byte_for_byte",
    "3 copy": COUCH + "test_library.py::"
    "test_what_the_library_returns_is_what_it_returns_without_the_search",
    "3 changes": COUCH + "test_state.py::test_the_order_of_writes_is_seen_by_the_changes_feed",
    "3 info": COUCH + "test_state.py::test_the_number_of_writes_is_seen_by_info",
    "3 asyncio.sleep": "search/test_determinism.py::test_asyncio_goes_by_the_same_stopwatch",
    "3 threading.Lock": "search/test_determinism.py::test_a_lock_that_two_clients_share_is_said",
}


@pytest.mark.parametrize("case", CASES)
def test_a_test_holds_it(case: str) -> None:
    file, _, name = CASES[case].partition("::")
    tree = ast.parse((HERE / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
