"""The statements of a unit of the PostgreSQL store."""

from __future__ import annotations

GET = "SELECT id, version, data FROM ci_record WHERE kind = %s AND id = %s"
GET_MANY = "SELECT id, version, data FROM ci_record WHERE kind = %s AND id = ANY(%s::text[])"
PAGE = "SELECT id, version, data FROM ci_record WHERE kind = %s AND id > %s ORDER BY id LIMIT %s"
VERSION = "SELECT coalesce((SELECT version FROM ci_record WHERE kind = %s AND id = %s), 0)"
LOOKUP = "SELECT id FROM ci_key WHERE kind = %s AND name = %s AND value = %s ORDER BY id"
KEYS = "SELECT name, value, uniq FROM ci_key WHERE kind = %s AND id = %s ORDER BY name, value"
KEYS_BETWEEN = (
    "SELECT id, name, value, uniq FROM ci_key WHERE kind = %s AND id > %s AND id <= %s ORDER BY id, name, value"
)

# One look into the index for each kind, where DISTINCT would read all records.
KINDS = """WITH RECURSIVE found(kind) AS (
  SELECT min(kind) FROM ci_record
  UNION ALL
    SELECT (SELECT min(r.kind) FROM ci_record r WHERE r.kind > found.kind) FROM found WHERE found.kind IS NOT NULL)
SELECT kind FROM found WHERE kind IS NOT NULL ORDER BY kind"""

# A put is one statement, so one round trip: it looks for another holder of a unique key; without one it stores the
# record, if the version is right; if so its keys. It tells how many records it stored, and the key and holder found.
# LATERAL makes it look into the index for each key, whatever the statistics of the table say.
_NEW_KEYS = """WITH new AS MATERIALIZED (
  SELECT * FROM unnest(%(names)s::text[], %(values)s::text[], %(uniqs)s::smallint[]) AS t(name, value, uniq)),
held AS MATERIALIZED (
  SELECT new.name, k.id FROM new CROSS JOIN LATERAL (
    SELECT id FROM ci_key
    WHERE kind = %(kind)s::text AND ci_key.name = new.name AND ci_key.value = new.value AND uniq = 1
      AND id <> %(id)s::text LIMIT 1) k
  WHERE new.uniq = 1 LIMIT 1),
"""
_STORED = "SELECT (SELECT count(*) FROM done), (SELECT name FROM held), (SELECT id FROM held)"

PUT_NEW = f"""{_NEW_KEYS}done AS (
  INSERT INTO ci_record(kind, id, version, data) SELECT %(kind)s::text, %(id)s::text, 1, %(data)s::bytea
  WHERE NOT EXISTS(SELECT 1 FROM held) ON CONFLICT DO NOTHING RETURNING 1),
keyed AS (
  INSERT INTO ci_key(kind, name, value, id, uniq) SELECT %(kind)s::text, name, value, %(id)s::text, uniq FROM new
  WHERE EXISTS(SELECT 1 FROM done))
{_STORED}"""  # noqa: S608 - texts of ours

# Keys that stay are left alone: in one statement a row cannot be deleted and inserted again.
PUT_NEXT = f"""{_NEW_KEYS}done AS (
  UPDATE ci_record SET version = version + 1, data = %(data)s::bytea
  WHERE kind = %(kind)s::text AND id = %(id)s::text AND version = %(version)s::bigint
    AND NOT EXISTS(SELECT 1 FROM held) RETURNING 1),
gone AS (
  DELETE FROM ci_key k WHERE kind = %(kind)s::text AND id = %(id)s::text AND EXISTS(SELECT 1 FROM done)
    AND NOT EXISTS(SELECT 1 FROM new WHERE new.name = k.name AND new.value = k.value)),
keyed AS (
  INSERT INTO ci_key(kind, name, value, id, uniq) SELECT %(kind)s::text, name, value, %(id)s::text, uniq FROM new
  WHERE EXISTS(SELECT 1 FROM done)
  ON CONFLICT (kind, name, value, id) DO UPDATE SET uniq = excluded.uniq WHERE ci_key.uniq <> excluded.uniq)
{_STORED}"""  # noqa: S608 - texts of ours

DELETE = """WITH done AS (
  DELETE FROM ci_record WHERE kind = %(kind)s::text AND id = %(id)s::text AND version = %(version)s::bigint
  RETURNING 1),
keyed AS (
  DELETE FROM ci_key WHERE kind = %(kind)s::text AND id = %(id)s::text AND EXISTS(SELECT 1 FROM done))
SELECT count(*) FROM done"""

HOLDER = "SELECT (SELECT id FROM ci_key WHERE kind = %s AND name = %s AND value = %s AND uniq = 1)"

RECORD_COLUMNS = {"kind": "text", "id": "text", "version": "int8", "data": "bytea"}
KEY_COLUMNS = {"kind": "text", "name": "text", "value": "text", "id": "text", "uniq": "int2"}
EVENT_COLUMNS = {"type": "text", "subject": "text", "data": "bytea"}
GAP_COLUMNS = {"kind": "text", "id": "text"}

# Numbers of events and of transactions are drawn before commits, so a reader of "seq > cursor" would miss what commits
# late. Below the oldest transaction that runs, nothing can come any more.
_EVENTS = """SELECT xid::text::bigint AS number, seq, type, subject, data FROM ci_outbox
WHERE (xid, seq) > (%s::text::xid8, %s::bigint){} ORDER BY xid, seq LIMIT %s"""
FEED = _EVENTS.format(" AND xid < pg_snapshot_xmin(pg_current_snapshot())")
PENDING = _EVENTS.format("")
EMIT = "INSERT INTO ci_outbox(type, subject, data) VALUES(%s, %s, %s) RETURNING 1"
TRIM = """WITH gone AS (
  DELETE FROM ci_outbox WHERE (xid, seq) <= (%s::text::xid8, %s::bigint) RETURNING 1)
SELECT count(*) FROM gone"""
STATE = """SELECT
  (SELECT value FROM ci_meta WHERE name = 'incarnation'), (SELECT value FROM ci_meta WHERE name = 'trimmed'),
  (SELECT value LIKE '%%/' || to_regclass('ci_outbox')::oid FROM ci_meta WHERE name = 'cluster'),
  pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""
NEWEST = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_xact_id()::text::bigint END"

HAS_GAP = "SELECT 1 FROM ci_column_gap WHERE kind = %s LIMIT 1"
DELETE_GAP = "DELETE FROM ci_column_gap WHERE kind = %s AND id = %s RETURNING 1"
INSERT_GAP = "INSERT INTO ci_column_gap(kind, id) VALUES(%s, %s) ON CONFLICT DO NOTHING RETURNING 1"
