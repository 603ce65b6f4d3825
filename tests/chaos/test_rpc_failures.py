"""Calls between Ray's processes that fail, by the switch with which Ray tests itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import identities, rows_of, run_job
from support.small_study import of_one_round
from support.tally import TALLY

pytestmark = [pytest.mark.ray, pytest.mark.slow]

EACH = {"num_failures": 2, "num_lower_bound_resp_failures": 1, "in_flight_failure_prob": 50}
"""In every process: the first call is answered and the answer is lost; then one more at random."""
METHODS = (
    "CoreWorkerService.grpc_client.PushTask",
    "NodeManagerService.grpc_client.RequestWorkerLease",
    "ray::rpc::ActorInfoGcsService.grpc_client.CreateActor",
    "ray::rpc::InternalKVGcsService.grpc_client.InternalKVGet",
)


def test_failing_calls_cost_time_and_no_results(
    tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    faults = json.dumps(dict.fromkeys(METHODS, EACH))
    variables = {"NOTES": str(notes), "ONE_ROUND": "1"}
    code, said, complained = run_job(out, RAY_testing_rpc_failure=faults, **variables)
    injected = complained.count("Inject RPC")  # those of the driver; others have logs of their own
    assert injected
    TALLY.fault("failed RPC (of the driver alone)", injected)
    before = identities(out)
    if code == 1:  # a unit whose worker was lost three times
        code, said, complained = run_job(out, **variables)
    assert code == 0, said + complained
    TALLY.kept(before, identities(out))
    TALLY.noted(notes)
    TALLY.same(rows_of(out), of_one_round(undisturbed))
