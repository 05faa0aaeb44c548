// Customers that get another owner: what Stripe is still to be told about that, in `customer_tasks`.
const NOW = "strftime('%Y-%m-%d %H:%M:%fZ')"

// The metadata at Stripe is to name the new owner. A move that waits or failed begins anew.
function queueMove(tx, stripeId, payer) {
  tx.db().newQuery("DELETE FROM customer_tasks WHERE kind IN ('move', 'update') AND customer = {:stripeId}")
    .bind({ stripeId }).execute()
  tx.db().newQuery(`
    INSERT INTO customer_tasks (kind, user, customer, version, due, created)
    VALUES ('move', {:payer}, {:stripeId}, 1, ${NOW}, ${NOW})
  `).bind({ payer, stripeId }).execute()
}

// Whether Stripe's metadata still names the owner of before: it says nothing until the move is done.
function isMoving(tx, stripeId) {
  const found = new DynamicModel({ moves: false })
  tx.db().newQuery(`SELECT EXISTS (
    SELECT 1 FROM customer_tasks WHERE customer = {:stripeId} AND kind = 'move' AND outcome = '') AS moves
  `).bind({ stripeId }).one(found)
  return found.moves
}

// What was to be told about the owner of before is not said of the new one.
function dropUpdates(tx, stripeId) {
  tx.db().newQuery("DELETE FROM customer_tasks WHERE kind = 'update' AND customer = {:stripeId}")
    .bind({ stripeId }).execute()
}

module.exports = { dropUpdates, isMoving, queueMove }
