// Work that is too long for the transaction it follows from. A row of `follow_ups` says what is to do, and
// any gateway asks for one part after the other (POST /api/gateway/follow-ups). Each part is a short
// transaction of its own that also notes how far it is, so that others write in between, and nothing is
// lost or done by halves when somebody stops. To do a part twice changes nothing.
const NOW = "strftime('%Y-%m-%d %H:%M:%fZ')"

// To be done from the start, also if it is under way.
function queue(tx, kind, subject) {
  tx.db().newQuery(`
    INSERT INTO follow_ups (kind, subject, created, updated) VALUES ({:kind}, {:subject}, ${NOW}, ${NOW})
    ON CONFLICT (kind, subject) DO UPDATE SET place = '', error = ''
  `).bind({ kind, subject }).execute()
}

// Does one part of what has waited longest; returns {left}, whether there may be more to do at once.
function doPart(app) {
  const [first] = find(app, "updated > ''", {}, "ORDER BY updated LIMIT 1")
  if (!first) return { left: false }
  const { file, atOnce } = KINDS[first.kind]
  const those = find(app, "kind = {:kind} AND place = {:place}", first, `ORDER BY updated LIMIT ${atOnce}`)
  try {
    require(`${__hooks}/lib/${file}`).doPart(app, those)
    return { left: true }
  } catch (error) {
    // Others get their turn; the gateway comes again after a while.
    for (const { id } of those) touch(app, id, `${error}`)
    return { left: false, error: `${error}` }
  }
}

// Of how many that are at the same place a part is done at one go.
const KINDS = {
  offer: { file: "offer_change.js", atOnce: 100 },
  owner: { file: "owner_change.js", atOnce: 1 },
}

function find(app, filter, values, rest) {
  const found = arrayOf(new DynamicModel({ id: "", kind: "", subject: "", place: "" }))
  app.db().newQuery(`SELECT id, kind, subject, place FROM follow_ups WHERE ${filter} ${rest}`)
    .bind(values).all(found)
  return found.map((row) => Object.assign({}, row))
}

function touch(app, id, error) {
  app.db().newQuery(`UPDATE follow_ups SET error = {:error}, updated = ${NOW} WHERE id = {:id}`)
    .bind({ id, error }).execute()
}

// Goes on from one place to the next; says whether it was there still, and nobody else was faster.
function advance(tx, { id, place }, next) {
  const result = tx.db().newQuery(`
    UPDATE follow_ups SET place = {:next}, error = '', updated = ${NOW} WHERE id = {:id} AND place = {:place}
  `).bind({ id, place, next }).execute()
  return result.rowsAffected() > 0
}

// It is done, unless it begins anew.
function finish(tx, { id, place }) {
  tx.db().newQuery("DELETE FROM follow_ups WHERE id = {:id} AND place = {:place}").bind({ id, place }).execute()
}

module.exports = { advance, doPart, finish, queue }
