// Work that is too long for one transaction. A row of `deferred_work` has the task, and any gateway does one part after
// the other (POST /api/gateway/deferred-work). Each part is a short transaction that also stores its progress, so that
// other writes get in between and a crash loses nothing. Doing a part twice changes nothing.
// Why here: the task is stored in the transaction that it follows from, and each part is a transaction.
const { NOW, sqlFromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

// Enqueues work from its start, also if it is in progress. Work is done in the order of `updated`.
function enqueue(tx, kind, object) {
  tx.db().newQuery(`
    INSERT INTO ${TABLES.deferred_work} (kind, object, created, updated) VALUES ({:kind}, {:object}, ${NOW}, ${NOW})
    ON CONFLICT (kind, object) DO UPDATE SET cursor = '', error = '', updated = min(updated, excluded.updated)
  `).bind({ kind, object }).execute()
}

// Does one part of the work that has waited longest. Returns {left}, whether more may be due, and the `error` of a
// failed part, which is tried again after a minute, so that other work goes on.
function doPart(app) {
  const [first] = find(app, `updated > '' AND updated <= ${NOW}`, {}, "ORDER BY updated LIMIT 1")
  if (!first) return { left: false }
  const those = findAlike(app, first)
  try {
    KINDS[first.kind].load().doPart(app, those)
    return { left: true }
  } catch (error) {
    for (const { id } of those) postpone(app, id, `${error}`)
    return { left: true, error: `${error}` }
  }
}

// By kind: the module that does a part, and the number of rows at the same cursor that one part handles. Loaded on use,
// because the modules require this one; by a literal path, so that lib/health/hook_files.js finds them.
const KINDS = {
  features: { load: () => require(`${__hooks}/lib/entitlements/feature_change.js`), batchSize: 100 },
  owner: { load: () => require(`${__hooks}/lib/mirror/owner_change.js`), batchSize: 1 },
}

// Failed work is tried alone, so that it doesn't delay other work.
function findAlike(app, first) {
  const batchSize = KINDS[first.kind]?.batchSize || 1
  if (first.error || batchSize === 1) return [first]
  return find(app, "kind = {:kind} AND cursor = {:cursor} AND error = ''", first, `ORDER BY updated LIMIT ${batchSize}`)
}

function find(app, filter, values, rest) {
  const found = arrayOf(new DynamicModel({ id: "", kind: "", object: "", cursor: "", error: "" }))
  app.db().newQuery(`SELECT id, kind, object, cursor, error FROM ${TABLES.deferred_work} WHERE ${filter} ${rest}`)
    .bind(values).all(found)
  return found.map((row) => Object.assign({}, row))
}

const RETRY_AT = sqlFromNow("'+60 seconds'")

function postpone(app, id, error) {
  app.db().newQuery(`UPDATE ${TABLES.deferred_work} SET error = {:error}, updated = ${RETRY_AT} WHERE id = {:id}`)
    .bind({ id, error }).execute()
}

// Moves the cursor. Returns false if another gateway has moved it before.
function advance(tx, { id, cursor }, next) {
  const result = tx.db().newQuery(`
    UPDATE ${TABLES.deferred_work} SET cursor = {:next}, error = '', updated = ${NOW} WHERE id = {:id} AND cursor = {:cursor}
  `).bind({ id, cursor, next }).execute()
  return result.rowsAffected() > 0
}

// Deletes done work, unless it was enqueued again.
function finish(tx, { id, cursor }) {
  tx.db().newQuery(`DELETE FROM ${TABLES.deferred_work} WHERE id = {:id} AND cursor = {:cursor}`).bind({ id, cursor }).execute()
}

module.exports = { advance, doPart, enqueue, finish }
