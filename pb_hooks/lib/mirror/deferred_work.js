// Work that is too long for the transaction it follows from. A row of `follow_ups` says what is to do, and
// any gateway asks for one part after the other (POST /api/gateway/follow-ups). Each part is a short
// transaction of its own that also notes how far it is, so that others write in between, and nothing is
// lost or done by halves when somebody stops. To do a part twice changes nothing.
// Why here: the rest of a transaction is stored in that transaction, so that a crash loses nothing.
const { NOW, sqlFromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

// To be done from the start, also if it is under way. `updated` is when it has its turn.
function queue(tx, kind, subject) {
  tx.db().newQuery(`
    INSERT INTO ${TABLES.follow_ups} (kind, subject, created, updated) VALUES ({:kind}, {:subject}, ${NOW}, ${NOW})
    ON CONFLICT (kind, subject) DO UPDATE SET place = '', error = '', updated = min(updated, excluded.updated)
  `).bind({ kind, subject }).execute()
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

// By kind: the module that does a part, and the number of rows at the same place that one part handles. Loaded on use,
// because the modules require this one; by a literal path, so that lib/health/hook_files.js finds them.
const KINDS = {
  offer: { load: () => require(`${__hooks}/lib/entitlements/feature_change.js`), atOnce: 100 },
  owner: { load: () => require(`${__hooks}/lib/mirror/owner_change.js`), atOnce: 1 },
}

// What has failed goes on alone, so that it keeps back nothing else.
function findAlike(app, first) {
  const atOnce = KINDS[first.kind]?.atOnce || 1
  if (first.error || atOnce === 1) return [first]
  return find(app, "kind = {:kind} AND place = {:place} AND error = ''", first, `ORDER BY updated LIMIT ${atOnce}`)
}

function find(app, filter, values, rest) {
  const found = arrayOf(new DynamicModel({ id: "", kind: "", subject: "", place: "", error: "" }))
  app.db().newQuery(`SELECT id, kind, subject, place, error FROM ${TABLES.follow_ups} WHERE ${filter} ${rest}`)
    .bind(values).all(found)
  return found.map((row) => Object.assign({}, row))
}

const LATER = sqlFromNow("'+60 seconds'")

function putOff(app, id, error) {
  app.db().newQuery(`UPDATE ${TABLES.follow_ups} SET error = {:error}, updated = ${LATER} WHERE id = {:id}`)
    .bind({ id, error }).execute()
}

// Goes on from one place to the next; says whether it was there still, and nobody else was faster.
function advance(tx, { id, place }, next) {
  const result = tx.db().newQuery(`
    UPDATE ${TABLES.follow_ups} SET place = {:next}, error = '', updated = ${NOW} WHERE id = {:id} AND place = {:place}
  `).bind({ id, place, next }).execute()
  return result.rowsAffected() > 0
}

// It is done, unless it begins anew.
function finish(tx, { id, place }) {
  tx.db().newQuery(`DELETE FROM ${TABLES.follow_ups} WHERE id = {:id} AND place = {:place}`).bind({ id, place }).execute()
}

module.exports = { advance, doPart, finish, queue }
