"""Opens a database by its URL: the right settings, the right schema, and errors in words for a person.

Knows files, connections and versions, not what the tables mean. SQLite runs in WAL mode, so that readers
and the one writer do not wait for each other; several kernels take turns by its lock. A file that turns
out damaged is moved aside, never deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from voice_kernel.language import _
from voice_kernel.store.faults import Fault, Patience, later
from voice_kernel.store.schema import HEAD

Inode = tuple[int, int]
Answer = TypeVar("Answer")

MIGRATIONS = Path(__file__).parent / "migrations"
FILE_NAME = "history.db"
SETTING = "VOICE_KERNEL_DATABASE_URL"

JOURNAL_LIMIT_BYTES = 16 * 1024**2
"""A WAL that grew past this is cut again when it is next empty."""
STATEMENT_LIMIT_MS = 15_000
MIGRATION_KEY = 0x766F696365
"""PostgreSQL's advisory lock that kernels take while they migrate: "voice"."""

_alembic = threading.Lock()
"""Alembic keeps what it works on in its modules: one upgrade at a time in a process."""


@dataclass(frozen=True)
class Place:
    """Where a history is: a URL and, for SQLite, its file."""

    url: URL
    file: Path | None

    @classmethod
    def of(cls, url: str, folder: Path) -> Place:
        """Read a URL; empty means the file in the folder.

        Raises:
            Fault: it is no URL, or names a database that cannot be used.
        """
        if not url:
            file = (folder / FILE_NAME).absolute()
            return cls(URL.create("sqlite", database=str(file)), file)
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise _misconfigured(_("{setting} is not a database URL.").format(setting=SETTING)) from None
        family, _plus, driver = parsed.drivername.partition("+")
        if family == "sqlite":
            if not parsed.database or parsed.database == ":memory:" or parsed.query:
                raise _misconfigured(_("{setting} names no file.").format(setting=SETTING))
            file = Path(parsed.database).expanduser().absolute()
            return cls(URL.create("sqlite", database=str(file)), file)
        if family in ("postgresql", "postgres") and driver in ("", "psycopg"):
            return cls(parsed.set(drivername="postgresql+psycopg"), None)
        raise _misconfigured(_("{setting} is neither of SQLite nor of PostgreSQL.").format(setting=SETTING))

    @property
    def secrets(self) -> list[str]:
        """Parts of the URL that nobody may read."""
        return [str(self.url.password)] if self.url.password else []


def _misconfigured(message: str) -> Fault:
    hint = _("It is like sqlite:////home/me/history.db or postgresql://me@host/history.")
    return Fault("misconfigured", message, hint=hint, lasting=True)


class Database:
    """An open database at the right version.

    Args:
        place: where it is.
        patience: how long to wait.
        migrations: the folder of the versions.
        head: the version wanted.
        read_only: read a file that nobody can write, as it is; `writing` then fails.

    Attributes:
        inode: which file it is; whatever else gets its name later is another one.

    Raises:
        Fault: it cannot be used.
    """

    def __init__(
        self,
        place: Place,
        patience: Patience | None = None,
        *,
        migrations: Path = MIGRATIONS,
        head: str = HEAD,
        read_only: bool = False,
    ) -> None:
        self.place = place
        self.patience = patience or Patience()
        self._migrations = migrations
        self._head = head
        self._read_only = read_only
        self.inode: Inode | None = None
        if place.file is not None and not read_only:
            _make_private(place.file)
        self.engine = self._engine()
        try:
            with self._faults():
                self._upgrade()
                self.inode = _inode(place.file) if place.file is not None else None
        except BaseException:
            self.engine.dispose()
            raise

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.place.file is not None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database.

        Raises:
            Fault: the database cannot be read now.
        """
        with self._faults(), self.engine.begin() as connection:
            yield connection

    def ask(self, question: Callable[..., Answer], *arguments: Any, **keywords: Any) -> Answer:
        """Answer a question, which is given a connection first.

        Raises:
            Fault: the database cannot be read now, or holds what nobody wrote.
        """
        try:
            with self.reading() as connection:
                return question(connection, *arguments, **keywords)
        except (ValueError, TypeError, KeyError) as error:
            raise Fault("corrupt", _("A part of the history cannot be read."), hint="") from error

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write; on SQLite it has waited for its turn when this returns.

        Raises:
            Fault: the database cannot be written now; nothing of the transaction is.
        """
        with self._faults():
            if self.place.file is not None and self._read_only:
                raise _unwritable(self.place.file.parent)
            if self.place.file is not None and _inode(self.place.file) != self.inode:
                raise Fault("moved", _("The history file was moved or deleted."))
            with self.engine.connect().execution_options(begin="IMMEDIATE") as connection, connection.begin():
                yield connection

    def now(self, connection: Connection) -> float:
        """Return the database's time, in seconds since the epoch: hosts that share it agree on this one."""
        if self.is_sqlite:
            return time.time()
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def is_sound(self) -> bool:
        """Look through a file for damage; True for a server, which looks after itself."""
        if not self.is_sqlite:
            return True
        try:
            with self.reading() as connection:
                return connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok"
        except Fault as fault:
            return fault.kind != "corrupt"

    def size_bytes(self) -> int:
        """Return how large it is."""
        if self.place.file is not None:
            with contextlib.suppress(OSError):
                return self.place.file.stat().st_size
            return 0
        with self.reading() as connection:
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def give_back(self, pages: int = 500) -> bool:
        """Give up to so many free pages of a file back to the disk; returns whether there are more.

        A server does that by itself.
        """
        if not self.is_sqlite or self._read_only:
            return False
        with self.reading() as connection:
            free = connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
        # A few are left: the next rows need them.
        if free <= pages:
            return False
        with self.engine.connect().execution_options(begin="") as connection:
            driver: Any = connection.connection.driver_connection
            try:
                # As a script: the pragma has a row without columns for each page, and only so are all taken.
                driver.executescript(f"PRAGMA incremental_vacuum({pages})")
            except sqlite3.Error as error:
                raise self._sqlite_fault(error) from error
        return free > 2 * pages

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    # ---- inside -----------------------------------------------------------------------------------

    def _engine(self) -> Engine:
        try:
            if self.place.file is not None:
                url = self.place.url
                if self._read_only:
                    # Else SQLite wants to write even to read: the index of the WAL.
                    file = f"file:{quote(str(self.place.file))}"
                    query = {"mode": "ro", "immutable": "1", "uri": "true"}
                    url = url.set(database=file, query=query)
                engine = create_engine(
                    url,
                    pool_size=2,
                    max_overflow=4,
                    connect_args={"timeout": self.patience.busy_s, "check_same_thread": False},
                )
                event.listen(engine, "connect", self._prepare_sqlite)
                event.listen(engine, "begin", _begin_sqlite)
                return engine
            engine = create_engine(
                self.place.url,
                pool_size=2,
                max_overflow=4,
                pool_timeout=self.patience.connect_s,
                connect_args={"connect_timeout": max(2, round(self.patience.connect_s))},
            )
            event.listen(engine, "connect", self._prepare_postgres)
            return engine
        except ImportError:
            raise Fault(
                "misconfigured",
                _("The history is to be kept in PostgreSQL, but psycopg is not installed."),
                hint=_("pip install 'voice-kernel[postgres]'"),
                lasting=True,
            ) from None
        except (ArgumentError, NoSuchModuleError):
            raise _misconfigured(_("{setting} cannot be used.").format(setting=SETTING)) from None

    def _prepare_sqlite(self, connection: Any, _record: Any) -> None:
        # SQLAlchemy says when a transaction begins, see `_begin_sqlite`; the driver must not.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        # In WAL mode this loses nothing when a process dies, and at most the last moments of a machine
        # that loses power; the file stays whole either way.
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}")
        cursor.close()

    def _prepare_postgres(self, connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {STATEMENT_LIMIT_MS}")
            cursor.execute(f"SET lock_timeout = {round(self.patience.busy_s * 1_000)}")
        connection.commit()

    def _upgrade(self) -> None:
        version = self._version()
        if version == self._head:
            if self.is_sqlite:
                self._look_for_cut()
            return
        self._refuse_newer(version)
        if self.place.file is not None and self._read_only:
            raise _unwritable(self.place.file.parent)
        if self.is_sqlite:
            self._settle(empty=not version)
        with self.engine.connect().execution_options(begin="IMMEDIATE") as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_KEY})
            version = self._version(connection)  # another kernel may have been first
            if version != self._head:
                self._refuse_newer(version)
                self._migrate(connection)

    def _settle(self, *, empty: bool) -> None:
        """Set what a file keeps; not before its version is known, since a newer one's is left alone."""
        give_up_at = time.monotonic() + self.patience.busy_s
        while True:
            try:
                with self.engine.connect().execution_options(begin="") as connection:
                    if empty:
                        connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                return
            except DBAPIError as error:
                kind = self.fault_of(error).kind
                if kind == "unwritable":
                    return  # some network disks know no WAL; whether it can be written is seen next
                # SQLite does not wait for its turn here, as it does for a transaction.
                if kind != "locked" or time.monotonic() > give_up_at:
                    raise
                time.sleep(0.02)

    def _version(self, connection: Connection | None = None) -> str:
        if connection is None:
            with self.engine.begin() as fresh:
                return self._version(fresh)
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")

    def _refuse_newer(self, version: str) -> None:
        known = not version or (version.isdigit() and int(version) < int(self._head))
        if not known:
            raise Fault(
                "newer",
                _("The history was written by a newer version of voice_kernel."),
                hint=_("Upgrade it to go on with that history: pip install --upgrade voice-kernel"),
                lasting=True,
            )

    def _migrate(self, connection: Connection) -> None:
        # Alembic takes 0.2 s to import, and once a schema is made, nobody needs it.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(self._migrations).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        with _alembic:
            command.upgrade(config, self._head)

    def _look_for_cut(self) -> None:
        """Notice a file that was cut off, which else would show when the missing part is first needed."""
        assert self.place.file is not None
        with self.engine.begin() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
            size = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
        wal = self.place.file.with_name(self.place.file.name + "-wal")
        # What is in the WAL counts as pages, but is not in the file yet.
        if not (wal.exists() and wal.stat().st_size) and self.place.file.stat().st_size < pages * size:
            raise _corrupt()

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self.fault_of(error) from error

    def fault_of(self, error: SQLAlchemyError) -> Fault:
        """Say in words what an error of the database means. No text of the error is in it."""
        cause = error.orig if isinstance(error, DBAPIError) else None
        if isinstance(cause, sqlite3.Error):
            return self._sqlite_fault(cause)
        if isinstance(cause, sqlite3.Warning | ValueError | TypeError | OverflowError) or (
            cause is None and not self._lost(error)
        ):
            return Fault("refused", _("The database refused what was to be written."))
        return self._postgres_fault(error, cause)

    def _sqlite_fault(self, cause: sqlite3.Error) -> Fault:
        code = getattr(cause, "sqlite_errorcode", None) or 0
        folder = self.place.file.parent if self.place.file else ""
        if code == sqlite3.SQLITE_READONLY_DBMOVED:
            return Fault("moved", _("The history file was moved or deleted."))
        if code == sqlite3.SQLITE_IOERR_SHORT_READ:
            return _corrupt()
        primary = code & 0xFF
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
            return Fault("locked", _("The history is locked by another program."))
        if primary == sqlite3.SQLITE_FULL:
            return Fault("full", _("The disk is full."), hint=later(_("Make room.")))
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
            return _corrupt()
        if primary in (
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_AUTH,
        ):
            return _unwritable(folder)
        if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM):
            return Fault(
                "unwritable",
                _("The disk that holds {folder} reports an error, or your quota is used up.").format(
                    folder=folder
                ),
                hint=later(_("Look at the disk.")),
            )
        return Fault("refused", _("The database refused what was to be written."))

    def _lost(self, error: SQLAlchemyError) -> bool:
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        return isinstance(error, PoolTimeout)

    def _postgres_fault(self, error: SQLAlchemyError, cause: Any) -> Fault:
        state = str(getattr(cause, "sqlstate", None) or "")
        host = self.place.url.host or _("this machine")
        # A server that refuses a connection says FATAL, in any language, and psycopg gives no code for it.
        if state.startswith(("28", "3D")) or (not state and "FATAL" in str(cause)):
            return Fault(
                "unreachable",
                _("The database server of {host} does not let us in.").format(host=host),
                hint=_(
                    "Is it just starting? Else look at {setting}: user, password, name of the database."
                ).format(setting=SETTING),
            )
        if state.startswith("53") and state != "53300":
            return Fault(
                "full",
                _("The database server of {host} has no room left.").format(host=host),
                hint=later(_("Make room.")),
            )
        if state in ("25006", "42501"):
            return Fault(
                "unwritable",
                _("The database server of {host} lets us read, but not write.").format(host=host),
                hint=_("Ask its administrator."),
            )
        if state in ("55P03", "57014", "40P01", "40001"):
            return Fault("locked", _("The history is locked by another program."))
        if state.startswith(("22", "23", "42", "54")):
            return Fault("refused", _("The database refused what was to be written."))
        return Fault(
            "unreachable",
            _("The database server of {host} cannot be reached.").format(host=host),
            hint=later(_("Is it up? Its address is in {setting}.").format(setting=SETTING)),
        )


def open_to_read(place: Place, patience: Patience | None = None) -> Database:
    """Open a database, also one on a disk that cannot be written.

    Raises:
        Fault: it cannot be read.
    """
    try:
        return Database(place, patience)
    except Fault as fault:
        if fault.kind != "unwritable" or place.file is None or not place.file.exists():
            raise
    return Database(place, patience, read_only=True)


def open_or_replace(
    place: Place,
    patience: Patience,
    *,
    suspect: Inode | None = None,
    sure: bool = False,
    on_replaced: Callable[[Path], None] = lambda where: None,
) -> Database:
    """Open a database; a damaged file is moved aside, and a new one begun.

    Args:
        place: where it is.
        patience: how long to wait.
        suspect: the file in which damage was met, if it was.
        sure: whether there is no doubt about that.
        on_replaced: told where the damaged file is now.

    Raises:
        Fault: it cannot be used.
    """
    if place.file is None:
        return Database(place, patience)
    before = _inode(place.file)
    try:
        database = Database(place, patience)
        if suspect is None or database.inode != suspect or not (sure or not database.is_sound()):
            return database
        database.close()
    except Fault as fault:
        if fault.kind != "corrupt":
            raise
    moved = _move_aside(place.file, before)
    if moved is not None:
        on_replaced(moved)
    return Database(place, patience)


def _move_aside(file: Path, inode: Inode) -> Path | None:
    """Move a damaged file, with what belongs to it, out of the way; None if another kernel was first.

    Returns:
        Where it is now.

    Raises:
        Fault: the folder cannot be written.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    try:
        with _alone(file):
            if _inode(file) != inode:
                return None
            name = f"{file.stem}.corrupt-{stamp}"
            taken = sum(1 for other in file.parent.iterdir() if other.name.startswith(name))
            target = file.with_name(f"{name}-{taken}{file.suffix}" if taken else f"{name}{file.suffix}")
            # The file first: whoever opens the name after this begins a new one.
            file.rename(target)
            for ending in ("-wal", "-shm"):
                with contextlib.suppress(OSError):
                    file.with_name(file.name + ending).rename(target.with_name(target.name + ending))
    except OSError:
        raise _unwritable(file.parent) from None
    return target


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep other kernels from moving a file at the same moment."""
    lock = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _inode(file: Path) -> Inode:
    # By its name, not by opening it: closing any descriptor of it would drop SQLite's own locks.
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins by reading and writes later cannot wait for its turn: SQLite would have
    # to tell it that what it read is old. So those that write say so at once.
    kind = connection.get_execution_options().get("begin", "DEFERRED")
    if kind:
        connection.exec_driver_sql(f"BEGIN {kind}")


def _make_private(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made here, so that it is private from its first moment; SQLite gives the WAL the same mode.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError:
        raise _unwritable(file.parent) from None


def _unwritable(folder: Path | str) -> Fault:
    return Fault(
        "unwritable",
        _("{folder} cannot be written.").format(folder=folder),
        hint=_("Set {setting} to a file elsewhere.").format(setting=SETTING),
    )


def _corrupt() -> Fault:
    return Fault("corrupt", _("The history file is damaged."))
