// Adds items to the queue of background work (`gateway_work`, docs/work.md), and changes single ones.
// Why here: an item is written in the transaction of its cause.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)

const TEXTS = ["id", "kind", "handler", "key", "source", "expires", "user"]
const NUMBERS = ["tries", "at_most_once"]

// Both statements number the items in their order, after all earlier ones. An uncorrelated subquery: SQLite reads the
// maximum once per statement.
const INSERT = `
  INSERT INTO ${TABLES.work} (${[...TEXTS, ...NUMBERS].map((name) => `\`${name}\``).join(",")},payload,due,status,created,seq)
  SELECT ${TEXTS.map((name) => `coalesce(value ->> '${name}', '')`).join(",")},
    ${NUMBERS.map((name) => `coalesce(value ->> '${name}', 0)`).join(",")},
    value -> 'payload', coalesce(nullif(value ->> 'due', ''), {:now}), 'waiting', {:now},
    (SELECT coalesce(max(seq), 0) FROM ${TABLES.work}) + json_each.key + 1
  FROM json_each({:rows}) WHERE true`
const SKIP = "ON CONFLICT (id) DO NOTHING"
// A running item keeps its claim: its settle finds the raised version and makes it due again. It starts from its
// beginning then.
const COALESCE = `ON CONFLICT (id) DO UPDATE SET
  version = version + 1, payload = excluded.payload, due = excluded.due, expires = excluded.expires,
  tries = excluded.tries, error = '', completed_at = '', user = excluded.user, source = excluded.source, cancel = false,
  state = NULL,
  seq = CASE WHEN status IN ('waiting', 'running') THEN seq ELSE excluded.seq END,
  attempts = CASE status WHEN 'running' THEN attempts ELSE 0 END,
  status = CASE status WHEN 'running' THEN status ELSE 'waiting' END`

// Adds items: {id, kind, handler, key, source, payload, due, expires, tries, at_most_once, user}, of which `id`, `kind`
// and `handler` are required. An id that the queue has is skipped; with `coalesce`, it becomes due again with the new
// payload. Returns the number of items added or changed.
function enqueue(tx, rows) {
  const groups = { job: [], coalescing: [], other: [] }
  for (const row of rows) groups[row.kind === "job" ? "job" : row.coalesce ? "coalescing" : "other"].push(row)
  return insert(tx, groups.other, SKIP) + insert(tx, groups.coalescing, COALESCE) + groups.job.filter((row) => addJob(tx, row)).length
}

// Saves a job as a record, so that its user gets it by realtime. Returns false if the queue has it.
function addJob(tx, row) {
  if (tx.findRecordsByIds(NAMES.work, [row.id]).length) return false
  const last = new DynamicModel({ seq: 0 })
  tx.db().newQuery(`SELECT coalesce(max(seq), 0) AS seq FROM ${TABLES.work}`).one(last)
  const now = fromNow(0)
  const record = new Record(tx.findCollectionByNameOrId(NAMES.work))
  const values = { ...row, due: row.due || now, status: "waiting", created: now, seq: last.seq + 1 }
  for (const name in values) record.set(name, values[name])
  tx.save(record)
  return true
}

// Adds the items of events that are stored for the first time and did not fail.
// text  the items as JSON, which is bound as it is in the usual case
// indexes  the index of each item's event
function enqueueOfEvents(tx, text, indexes, events, outcomes) {
  const isNew = (i) => !events[i].known && outcomes[i] !== "conflict" && outcomes[i] !== "failed"
  const isUnresolved = (i) => outcomes[i] === "unresolved"
  if (indexes.every((i) => isNew(i) && !isUnresolved(i))) return insertText(tx, text, SKIP)
  // An event that failed before and is unresolved again needs its item once more.
  const items = JSON.parse(text).map((item, n) => ({ ...item, coalesce: isUnresolved(indexes[n]) }))
  return enqueue(tx, items.filter((_, n) => isNew(indexes[n])))
}

function insert(tx, rows, onConflict) {
  return rows.length ? insertText(tx, JSON.stringify(rows), onConflict) : 0
}

function insertText(tx, rows, onConflict) {
  return tx.db().newQuery(`${INSERT} ${onConflict}`).bind({ rows, now: fromNow(0) }).execute().rowsAffected()
}

// Sets columns of one item. A job is saved as a record, so that its user gets the change by realtime.
function update(tx, { id, kind }, values) {
  if (kind === "job") {
    const record = tx.findRecordById(NAMES.work, id)
    for (const name in values) record.set(name, values[name])
    return tx.save(record)
  }
  const columns = Object.keys(values).map((name) => `\`${name}\` = {:${name}}`)
  tx.db().newQuery(`UPDATE ${TABLES.work} SET ${columns.join(", ")} WHERE id = {:id}`).bind({ ...values, id }).execute()
}

module.exports = { enqueue, enqueueOfEvents, update }
