"""The run: a server process, threads that ask it whatever comes to mind, one that inserts in earnest, and the
verdict.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import grpc
import numpy as np

import otrdb
from otrdb.server.limits import Limits
from otrdb.wire import btrdb
from tests.fuzz.bodies import damaged
from tests.fuzz.checking import mistake
from tests.fuzz.child import MEMORY, Child
from tests.fuzz.methods import Method, methods
from tests.fuzz.sockets import Sockets
from tests.fuzz.streams import SECOND, START, Streams, create, lost
from tests.fuzz.values import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORKERS: Final = 8
PATIENCE: Final = 60.0
"""Seconds within which everything must be answered."""

MOST_MESSAGES: Final = 40
"""Of one answer that are read; then the call is cancelled."""

OVERHEAD: Final = 128 << 20
"""Bytes that the server may take besides the archive's memory and what it takes idle: requests, answers."""

_SEVERE: Final = 500
_RARE: Final = {"SQLQuery": 0.25, "Create": 0.3, "Subscribe": 0.1, "Obliterate": 0.2, "ListCollections": 0.5}
"""How often some methods are called, compared with the others: those that take long, or make much."""

_FLOOD: Final = 300
_Status = grpc.StatusCode


@dataclass
class Result:
    """What was asked and answered, and what was wrong."""

    requests: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By method and code."""
    kinds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    connections: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    """Answers that were compared with what is known."""
    kept: int = 0
    """Points that were acknowledged meanwhile, and are there."""
    idle: int = 0
    peak: int = 0
    after: int = 0
    threads: int = 0
    seconds: float = 0.0

    def add(self, other: Result) -> None:
        """Take over what one thread counted."""
        self.requests += other.requests
        self.answers += other.answers
        self.kinds += other.kinds
        self.problems += other.problems
        self.checked += other.checked


class Worker(threading.Thread):
    """Sends so many requests, all from one seed."""

    def __init__(self, rng: Random, port: int, streams: Streams, count: int) -> None:
        super().__init__(name="fuzz-worker", daemon=True)
        self.result = Result()
        self._rng = rng
        self._count = count
        self._streams = streams
        self._values = Values(rng, streams)
        self._methods = [method for method in methods() if not method.talks]
        self._weights = [_RARE.get(method.name, 1.0) for method in self._methods]
        self._subscribe = next(method for method in methods() if method.talks)
        self._channel = channel(port)
        self._known = [uuid.bytes for uuid in streams.known]

    def run(self) -> None:
        turns: dict[Callable[[], None], float] = {
            self._sound: 0.33,
            self._absurd: 0.2,
            self._damaged: 0.38,
            self._junk: 0.06,
            self._cancelled: 0.015,
            self._talk: 0.002,
            self._unknown: 0.005,
            self._heavy_headers: 0.005,
            self._none_or_two: 0.003,
            self._oversized: 0.0001,
            self._flood: 0.0002,
        }
        choices, weights = list(turns), list(turns.values())
        try:
            while self.result.requests < self._count:
                turn = self._rng.choices(choices, weights)[0]
                self.result.kinds[turn.__name__.strip("_").replace("_", " ")] += 1
                turn()
        except Exception as error:  # noqa: BLE001  (told to who runs it)
            self.result.problems.append(f"a thread ended: {error!r}")
        self._channel.close()

    # --- what is sent

    def _method(self) -> Method:
        return self._rng.choices(self._methods, self._weights)[0]

    def _body(self, method: Method, *, absurd: bool = False) -> Any:
        return self._values.message(method.request, changes=method.changes, absurd=absurd)

    def _sound(self) -> None:
        method = self._method()
        request = self._body(method)
        self._ask("sound", method, request.SerializeToString(), request)

    def _absurd(self) -> None:
        method = self._method()
        request = self._body(method, absurd=True)
        self._ask("absurd", method, request.SerializeToString(), request)

    def _damaged(self) -> None:
        method = self._method()
        self._ask("damaged", method, damaged(self._rng, self._body(method).SerializeToString()))

    def _junk(self) -> None:
        """Bytes that were never meant as such a request."""
        other, method = self._method(), self._method()
        junk = self._rng.randbytes(self._rng.choice((1, 10, 300)))
        body = junk if self._rng.random() < 0.5 else self._body(other).SerializeToString()
        self._ask("junk", method, body)

    def _cancelled(self) -> None:
        method = self._method()
        body = self._harmless(method, self._body(method).SerializeToString())
        call: Any = self._channel.unary_stream(method.path)(body, timeout=PATIENCE)
        if self._rng.random() < 0.5:
            with suppress(grpc.RpcError, StopIteration):
                next(call)
        call.cancel()
        self._count_answer(method, "cancelled by us")

    def _talk(self) -> None:
        said = [self._body(self._subscribe).SerializeToString() for _ in range(self._rng.randrange(4))]
        if self._rng.random() < 0.5 and said:
            said[-1] = damaged(self._rng, said[-1])
        make = self._channel.stream_stream(self._subscribe.path)
        call: Any = make(iter(said), timeout=0.05)
        try:
            for answer in call:
                self._judge("talk", self._subscribe, said[-1] if said else b"", [answer])
            self._count_answer(self._subscribe, "over")
        except grpc.RpcError as error:
            self._expect(error, self._subscribe, b"", {_Status.DEADLINE_EXCEEDED})

    def _unknown(self) -> None:
        path = self._rng.choice(("/v5api.BTrDB/Nothing", "/a/b", "/", "/v5api.BTrDB/", "/v5api.BTrDB/info"))
        self._refused(path, b"", {_Status.UNIMPLEMENTED})

    def _heavy_headers(self) -> None:
        method, size = self._method(), self._rng.choice((1_000, 7_000, 9_000, 20_000, 200_000))
        extra = (
            [("x-junk", "a" * size)] if size > 7_000 else [(f"x-{n}", "b" * 10) for n in range(size // 100)]
        )
        body = self._harmless(method, self._body(method).SerializeToString())
        self._refused(method.path, body, {_Status.RESOURCE_EXHAUSTED, _Status.INTERNAL}, tuple(extra))

    def _none_or_two(self) -> None:
        """No request at all, to which gRPC gives no answer, or two where one is taken."""
        method, none = self._method(), self._rng.random() < 0.5
        body = self._harmless(method, self._body(method).SerializeToString())
        make: Any = self._channel.stream_stream(method.path)
        call = make(iter([] if none else [body, body]), timeout=0.1 if none else PATIENCE)
        self._drain(call, method.name, body, {_Status.DEADLINE_EXCEEDED} if none else set())

    def _oversized(self) -> None:
        method = self._method()
        self._refused(method.path, bytes(17 << 20), {_Status.RESOURCE_EXHAUSTED})

    def _flood(self) -> None:
        """Far more than are answered at a time: some are refused as too many, none is left without answer."""
        asked: list[tuple[Method, bytes, Any]] = []
        for _ in range(_FLOOD):
            method = self._method()
            while method.streams:
                method = self._method()
            body = self._harmless(method, self._body(method).SerializeToString())
            asked.append(
                (method, body, self._channel.unary_unary(method.path).future(body, timeout=PATIENCE))
            )
        for method, body, future in asked:
            try:
                self._judge("flood", method, body, [future.result()])
            except grpc.RpcError as error:
                self._expect(error, method, body, set())

    # --- what comes back

    def _ask(self, kind: str, method: Method, body: bytes, request: Any = None) -> None:
        body = self._harmless(method, body)
        try:
            if not method.streams:
                answers, whole = [self._channel.unary_unary(method.path)(body, timeout=PATIENCE)], True
            else:
                answers, whole = self._read(method, body)
        except grpc.RpcError as error:
            self._expect(error, method, body, set())
            return
        parsed = self._judge(kind, method, body, answers)
        if request is not None and whole and parsed and not parsed[-1].stat.code:
            wrong = mistake(method.name, request, parsed, self._streams)
            self.result.checked += 1
            if wrong:
                self._problem(f"{kind} {method.name} gave {wrong}", body)

    def _read(self, method: Method, body: bytes) -> tuple[list[bytes], bool]:
        """The first messages of an answer, and whether they are all."""
        call: Any = self._channel.unary_stream(method.path)(body, timeout=PATIENCE)
        answers = []
        for answer in call:
            answers.append(answer)
            if len(answers) >= MOST_MESSAGES:
                call.cancel()
                return answers, False
        return answers, True

    def _judge(self, kind: str, method: Method, body: bytes, answers: list[bytes]) -> list[Any]:
        parsed = [method.response.FromString(answer) for answer in answers]
        if not parsed:
            self._problem(f"{kind} {method.name} was not answered", body)
        codes = [answer.stat.code for answer in parsed]
        if any(codes[:-1]) and not method.talks:
            self._problem(f"{kind} {method.name} went on after {codes}", body)
        if codes:
            self._count_answer(method, str(codes[-1]))
        if any(code >= _SEVERE for code in codes):
            self._problem(f"{kind} {method.name} gave {codes[-1]}: {parsed[-1].stat.msg}", body)
        return parsed

    def _refused(
        self, path: str, body: bytes, allowed: set[grpc.StatusCode], metadata: tuple[Any, ...] = ()
    ) -> None:
        call: Any = self._channel.unary_stream(path)(body, timeout=PATIENCE, metadata=metadata)
        self._drain(call, path.rpartition("/")[2] or "nothing", body, allowed)

    def _drain(self, call: Any, name: str, body: bytes, allowed: set[grpc.StatusCode]) -> None:
        self.result.requests += 1
        try:
            for number, _ in enumerate(call):
                if number >= MOST_MESSAGES:
                    call.cancel()
                    break
            self.result.answers[name, "answered"] += 1
        except grpc.RpcError as error:
            status: grpc.StatusCode = error.code()
            self.result.answers[name if allowed != {_Status.UNIMPLEMENTED} else "no method", status.name] += 1
            if status not in allowed:
                self._problem(f"{name} ended with {status.name}: {error.details()}", body)

    def _expect(
        self, error: grpc.RpcError, method: Method, body: bytes, allowed: set[grpc.StatusCode]
    ) -> None:
        status: grpc.StatusCode = error.code()
        self._count_answer(method, status.name)
        too_large = status is _Status.RESOURCE_EXHAUSTED and len(body) > Limits().request
        if status not in allowed and not too_large:
            self._problem(f"{method.name} ended with {status.name}: {error.details()}", body)

    def _count_answer(self, method: Method, code: str) -> None:
        self.result.requests += 1
        self.result.answers[method.name, code] += 1

    def _problem(self, what: str, body: bytes) -> None:
        self.result.problems.append(f"{what} [{len(body)} bytes: {body[:400].hex()}]")

    def _harmless(self, method: Method, body: bytes) -> bytes:
        """What may change a stream names none whose points are compared, and what obliterates no victim."""
        if method.changes:
            for spared in self._known:
                body = body.replace(spared, self._streams.victims[0].bytes)
        if method.name == "Obliterate":
            doomed = self._rng.choice(self._streams.doomed).bytes
            for victim in self._streams.victims:
                body = body.replace(victim.bytes, doomed)
        return body


class Keeper(threading.Thread):
    """Inserts in earnest, and remembers what was acknowledged."""

    def __init__(self, port: int) -> None:
        super().__init__(name="fuzz-keeper", daemon=True)
        self.over = threading.Event()
        self.problems: list[str] = []
        self.uuid = UUID(int=1 << 100)
        self.acknowledged: list[int] = []
        self._channel = channel(port)

    def run(self) -> None:
        with self._channel:
            self._call(
                "Create", btrdb.CreateParams(uuid=self.uuid.bytes, collection="kept"), btrdb.CreateResponse
            )
            turn = 0
            while not self.over.wait(0.05):
                times = [START + SECOND * (100 * turn + each) for each in range(100)]
                points = [btrdb.RawPoint(time=each, value=float(turn)) for each in times]
                request = btrdb.InsertParams(uuid=self.uuid.bytes, values=points)
                if not self._call("Insert", request, btrdb.InsertResponse):
                    self.acknowledged += times
                turn += 1

    def _call(self, name: str, request: Any, response: Any) -> int:
        """The code of the answer."""
        try:
            call = self._channel.unary_unary(f"/v5api.BTrDB/{name}")
            stat = response.FromString(call(request.SerializeToString(), timeout=PATIENCE)).stat
        except grpc.RpcError as error:
            self.problems.append(f"an insert in earnest ended with {error.code().name}")
            return -1
        if stat.code not in (0, 426):
            self.problems.append(f"an insert in earnest was refused: {stat.code} {stat.msg}")
        return int(stat.code)

    def lost(self, path: Path) -> list[str]:
        """What was acknowledged and is not there."""
        with otrdb.open(path) as db:
            times = db.stream(self.uuid).values().times
        kept = np.isin(np.array(self.acknowledged), times).sum()
        return [] if kept == len(self.acknowledged) else [f"{len(self.acknowledged) - kept} points are lost"]


def channel(port: int) -> Any:
    """A connection of its own, a `grpc.Channel` for messages as bytes."""
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("SingleThreadedUnaryStream", 1),
    ]
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=options)


def run(
    path: Path, seed: int, requests: int, *, workers: int = WORKERS, connections: int = 1 << 30
) -> Result:
    """Ask so many requests of a server of a new archive at ``path``."""
    streams, result, began = create(path, Random(seed)), Result(), time.monotonic()
    with Child(path) as child:
        keeper = Keeper(child.port)
        sockets = Sockets(Random(f"{seed}/sockets"), child.port, connections)
        asking = [
            Worker(Random(f"{seed}/{number}"), child.port, streams, -(-requests // workers))
            for number in range(workers)
        ]
        for thread in (keeper, sockets, *asking):
            thread.start()
        for worker in asking:
            worker.join()
            result.add(worker.result)
        for each in (sockets, keeper):
            each.over.set()
            each.join()
        result.connections, result.kept = sockets.made, len(keeper.acknowledged)
        result.problems += [*keeper.problems, *_state_of(child, result)]
    result.problems += [*lost(path, streams), *keeper.lost(path)]
    result.seconds = time.monotonic() - began
    return result


def _state_of(child: Child, result: Result) -> Iterator[str]:
    """What is wrong with the server after it all; stops it."""
    result.idle, result.peak, result.after = child.idle, child.peak, child.memory if child.alive else 0
    result.threads = child.most_threads
    if not child.alive:
        yield "the server is gone"
    code = child.stop()
    if code:
        yield f"the server ended with {code}"
    if result.peak > result.idle + MEMORY + OVERHEAD:
        yield f"the server took {result.peak >> 20} MiB, {result.idle >> 20} idle"
    log = child.log.read_text(errors="replace")
    if "Traceback" in log:
        yield f"the server's log: {log[-3_000:]}"
