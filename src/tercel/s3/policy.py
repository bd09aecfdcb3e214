"""Asks the operator's functions, once for all who wait, and tells the engine what they say.

A function is plain, and runs on a thread of a pool (threads.py), or a coroutine function, and runs
on the server's loop, as a task (coroutines.py). One that raises or returns nonsense is a failure,
one that takes too long is told so, whatever it does later, and what is forwarded in either case is
nothing. The engine keeps the answers (cpp/tercel/gateway); here nothing is kept but the sessions of
identities. What other gateways were answered is looked for first, where they share it (sharing.py).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from tercel.s3 import answers
from tercel.s3.answers import Answer, Question, Times
from tercel.s3.coroutines import Coroutines
from tercel.s3.failures import about, leave_theirs
from tercel.s3.iam import TokenRefused, exchange
from tercel.s3.redis import Share, is_shared
from tercel.s3.resolved import ResolvedBackends
from tercel.s3.shared_answers import Look
from tercel.s3.sharing import Sharing, key_of_token
from tercel.s3.threads import Threads
from tercel.s3.values import ApiKey, Bearer

__all__ = ["Policy"]

_log = logging.getLogger("tercel.s3")

# What of them several gateways may share (src/tercel/s3/redis.py).
_SHARED: Mapping[int, Share] = {
    answers.KEY: "secrets",
    answers.DECISION: "decisions",
    answers.CREDENTIALS: "credentials",
}

# Of plain functions; and with those that are stuck in one which does not return.
_THREADS, _THREADS_MOST = 16, 64
# Of coroutine functions, with those that go on after their time.
_COROUTINES_MOST = 1024
_SESSIONS_MAX = 65_536


class Reply(Protocol):
    """The engine's end of a question."""

    def __call__(self, answer: Answer, shared: bool = False) -> None: ...
    def keys(self) -> list[bytes]: ...


class _TooLate(Exception):
    """There is no answer within the time for it."""


class Policy:
    """What the engine asks, answered by the operator's functions."""

    def __init__(
        self,
        secret_for: Callable[..., Any],
        authorize: Callable[..., Any],
        credentials: Callable[..., Any] | None,
        times: Times,
        sharing: Sharing | None = None,
        resolver: Callable[..., Any] | None = None,
    ) -> None:
        self._sharing = sharing
        self._functions = (secret_for, authorize, credentials, resolver)
        self.resolved: ResolvedBackends | None = None
        self._times = times
        self._api_keys: Mapping[str, ApiKey] = {}
        self._former_api_keys: Mapping[str, ApiKey] = {}
        # With the era in which they were asked: an answer of one is no answer in the next.
        self._asked: dict[tuple[object, Question], list[Reply]] = {}
        self._era = object()
        self._sessions: OrderedDict[str, tuple[str, Any]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = Threads("tercel-s3", _THREADS, _THREADS_MOST)
        self._coroutines = Coroutines(_COROUTINES_MOST)

    def update(self, api_keys: Mapping[str, ApiKey]) -> None:
        """Has the keys of other backends, by the names of their rules.

        Requests that began before may still ask for one that is gone.
        """
        self._former_api_keys = self._api_keys
        self._api_keys = api_keys

    def unshare(self) -> None:
        """Knows nothing of other gateways any more."""
        self._sharing = None

    def ask(self, question: Question, reply: Reply) -> None:
        """Answers a question of the engine, later. Called on the server's loop."""
        key = (self._era, question)
        waiting = self._asked.get(key)
        if waiting is not None:
            waiting.append(reply)
            return
        self._asked[key] = [reply]
        task = asyncio.get_running_loop().create_task(self._answer(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self) -> None:
        """Has nobody who asks from now on told what is being answered now. Thread: any.

        Of a loop that asked before, the engine knows that what comes is of the past; another loop
        may ask the same thing only now. Called before the engine forgets.
        """
        self._era = object()

    async def _answer(self, key: tuple[object, Question]) -> None:
        (_, question) = key
        kind = question[0]
        answer = answers.failure(kind, answers.FAILED, self._times.failure)
        known = None
        try:
            look, keys = await self._look(question, self._asked[key][0])
            known = self._known(question, look)
            if known is not None:
                answer = known
            else:
                answer = await self._in_time(self._ANSWERS[kind](self, question))
                if look is not None:
                    self._keep(question, answer, look, keys)
        except _TooLate:
            _log.error(
                "%s took longer than %g s, which is policy_timeout,%s",
                self._name(kind),
                self._times.patience,
                about(question),
            )
            answer = answers.failure(kind, answers.TIMED_OUT, self._times.failure)
        except TokenRefused as refused:
            _log.error("%s", refused)
        except Exception as error:
            leave_theirs(error)
            _log.exception("%s failed%s", self._name(kind), about(question))
        finally:
            told = (answer,) if known is None else (answer, True)
            for reply in self._asked.pop(key):
                reply(*told)

    async def _in_time(self, answer: Coroutine[Any, Any, Answer]) -> Answer:
        """Returns an answer that comes within its time.

        Raises:
            _TooLate: it does not, for whatever reason: a function that blocks the loop, for one.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._times.patience
        try:
            async with asyncio.timeout_at(end) as patience:
                answered = await answer
        except TimeoutError:
            if patience.expired():
                raise _TooLate from None
            raise  # A function did.
        if loop.time() > end:
            raise _TooLate
        return answered

    def _name(self, kind: int) -> str:
        if kind == answers.BUDGET:
            return "the sharing of limits"
        function = self._functions[kind]
        if function is None:  # All backends have an API key of their own.
            return "the exchange of an API key"
        return f"{getattr(function, '__qualname__', repr(function))}()"

    async def _call(self, kind: int, *arguments: Any) -> Any:
        function = self._functions[kind]
        assert function is not None  # Backends without credentials are refused then.
        if inspect.iscoroutinefunction(function):
            return await self._coroutines.call(self._name(kind), function, *arguments)
        result = await self._threads.call(function, *arguments)
        if not inspect.isawaitable(result):
            return result
        return await self._coroutines.call(self._name(kind), lambda: result)

    # --- what other gateways were answered

    async def _look(self, question: Question, reply: Reply) -> tuple[Look | None, list[bytes]]:
        """Returns what is known of it, and the keys by which it is; nothing if it is not shared."""
        kind = question[0]
        what = _SHARED.get(kind)
        if what is None or self._sharing is None or not is_shared(self._sharing.options, what):
            return None, []
        if kind == answers.CREDENTIALS and question[3]:
            return None, []  # Of an API key: its token is shared.
        if kind == answers.DECISION:
            (_, access_key, identity, *_) = question
            # Strangers can bring about as many as they like. A session is this process's own, and
            # the answer may be about it.
            (_, session) = self._sessions.get(access_key, ("", None))
            keys = reply.keys() if identity and session is None else []
        else:
            keys = [repr(question).encode()]
        return (await self._sharing.look(what, *keys) if keys else None), keys

    def _known(self, question: Question, look: Look | None) -> Answer | None:
        if look is None or look.value is None:
            return None
        kind = question[0]
        *value, old_for = look.value
        if kind == answers.KEY:
            self._remember(question[1], value[3], None)
        return (kind, *value, look.seconds, look.seconds + old_for)

    def _keep(self, question: Question, answer: Answer, look: Look, keys: list[bytes]) -> None:
        """Has an answer known until the next one is to be asked for."""
        kind, verdict, *_ = answer
        index = 0
        if kind == answers.DECISION:
            index = answer[2]
        elif verdict != answers.YES:
            return  # Anybody can make access keys up.
        elif kind == answers.KEY and self._sessions.get(question[1], ("", None))[1] is not None:
            return  # It is an object of this process.
        *value, fresh, holds = answer[1:]
        look.keep(keys[index], [*value, holds - fresh], fresh)

    # --- the questions

    async def _key(self, question: Question) -> Answer:
        (_, access_key) = question
        found = answers.front_key_of(
            await self._call(answers.KEY, access_key), self._name(answers.KEY)
        )
        identity = ""
        if found is not None:
            identity = access_key if found.identity is None else found.identity
            self._remember(access_key, identity, found.session)
        return answers.of_key(found, identity, self._times)

    def _remember(self, access_key: str, identity: str, session: Any) -> None:
        self._sessions[access_key] = (identity, session)
        self._sessions.move_to_end(access_key)
        if len(self._sessions) > _SESSIONS_MAX:
            self._sessions.popitem(last=False)

    async def _decision(self, question: Question) -> Answer:
        (_, access_key, identity, *_) = question
        known, session = self._sessions.get(access_key, (identity, None))
        request = answers.request_of(question, session if known == identity else None)
        return answers.of_decision(
            await self._call(answers.DECISION, request), self._name(answers.DECISION), self._times
        )

    async def _credentials(self, question: Question) -> Answer:
        (_, bucket, identity, rule) = question
        # A backend with an API key is asked about by the name of its rule, for everybody at once.
        if rule:
            said: Any = self._api_key(rule)
        else:
            said = await self._call(answers.CREDENTIALS, bucket, identity)
        found = answers.credentials_of(said)
        if isinstance(found, ApiKey):
            found = await self._exchange(found)
        return answers.of_credentials(found, self._name(answers.CREDENTIALS), self._times)

    async def _exchange(self, api_key: ApiKey) -> Bearer:
        look = None
        if self._sharing is not None:
            known, look = await self._sharing.token(api_key)
            if known is not None:
                return known
        token: Bearer = await self._threads.call(exchange, api_key, self._times.patience)
        if look is not None and token.expires_at is not None:
            lasts = answers.fresh(token.expires_at - time.time())
            look.keep(key_of_token(api_key), [token.token, token.expires_at], lasts)
        return token

    def _api_key(self, rule: str) -> ApiKey:
        resolved = self.resolved.api_key(rule) if self.resolved is not None else None
        return resolved or self._api_keys.get(rule) or self._former_api_keys[rule]

    async def _bucket(self, question: Question) -> Answer:
        assert self.resolved is not None  # Who else would the engine ask?
        found = await self._call(answers.BUCKET, question[1])
        native = self.resolved.native(found) if found is not None else None
        return answers.of_bucket(native, self._times)

    async def _budget(self, question: Question) -> Answer:
        assert self._sharing is not None  # Who else would the engine ask?
        await self._sharing.grant(question)
        return (answers.BUDGET,)

    _ANSWERS = (_key, _decision, _credentials, _bucket, _budget)
