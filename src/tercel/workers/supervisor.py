"""The process that the workers are children of.

It opens the sockets, forks the workers, and from then on only sees to it that there are as many as
there should be, of the generation that is current. One function decides (`_step`), from what is
there and from the time; what happens (a worker is ready, a process has ended, a signal) only
changes what is there. Nothing of the application runs here once it is imported: the supervisor has
no event loop, no thread and no request.
"""

from __future__ import annotations

import gc
import json
import logging
import math
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tercel import _core
from tercel.problems import SettingError, StartError
from tercel.server import banner, systemd
from tercel.server.listening import listen_on
from tercel.settings import Settings
from tercel.workers.backoff import Backoff
from tercel.workers.crew import Crew
from tercel.workers.files import Files
from tercel.workers.generation import Generation
from tercel.workers.orders import Orders
from tercel.workers.orphans import inherits_orphans, wait_for_orphans
from tercel.workers.process import State, Worker, describe_exit
from tercel.workers.upgrade import Predecessor, Successor, metrics_name
from tercel.workers.wear import resident_bytes

__all__ = ["Supervisor", "supervise"]

logger = logging.getLogger("tercel")

# A worker that lives so long is not in a loop of crashes.
_STABLE_S = 1.0
# However often SIGTTIN comes. The setting has the same.
_WORKERS_MAX = 1024
# How often files are looked at, and how long after one changed: an editor may write several.
_LOOK_S = 1.0
_SETTLE_S = 0.2


def supervise(app: Any, settings: Settings, reread: Callable[[], Settings]) -> int:
    """Runs workers until a signal ends them, and returns the exit status. See `tercel.run.run`."""
    if threading.current_thread() is not threading.main_thread():
        raise SettingError("workers needs the main thread, which is where signals are heard.")
    with Orders() as orders:
        return Supervisor(app, settings, reread, orders).run()


class Supervisor:
    """Runs workers until it is told to end.

    Args:
        app: the application, or its target.
        settings: of the first generation.
        reread: returns the settings of the next one, for SIGHUP.
        orders: entered already.

    Raises:
        As `tercel.serve`.
    """

    def __init__(
        self, app: Any, settings: Settings, reread: Callable[[], Settings], orders: Orders
    ) -> None:
        self._orders = orders
        self._app = app
        self._reread = reread
        self._predecessor = Predecessor(os.environ)
        self._successor: Successor | None = None
        # As they were, whatever the application does to them.
        self._start = (dict(os.environ), os.getcwd())
        # The watchdog is for whichever process is the main one.
        self._start[0].pop("WATCHDOG_PID", None)
        self._shared = _core.Shared(settings)
        self._sockets: dict[str, list[int]] = {}
        self._urls = listen_on(self._listen, settings.binds())
        self._metrics_url = self._listen_metrics(settings.metrics_bind)
        self._predecessor.close_rest()
        self._generation = Generation(app, settings, self._shared)
        self._previous = self._generation
        self._count = _count(settings)
        self._selector = selectors.DefaultSelector()
        self._crew = Crew(self._selector, self._shared)
        self._backoff = Backoff()
        self._files = _watched(settings)
        self._files_due = 0.0 if self._files else math.inf
        self._reload_wanted = False
        self._paused = False  # Until a file changes.
        self._ending = False
        self._told = 0  # To end, by signals.
        self._announced = False
        self._status = 0
        self._inherits_orphans = inherits_orphans()
        self._watchdog_s = systemd.watchdog_interval(os.environ)
        self._watchdog_due = 0.0 if self._watchdog_s else math.inf

    def run(self) -> int:
        """Returns the exit status when all workers have ended."""
        self._orders.queue()
        self._selector.register(self._orders, selectors.EVENT_READ)
        if self._files is not None and self._files.fileno() >= 0:
            self._selector.register(self._files, selectors.EVENT_READ)
        while True:
            self._step(time.monotonic())
            if self._ending and not self._crew.workers:
                break
            self._wait()
        self._selector.close()
        # Whoever called tercel.serve() goes on with what it had.
        gc.unfreeze()
        return self._status

    def _listen(self, bind: str) -> str:
        before = len(self._shared.descriptors)
        url = self._predecessor.listen(self._shared, bind)
        self._sockets[bind] = self._shared.descriptors[before:]
        return url

    def _listen_metrics(self, bind: str) -> str:
        """Returns what to open, nothing where there is no such address."""
        self._metrics_bind = bind
        if not bind:
            return ""
        [url] = listen_on(lambda one: self._predecessor.listen_metrics(self._shared, one), [bind])
        self._sockets[metrics_name(bind)] = self._shared.metrics_descriptors
        return url

    # --- decisions

    def _step(self, now: float) -> None:
        """Does what is to be done now."""
        self._tell_watchdog(now)
        self._crew.enforce(now)
        if self._ending:
            # First: what still comes is refused, and does not wait for workers that have left.
            self._shared.close()
            for worker in self._crew:
                self._crew.end(worker)
            return
        if self._files is not None and now >= self._files_due:
            self._files_due = now + _LOOK_S
            self._restart_if_changed(self._files)
        if self._reload_wanted and not self._is_replacing():
            self._reload_wanted = False
            self._begin_generation()
        self._retire_surplus()
        for _ in range(self._to_start(now)):
            self._fork()
        self._announce()

    @property
    def _served(self) -> bool:
        return self._generation.proven or self._previous.proven

    def _outdated(self) -> list[Worker]:
        """Workers that serve and are to be replaced, the longest there first."""
        serving = self._crew.among(State.SERVING)
        return [w for w in serving if w.worn or w.generation is not self._generation]

    def _is_replacing(self) -> bool:
        return bool(self._outdated() or self._crew.among(State.STARTING))

    def _to_start(self, now: float) -> int:
        """How many workers to start now."""
        if now < self._backoff.until or self._paused:
            return 0
        if self._files is not None and self._crew.among(State.ENDING):
            return 0  # What two of them would use at once, a developer seldom thinks of.
        starting = len(self._crew.among(State.STARTING))
        missing = self._count - starting - len(self._crew.among(State.SERVING))
        if missing > 0:
            # The first alone: if it cannot start, neither can the others.
            return missing if self._served else 1 - starting
        # One at a time, and not while as many as serve are still ending: so much memory there is.
        replaceable = not starting and len(self._crew.among(State.ENDING)) < self._count
        return 1 if self._outdated() and replaceable else 0

    def _retire_surplus(self) -> None:
        serving = self._crew.among(State.SERVING)
        surplus = len(serving) - self._count
        if surplus > 0:
            outdated = self._outdated()
            rest = [worker for worker in serving if worker not in outdated]
            for worker in (outdated + rest)[:surplus]:
                self._crew.end(worker)

    def _fork(self) -> None:
        try:
            self._crew.fork(self._generation, self._leave)
        except OSError as error:
            self._backoff.extend()
            logger.error("Cannot fork a worker: %s.", error.strerror)

    def _leave(self) -> None:
        """In a child: closes what is the supervisor's, not the sockets that are listened on."""
        self._orders.leave()
        self._predecessor.leave()
        if self._successor is not None:
            self._successor.close()
        if self._files is not None:
            self._files.close()
        self._selector.close()

    # --- what happens

    def _wait(self) -> None:
        # What changes is of no interest any more when it ends.
        files_due = math.inf if self._ending else self._files_due
        due = min([self._watchdog_due, files_due, *self._crew.due()])
        now = time.monotonic()
        if self._backoff.until > now:
            due = min(due, self._backoff.until)
        timeout = None if math.isinf(due) else max(0.0, due - now)
        ready = {key.fd for key, _ in self._selector.select(timeout)}
        # In this order: what is closed below may have its number used again.
        if self._successor is not None and self._successor.fileno() in ready:
            self._hear_successor(self._successor)
        if self._files is not None and self._files.fileno() in ready:
            self._files_due = time.monotonic() + _SETTLE_S
            self._files.heard()
        for worker, code in self._crew.hear(ready):
            self._on_end(worker, code)
        if self._inherits_orphans:
            own = {worker.pid for worker in self._crew}
            wait_for_orphans(own | ({self._successor.pid} if self._successor else set()))
        for number in self._orders.take():
            self._obey(number)

    def _on_end(self, worker: Worker, code: int) -> None:
        if worker.state is State.ENDING or self._ending:
            if code not in (0, 128 + signal.SIGTERM):
                logger.warning("Worker %d %s.", worker.pid, describe_exit(code))
        elif worker.state is State.STARTING:
            self._on_failed_start(worker, code)
        else:
            level = logging.INFO if code == 0 else logging.ERROR
            end = describe_exit(code)
            logger.log(level, "Worker %d %s; another one takes its place.", worker.pid, end)
            if self._files is not None:
                self._paused = code != 0
            elif time.monotonic() - worker.since < _STABLE_S:
                self._backoff.extend()
            else:
                self._backoff.reset()

    def _on_failed_start(self, worker: Worker, code: int) -> None:
        end = f"Worker {worker.pid} {describe_exit(code)} before it served."
        text, status = worker.failure or (end, code if code > 0 else 1)
        if self._files is not None:
            logger.error("%s Waiting for a file to change.", text)
            self._paused = True
        elif self._is_unproven(worker.generation):
            logger.error("%s The workers stay as they were.", text)
            self._generation = self._previous
        elif not self._served or not self._crew.among(State.STARTING, State.SERVING):
            logger.error("%s", text)
            self._status = status
            self._ending = True
        else:
            self._backoff.extend()
            logger.error("%s Trying again in %g s.", text, self._backoff.seconds)

    def _is_unproven(self, generation: Generation) -> bool:
        """Whether it is current, none of it ever served, and there is one that did."""
        return (
            generation is self._generation
            and not generation.proven
            and generation is not self._previous
            and self._previous.proven
        )

    def _obey(self, number: int) -> None:
        hung_up = number == signal.SIGHUP and self._orders.lost_terminal
        if hung_up or number in (signal.SIGTERM, signal.SIGINT):
            self._end_all(number)
        elif number == signal.SIGHUP:
            self._reload_wanted = True
            self._paused = False
        elif number == signal.SIGUSR1:
            for worker in self._crew:
                worker.send(signal.SIGUSR1)
            logger.info("State: %s", json.dumps(self._state()))
        elif number == signal.SIGUSR2:
            self._start_successor()
        elif number in (signal.SIGTTIN, signal.SIGTTOU):
            count = self._count + (1 if number == signal.SIGTTIN else -1)
            self._count = min(max(1, count), _WORKERS_MAX)
            logger.info("%d worker(s) from now on.", self._count)

    def _end_all(self, number: int) -> None:
        """The first time lets requests finish, the second cuts them off, the third kills."""
        self._told += 1
        if self._told == 1:
            self._ending = True
            if not self._served:
                self._status = 128 + number
            systemd.notify("STOPPING=1")
            if self._successor is not None:
                self._give_up_successor(self._successor)
        elif self._told == 2:
            self._status = 128 + number
            for worker in self._crew:
                self._crew.hurry(worker)
        else:
            for worker in self._crew:
                self._crew.kill(worker)

    def _begin_generation(self) -> None:
        """Reads everything again; when that fails, all stays as it is."""
        try:
            settings = self._reread()
            generation = Generation(self._app, settings, self._shared)
        except StartError as error:
            logger.error("The workers stay as they were. %s", error)
            return
        if settings.ssl_cert_reqs != "none":
            self._shared.renew_ticket_secret()
        binds = [bind for bind in self._sockets if bind != metrics_name(self._metrics_bind)]
        if (settings.binds(), settings.metrics_bind) != (binds, self._metrics_bind):
            logger.warning("Where to listen changes with SIGUSR2 or a new start, not with SIGHUP.")
        self._count = _count(settings)
        self._previous, self._generation = self._generation, generation
        self._backoff.reset()
        if outdated := self._outdated():
            logger.info("Replacing %d worker(s).", len(outdated))

    def _restart_if_changed(self, files: Files) -> None:
        """For development: ends the worker, in whose place the next comes with new code."""
        paths = files.changed()
        if not paths:
            return
        shown = ", ".join(os.path.relpath(path) for path in paths[:3])
        logger.info("Restarting: %s changed.", shown if len(paths) <= 3 else f"{shown} and others")
        self._paused = False
        self._reload_wanted = True
        for worker in self._crew:
            self._crew.end(worker)
            worker.hurry_at = time.monotonic() + _SETTLE_S

    # --- another program in place of this one

    def _start_successor(self) -> None:
        if self._successor is not None or self._ending:
            logger.warning("SIGUSR2: this process is being replaced already, or ends.")
            return
        environ, folder = self._start
        try:
            self._successor = Successor(self._sockets, environ, folder)
        except OSError as error:
            logger.error("SIGUSR2: cannot start %s: %s.", sys.executable, error.strerror)
            return
        self._selector.register(self._successor, selectors.EVENT_READ)
        logger.info("Process %d is to take over.", self._successor.pid)

    def _hear_successor(self, successor: Successor) -> None:
        if not successor.is_ready():
            self._give_up_successor(successor)
            return
        self._selector.unregister(successor)
        successor.close()
        self._successor = None
        logger.info("Process %d serves: this one ends.", successor.pid)
        systemd.notify(f"MAINPID={successor.pid}")
        self._shared.leave_paths()
        self._ending = True

    def _give_up_successor(self, successor: Successor) -> None:
        self._selector.unregister(successor)
        end = describe_exit(successor.fail())
        successor.close()
        self._successor = None
        goes_on = "ends" if self._ending else "goes on"
        logger.error("Process %d %s before it served: this one %s.", successor.pid, end, goes_on)

    # --- who is told

    def _announce(self) -> None:
        if self._announced or len(self._crew.among(State.SERVING)) < self._count:
            return
        self._announced = True
        banner.show_workers(self._generation.server, self._urls, self._count, self._metrics_url)
        systemd.notify("READY=1")
        self._predecessor.tell_ready(self._shared)

    def _state(self) -> dict[str, Any]:
        """What SIGUSR1 shows."""
        now = time.monotonic()
        total = dict(self._shared.retired)
        workers = []
        for worker in self._crew:
            numbers = self._shared.numbers(worker.place)
            total = {name: total[name] + number for name, number in numbers.items()}
            workers.append(
                {
                    "pid": worker.pid,
                    "state": worker.state.value,
                    "seconds": round(now - worker.since, 1),
                    "resident_bytes": resident_bytes(worker.pid),
                    **numbers,
                }
            )
        return {"pid": os.getpid(), "urls": self._urls, "total": total, "workers": workers}

    def _tell_watchdog(self, now: float) -> None:
        if self._watchdog_s and now >= self._watchdog_due:
            self._watchdog_due = now + self._watchdog_s
            systemd.notify("WATCHDOG=1")


def _count(settings: Settings) -> int:
    if settings.reload:
        return 1
    return settings.workers or _core.processors()


def _watched(settings: Settings) -> Files | None:
    if not settings.reload:
        return None
    name = "reload-dir" if settings.reload_dir else "app-dir"
    folders = settings.reload_dir or [settings.app_dir]
    for folder in folders:
        if not os.path.isdir(folder):
            raise SettingError(f"{name} must be a folder that exists, not {folder!r}.")
    return Files(folders, settings.reload_include, settings.reload_exclude)
