"""Calls between Ray's processes that fail, by the switch with which Ray tests itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import identities, rows_of, run_job
from tally import TALLY

pytestmark = [pytest.mark.ray, pytest.mark.slow]

PROBABILITIES = {"req_failure_prob": 10, "resp_failure_prob": 10, "in_flight_failure_prob": 10}
METHODS = (
    "CoreWorkerService.grpc_client.PushTask",
    "NodeManagerService.grpc_client.RequestWorkerLease",
    "NodeManagerService.grpc_client.ReturnWorkerLease",
    "ray::rpc::ActorInfoGcsService.grpc_client.CreateActor",
    "ray::rpc::ActorInfoGcsService.grpc_client.RegisterActor",
)


def test_failing_calls_cost_time_and_no_results(
    tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    faults = {method: {"num_failures": 2} | PROBABILITIES for method in METHODS}
    code, said, complained = run_job(
        out, NOTES=str(notes), RAY_testing_rpc_failure=json.dumps(faults)
    )
    before = identities(out)
    TALLY.fault("run under RPC failures")
    if code == 1:  # a unit whose worker was lost three times
        code, said, complained = run_job(out, NOTES=str(notes))
    assert code == 0, said + complained
    TALLY.kept(before, identities(out))
    TALLY.noted(notes)
    TALLY.same(rows_of(out), undisturbed)
