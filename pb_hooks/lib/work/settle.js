// Stores the results of claimed items, and renews their leases. Both change an item only while its claim is the caller's.
// Why here: a result and the records that it writes are one transaction, and its claim is checked in it.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { isPassing, placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)
const { applyEnds } = require(`${__hooks}/lib/work/endings.js`)
const { update } = require(`${__hooks}/lib/work/queue.js`)

// Stores results together. Returns the ids that changed.
function settle(tx, settles) {
  if (settles.length === 0) return []
  const held = findHeld(tx, settles)
  const settled = settles.filter(({ id }) => held[id])
  const rows = settled.map((each) => ({ ...describe(held[each.id], each), id: each.id }))
  const isJob = (row) => held[row.id].kind === "job"
  for (const { id, ...values } of rows.filter(isJob)) update(tx, held[id], values)
  storeAll(tx, rows.filter((row) => !isJob(row)))
  applyEnds(tx, settled.map(({ id }) => held[id]))
  return settled.map(({ id }) => id)
}

// Stores a result together with its writes; neither if a write fails. Returns {settled} or {failed: {id, error}}.
function settleWithWrites(app, each) {
  try {
    let settled = []
    runTransaction(app, (tx) => {
      settled = settle(tx, [each])
      if (settled.length) each.writes.forEach((one, i) => write(tx, one, i))
    })
    return { settled, failed: null }
  } catch (error) {
    if (isPassing(error)) throw error
    return { settled: [], failed: { id: each.id, error: `${error}`.slice(0, 2000) } }
  }
}

// The running items of these results by id, without those that another process has claimed since.
function findHeld(tx, settles) {
  const claims = {}
  for (const { id, claim } of settles) claims[id] = claim
  const { list, values } = placeholders(Object.keys(claims))
  const found = arrayOf(new DynamicModel({ id: "", kind: "", handler: "", claim: "", version: 0, attempts: 0, cancel: false }))
  tx.db().newQuery(`
    SELECT id, kind, handler, claim, version, attempts, cancel FROM ${TABLES.work} WHERE status = 'running' AND id IN (${list})
  `).bind(values).all(found)
  const held = {}
  for (const item of found) if (item.claim === claims[item.id]) held[item.id] = Object.assign({}, item)
  return held
}

// The columns of a result; a null `result` or `state` keeps the stored one. An item that was enqueued again while it ran
// becomes due at once.
function describe(item, { status, delay, error, result, state, undo_attempt, version }) {
  const isStale = version !== null && item.version !== version
  const isWaiting = status === "waiting" && !item.cancel
  const isOpen = isStale || isWaiting
  const kept = {}
  if (result !== null) kept.result = JSON.stringify(result)
  if (state !== null) kept.state = JSON.stringify(state)
  return {
    ...kept,
    status: isOpen ? "waiting" : status === "waiting" ? "cancelled" : status,
    due: fromNow(isStale ? 0 : delay),
    error: isStale ? "" : error,
    claim: "",
    attempts: isStale ? 0 : item.attempts - (undo_attempt ? 1 : 0),
    completed_at: isOpen ? "" : fromNow(0),
  }
}

function storeAll(tx, rows) {
  if (rows.length === 0) return
  tx.db().newQuery(`
    UPDATE ${TABLES.work} SET status = new.value ->> 'status', due = new.value ->> 'due', error = new.value ->> 'error',
      claim = '', attempts = new.value ->> 'attempts', completed_at = new.value ->> 'completed_at',
      result = coalesce(new.value ->> 'result', result),
      state = coalesce(new.value ->> 'state', state)
    FROM json_each({:rows}) new WHERE ${TABLES.work}.id = new.value ->> 'id'
  `).bind({ rows: JSON.stringify(rows) }).execute()
}

const WRITES = {
  create: (tx, { collection, id, data }) => tx.save(fill(build(tx, collection, id), data)),
  update: (tx, { collection, id, data }) => tx.save(fill(tx.findRecordById(collection, id), data)),
  upsert: (tx, { collection, id, data }) => tx.save(fill(find(tx, collection, id) || build(tx, collection, id), data)),
  // Deleted already is what was asked for.
  delete: (tx, { collection, id }) => {
    const record = find(tx, collection, id)
    if (record) tx.delete(record)
  },
}

function write(tx, one, i) {
  try {
    WRITES[one.method](tx, one)
  } catch (error) {
    if (isPassing(error)) throw error
    throw new Error(`write ${i + 1}, ${one.method} ${one.collection}/${one.id || ""}: ${error}`)
  }
}

function build(tx, collection, id) {
  const record = new Record(tx.findCollectionByNameOrId(collection))
  if (id) record.set("id", id)
  return record
}

function fill(record, data) {
  for (const name in data) {
    requireColumn(record, name)
    record.set(name, data[name])
  }
  return record
}

// PocketBase ignores unknown names: a misspelt one would lose its value. `name+` and the like change a stored value.
function requireColumn(record, name) {
  const { fields } = record.collection()
  const isKnown = [name, name.replace(/^[+-]|[+-]$/, ""), name.replace(/(Confirm)?$/, "")].some((each) => fields.getByName(each))
  if (!isKnown) throw new Error(`there is no column ${name}`)
}

function find(tx, collection, id) {
  const [found] = id ? tx.findRecordsByIds(collection, [id]) : []
  return found
}

// Renews leases: {id, claim, progress, state}. Returns {id, cancel} of those that the caller still has.
function renew(tx, renewals, lease_seconds) {
  if (renewals.length === 0) return []
  const held = findHeld(tx, renewals)
  return renewals.filter(({ id }) => held[id]).map(({ id, progress, state }) => {
    const values = { lease: fromNow(lease_seconds) }
    if (progress !== null) values.progress = JSON.stringify(progress)
    if (state !== null) values.state = JSON.stringify(state)
    // A lease alone is nothing for the user.
    update(tx, progress === null ? { id } : held[id], values)
    return { id, cancel: held[id].cancel }
  })
}

module.exports = { renew, settle, settleWithWrites }
