"""A history of many tasks, written by the database itself: 100,000 in seconds."""

from __future__ import annotations

from sqlalchemy import text

from voice_kernel.store.database import Database

SESSIONS = 200
TURNS_OF_THREAD = 40
COMMAND = "'run the tests of module' || (i % 997) || ' with ' || CASE i % 4 {cases} END"
CASES = "WHEN 0 THEN 'coverage' WHEN 1 THEN 'verbose output' WHEN 2 THEN 'xdist' ELSE 'nothing else'"
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"


def fill(database: Database, tasks: int, *, kept_chars: int = 200) -> None:
    """Add so many tasks, one a turn: 40 turns to a conversation, 200 sessions, 50 notebooks.

    Every third failed; word 997 times rarer than others are in `module<N>`.

    Args:
        database: an empty one.
        tasks: how many.
        kept_chars: the size of what each put out.
    """
    command = COMMAND.format(cases=CASES)
    threads = -(-tasks // TURNS_OF_THREAD)
    workspace = "'/home/me/notebook' || ({} % 50) || '.ipynb'"
    state = "CASE WHEN i % 1000 = 0 THEN 'cancelled' WHEN i % 3 = 0 THEN 'failed' ELSE 'succeeded' END"
    thread = f"'thread' || ((i - 1) / {TURNS_OF_THREAD})"
    session = f"'session' || (i % {SESSIONS})"
    statements = (
        f"""INSERT INTO sessions (id, workspace, kernel, host, pid, thread_id, started_at, ended_at,
                ending, last_seq, last_turn, last_task)
            {NUMBERS} SELECT 'session' || (i - 1), {workspace.format("(i - 1)")}, '', 'host', 1, '',
                i * 1.0, i * 1.0, 'closed', 0, 0, 0 FROM n WHERE i <= {SESSIONS}""",
        f"""INSERT INTO threads (id, workspace, title, titled, created_at, updated_at, words)
            {NUMBERS} SELECT 'thread' || (i - 1), {workspace.format("(i - 1)")}, 'Conversation ' || i, :yes,
                i * 1.0, i * 1.0, 'conversation ' || i FROM n WHERE i <= {threads}""",
        f"""INSERT INTO items (session_id, number, thread_id, state, created_at, text, words, data)
            {NUMBERS} SELECT {session}, i, {thread}, 'succeeded', i * 1.0, {command}, {command},
                '{{"state":"succeeded","origin":"text","text":"run"}}' FROM n""",
        f"""INSERT INTO tasks (session_id, number, thread_id, turn, workspace, tool, area, state, created_at,
                ended_at, utterance, log_path, words, data, heavy)
            {NUMBERS} SELECT {session}, i, {thread}, i,
                {workspace.format(f"((i - 1) / {TURNS_OF_THREAD})")}, 'run_tests',
                CASE i % 5 WHEN 0 THEN 'shell' ELSE 'tests' END, {state}, i * 1.0, i * 1.0, {command}, '',
                {command} || ' ' || (i % 90) || ' passed in ' || (i % 13) || ' s',
                '{{"title":"run_tests tests/unit","result":{{"summary":"90 passed in 13 s"}}}}',
                '{{"tail":"' || {_repeat(database, kept_chars)} || '"}}' FROM n""",
    )
    with database.writing() as connection:
        if not database.is_sqlite:  # on a slow machine this takes longer than any question may
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in statements:
            connection.execute(text(statement), {"count": tasks, "yes": True})
    if not database.is_sqlite:
        # As the server does by itself after a while. A file is never analysed, so here neither.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")


def _repeat(database: Database, chars: int) -> str:
    return f"printf('%.{chars}c', 'x')" if database.is_sqlite else f"repeat('x', {chars})"
