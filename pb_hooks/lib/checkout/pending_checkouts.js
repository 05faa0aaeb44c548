// The number of each buyer's pending checkout (`pending_checkouts`), which rises when its session is over.
// Why here: the numbers are atomic SQL statements across all gateways.
const { NOW, sqlToUnix } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { columnsOf, nameOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { metadata } = require(`${__hooks}/lib/vocabulary.json`)

// Returns the pending checkout. The number rises once its session is over and the resulting rows are mirrored.
function readPending(app, payer) {
  const buyer = nameOf(payer)
  const stored = findPending(app, buyer)
  if (!stored) {
    app.db().newQuery(`
      INSERT OR IGNORE INTO ${TABLES.pending_checkouts} (buyer, number, since)
      VALUES ({:buyer}, 1, ${NOW})
    `).bind({ buyer }).execute()
  } else if (isOver(app, payer, stored.number)) {
    endPendingCheckout(app, buyer, stored.number)
  } else {
    return stored
  }
  return findPending(app, buyer)
}

function findPending(app, buyer) {
  const found = arrayOf(new DynamicModel({ number: 0, since: 0 }))
  app.db().newQuery(`
    SELECT number, ${sqlToUnix("since")} AS since
    FROM ${TABLES.pending_checkouts} WHERE buyer = {:buyer}
  `).bind({ buyer }).all(found)
  return found.length ? { number: found[0].number, since: found[0].since } : null
}

function isOver(app, [column, id], number) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`
    SELECT count(*) AS count FROM ${TABLES.checkout_sessions} session
    LEFT JOIN ${TABLES.subscriptions} subscription ON subscription.id = session.subscription
    WHERE session.${column} = {:id}
      AND json_extract(session.metadata, '$.${metadata.attempt}') = {:number}
      AND (session.status = 'expired'
           OR (session.status = 'complete'
               AND (subscription.id IS NOT NULL OR session.mode = 'payment')))
  `).bind({ id, number: `${number}` }).one(found)
  return found.count > 0
}

// Ends a pending checkout, unless it has ended already.
function endPendingCheckout(app, buyer, number) {
  app.db().newQuery(`
    UPDATE ${TABLES.pending_checkouts} SET number = number + 1, since = ${NOW}
    WHERE buyer = {:buyer} AND number = {:number}
  `).bind({ buyer, number }).execute()
}

// Whether a payer has no pending checkout that can still be completed.
function isPendingOver(app, payer) {
  const stored = findPending(app, payer)
  const [column, id] = Object.entries(columnsOf(payer)).find(([, value]) => value)
  return !stored || isOver(app, [column, id], stored.number)
}

module.exports = { endPendingCheckout, isPendingOver, readPending }
