"""Section 8 of the contract, core 2.1, line by line: each line names the tests that hold it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
OWN_CLIENT = "triggers/system_ready/test_own_client.py"

LINES = {
    "telemetry is answered 404 without an alert": (
        "triggers/test_telemetry.py::test_usage_counts_are_answered_404_without_a_warning",
    ),
    "an event action comes with the service token, and with no other": (
        "decisions/test_core_2_1.py::test_the_service_token_asks_about_the_only_pending_action",
        "decisions/test_core_2_1.py::test_of_several_pending_actions_the_service_token_names_none_and_422_says_so",
        "decisions/test_core_2_1.py::test_a_service_token_that_names_event_and_action_must_name_the_payloads",
        "decisions/test_core_2_1.py::test_everybody_elses_token_is_403",
    ),
    "every user trigger carries a token, but two of core 2.0.0": (
        "triggers/test_admission.py::test_without_a_token_nothing_is_taken_from_an_address_that_is_not_listed",
        "triggers/test_admission.py::test_without_a_token_a_listed_address_may_send_three",
        "triggers/test_allow_list.py::test_without_a_token_only_three_are_taken_in_production",
    ),
    "passwords and usernames are recovered by a link": (
        "test_account_recovery.py::test_the_link_goes_to_the_users_e_mail_address",
        "test_account_recovery.py::test_the_token_is_kept_until_the_link_is_out_and_then_erased",
        "notifications/test_recovery_links.py::test_gives_back_any_token",
    ),
    "only our own system client confirms": (
        "decisions/test_core_2_1.py::test_an_accept_goes_out_with_the_clients_token_and_keeps_the_assignment",
        "decisions/test_core_2_1.py::test_core_2_0_is_confirmed_without_our_client",
        "decisions/test_core_2_1.py::test_what_core_2_0_asked_is_confirmed_at_core_2_1",
        "decisions/test_core_2_1.py::test_what_core_2_1_asked_is_confirmed_at_core_2_0_once_it_asks_again",
    ),
    "its token is fetched with a form in the body, and kept until it ends": (
        "opencrvs/test_system_client.py::test_the_credentials_are_in_the_body_and_never_in_the_url",
        "opencrvs/test_system_client.py::test_a_token_is_kept_until_shortly_before_its_end",
        "opencrvs/test_system_client.py::test_unknown_credentials_are_refused_with_what_to_check",
    ),
    "CONFLICT: somebody holds the record, and there is no end to the waiting": (
        "decisions/test_core_2_1.py::test_it_is_waited_for_and_shown_as_what_it_is",
        "decisions/test_core_2_1.py::test_there_is_no_end_to_the_waiting_and_a_day_of_it_is_alerted",
    ),
    "BAD_REQUEST: core has the other verdict, which is taken over": (
        "decisions/test_core_2_1.py::test_core_has_rejected_what_we_accept",
        "decisions/test_core_2_1.py::test_core_has_accepted_what_we_reject_and_is_read_once",
        "opencrvs/test_confirming.py::test_core_takes_every_accept_and_harmlessly_twice",
    ),
    "BAD_REQUEST: the id names no pending action": (
        "decisions/test_core_2_1.py::test_an_id_that_waits_for_nothing_is_a_fault_that_is_shown",
    ),
    "UNAUTHORIZED: a new token, and once more": (
        "decisions/test_core_2_1.py::test_a_token_that_core_does_not_take_any_more_is_renewed_once",
    ),
    "FORBIDDEN: an operator's case": (
        "decisions/test_core_2_1.py::test_a_client_without_the_scope_is_an_operators_case",
    ),
    "NOT_FOUND: the event type is not in the scope, or the record is gone": (
        "decisions/test_core_2_1.py::test_a_client_bound_to_other_event_types_is_told_not_found",
        "opencrvs/test_confirming.py::test_an_event_that_core_does_not_know_is_refused",
    ),
    "the client is made at system/ready": (
        f"{OWN_CLIENT}::test_it_is_registered_with_the_configured_credentials_and_the_scopes_to_confirm",
        f"{OWN_CLIENT}::test_a_name_that_core_has_is_left_alone",
        f"{OWN_CLIENT}::test_another_client_id_at_core_is_said_loudly_until_it_is_right",
        f"{OWN_CLIENT}::test_a_client_id_that_another_integration_has_is_an_operators_case",
        f"{OWN_CLIENT}::test_without_an_events_service_it_is_503",
    ),
    "UNARCHIVE is confirmable, without content": (
        "opencrvs/test_confirming.py::test_core_takes_every_accept_and_harmlessly_twice",
        "opencrvs/test_confirming.py::test_core_takes_every_reject_that_may_come_late",
    ),
    "an action type that nobody knows yet": (
        "records/test_state.py::test_actions_of_unknown_types_in_a_history_change_nothing",
        "records/test_actions.py::test_it_is_judged_by_what_all_actions_have",
        "decisions/test_core_2_1.py::test_it_is_accepted_by_default_and_told_as_a_sign",
        "decisions/test_core_2_1.py::test_it_is_decided_by_the_rules_for_any_action",
    ),
    "a Defer on an intermediate action is warned about": (
        "cli/test_rules.py::test_it_is_listed_whether_a_rule_can_defer",
        "cli/test_rules.py::test_of_every_action_type_it_is_known_whether_a_rule_can_defer",
    ),
    "locations in both shapes": (
        "opencrvs/test_locations.py::test_core_2_0_says_until_when_a_place_is_open",
        "opencrvs/test_locations.py::test_core_2_1_has_a_status_and_versions_in_its_place",
        "opencrvs/test_offices.py::test_a_renamed_office_has_the_name_and_code_of_the_date",
    ),
    "the content of an approved correction, and annotations": (
        "opencrvs/test_confirmations.py::test_the_content_of_an_approved_correction_is_sent_where_it_has_one",
        "opencrvs/test_confirmations.py::test_an_annotation_is_sent_where_one_is_given",
    ),
    "core reports actions before trackingId": (
        "records/test_schema.py::test_all_that_is_missing_is_said_in_cores_order",
    ),
    "the two templates of the reference are imported": (
        "cli/test_messages_import.py::test_the_texts_of_the_reference_for_recovery_links_are_taken_over_as_they_are",
    ),
    "FORWARD_ACTIONS_TO in the shape of the reference": (
        "decisions/forwarding/test_documents.py::test_an_accepted_action_is_forwarded_as_the_reference_does",
        "decisions/forwarding/test_documents.py::test_a_registration_is_forwarded_with_the_number_of_the_answer",
        "decisions/forwarding/test_documents.py::test_a_rejected_action_is_forwarded_as_it_came",
    ),
    "core is upgraded while actions wait, and processes are killed": (
        "cli/test_decision_drill.py::test_core_is_upgraded_while_actions_wait_and_the_worker_is_killed_on_the_way",
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_the_tests_that_hold_a_line_are_there(line: str) -> None:
    for name in LINES[line]:
        path, _, wanted = name.partition("::")
        tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        assert wanted in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, name
