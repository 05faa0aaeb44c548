// Work that is too long for one transaction, as items of the queue (docs/work.md). The process that has claimed an item
// asks for one part after the other. Each part is a short transaction that also stores its progress in the item's
// `state`, so that other writes get in between and a crash loses nothing. Doing a part twice changes nothing.
// Why here: an item is stored in the transaction that it follows from, and each part is a transaction.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { enqueue } = require(`${__hooks}/lib/work/queue.js`)

// By handler: the module with `doPart(app, items)`, which returns whether work is left, and the number of items at the same cursor that one part serves. Loaded on
// use, because the modules require this one; by a literal path, so that lib/health/hook_files.js finds them.
const MODULES = {
  "gateway.entitlements.recompute": { load: () => require(`${__hooks}/lib/entitlements/feature_change.js`), batchSize: 100 },
  "gateway.customers.move_rows": { load: () => require(`${__hooks}/lib/mirror/owner_change.js`), batchSize: 1 },
}

// Enqueues work about an object from its start, also if it is in progress.
function enqueueParts(tx, handler, object) {
  enqueue(tx, [{
    id: $security.sha256(`${handler} ${object}`).slice(0, 15), kind: "task", handler, source: object, payload: { object },
    tries: 0, coalesce: true,
  }])
}

// Does one part of an open item, and of others that wait at the same cursor. Returns {left}, whether work is left, and the
// `error` of a failed part.
function doPart(app, { id }) {
  const [item] = find(app, "id = {:id} AND status IN ('waiting','running')", { id }, "")
  if (!item) return { left: false }
  if (!MODULES[item.handler]) return { left: true, error: `${item.handler} is not done in parts.` }
  const alike = findAlike(app, item)
  try {
    return { left: MODULES[item.handler].load().doPart(app, [item, ...alike]) }
  } catch (error) {
    for (const other of alike) keepError(app, other, `${error}`)
    return { left: true, error: `${error}` }
  }
}

// Items that failed are tried alone, so that they don't delay others.
function findAlike(app, item) {
  const { batchSize } = MODULES[item.handler]
  if (item.error || batchSize === 1) return []
  return find(app, `handler = {:handler} AND status IN ('waiting','running') AND status = 'waiting' AND error = ''
    AND coalesce(state ->> 'cursor', '') = {:cursor} AND id != {:id}`, item, `ORDER BY seq LIMIT ${batchSize - 1}`)
}

function keepError(app, { id }, error) {
  app.db().newQuery(`UPDATE ${TABLES.work} SET error = {:error} WHERE id = {:id} AND status = 'waiting'`).bind({ id, error }).execute()
}

function find(app, filter, values, rest) {
  const found = arrayOf(new DynamicModel({ id: "", handler: "", object: "", cursor: "", error: "" }))
  app.db().newQuery(`
    SELECT id, handler, coalesce(payload ->> 'object', '') AS object, coalesce(state ->> 'cursor', '') AS cursor, error
    FROM ${TABLES.work} WHERE ${filter} ${rest}
  `).bind(values).all(found)
  return found.map((row) => Object.assign({}, row))
}

const HERE = "id = {:id} AND status IN ('waiting','running') AND coalesce(state ->> 'cursor', '') = {:cursor}"

// Moves the cursor. Returns false if another process has moved it before.
function advance(tx, { id, cursor }, next) {
  const result = tx.db().newQuery(`UPDATE ${TABLES.work} SET state = json_object('cursor', {:next}), error = '' WHERE ${HERE}`)
    .bind({ id, cursor, next }).execute()
  return result.rowsAffected() > 0
}

// Ends work that waits, unless it was enqueued again; a running item is ended by the process that has it.
function finish(tx, { id, cursor }) {
  tx.db().newQuery(`
    UPDATE ${TABLES.work} SET state = NULL, completed_at = iif(status = 'waiting', {:now}, ''),
      status = iif(status = 'waiting', 'done', status) WHERE ${HERE}
  `).bind({ id, cursor, now: fromNow(0) }).execute()
}

module.exports = { advance, doPart, enqueueParts, finish }
