// Work that is too long for the transaction it follows from. A row of `deferred_work` says what is to do, and
// any gateway asks for one part after the other (POST /api/gateway/deferred-work). Each part is a short
// transaction of its own that also notes how far it is, so that others write in between, and nothing is
// lost or done by halves when somebody stops. To do a part twice changes nothing.
// Why here: the rest of a transaction is stored in that transaction, so that a crash loses nothing.
const { NOW, sqlFromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

// To be done from the start, also if it is under way. `updated` is when it has its turn.
function queue(tx, kind, object) {
  tx.db().newQuery(`
    INSERT INTO ${TABLES.deferred_work} (kind, object, created, updated) VALUES ({:kind}, {:object}, ${NOW}, ${NOW})
    ON CONFLICT (kind, object) DO UPDATE SET cursor = '', error = '', updated = min(updated, excluded.updated)
  `).bind({ kind, object }).execute()
}

// Does one part of what has waited longest; returns {left}, whether there may be more to do at once, and the
// `error` of a part that failed: it comes again after a while, and the others have their turn.
function doPart(app) {
  const [first] = find(app, `updated > '' AND updated <= ${NOW}`, {}, "ORDER BY updated LIMIT 1")
  if (!first) return { left: false }
  const those = findAlike(app, first)
  try {
    KINDS[first.kind].load().doPart(app, those)
    return { left: true }
  } catch (error) {
    for (const { id } of those) putOff(app, id, `${error}`)
    return { left: true, error: `${error}` }
  }
}

// By kind: the module that does a part, and the number of rows at the same cursor that one part handles. Loaded on use,
// because the modules require this one; by a literal path, so that lib/health/hook_files.js finds them.
const KINDS = {
  features: { load: () => require(`${__hooks}/lib/entitlements/feature_change.js`), atOnce: 100 },
  owner: { load: () => require(`${__hooks}/lib/mirror/owner_change.js`), atOnce: 1 },
}

// What has failed goes on alone, so that it keeps back nothing else.
function findAlike(app, first) {
  const atOnce = KINDS[first.kind]?.atOnce || 1
  if (first.error || atOnce === 1) return [first]
  return find(app, "kind = {:kind} AND cursor = {:cursor} AND error = ''", first, `ORDER BY updated LIMIT ${atOnce}`)
}

function find(app, filter, values, rest) {
  const found = arrayOf(new DynamicModel({ id: "", kind: "", object: "", cursor: "", error: "" }))
  app.db().newQuery(`SELECT id, kind, object, cursor, error FROM ${TABLES.deferred_work} WHERE ${filter} ${rest}`)
    .bind(values).all(found)
  return found.map((row) => Object.assign({}, row))
}

const LATER = sqlFromNow("'+60 seconds'")

function putOff(app, id, error) {
  app.db().newQuery(`UPDATE ${TABLES.deferred_work} SET error = {:error}, updated = ${LATER} WHERE id = {:id}`)
    .bind({ id, error }).execute()
}

// Goes on from one cursor to the next; says whether it was there still, and nobody else was faster.
function advance(tx, { id, cursor }, next) {
  const result = tx.db().newQuery(`
    UPDATE ${TABLES.deferred_work} SET cursor = {:next}, error = '', updated = ${NOW} WHERE id = {:id} AND cursor = {:cursor}
  `).bind({ id, cursor, next }).execute()
  return result.rowsAffected() > 0
}

// It is done, unless it begins anew.
function finish(tx, { id, cursor }) {
  tx.db().newQuery(`DELETE FROM ${TABLES.deferred_work} WHERE id = {:id} AND cursor = {:cursor}`).bind({ id, cursor }).execute()
}

module.exports = { advance, doPart, finish, queue }
