// Customers that get another owner: pending updates of Stripe's metadata, in `customer_tasks`.
// Why here: a task is stored in the transaction of the transfer.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

// Enqueues the update of Stripe's metadata to the new owner. A waiting or failed move restarts.
function enqueueTransfer(tx, stripeId, payer) {
  tx.db().newQuery(`DELETE FROM ${TABLES.customer_tasks} WHERE kind IN ('move', 'update') AND customer = {:stripeId}`)
    .bind({ stripeId }).execute()
  tx.db().newQuery(`
    INSERT INTO ${TABLES.customer_tasks} (kind, user, customer, version, due, created)
    VALUES ('move', {:payer}, {:stripeId}, 1, ${NOW}, ${NOW})
  `).bind({ payer, stripeId }).execute()
}

// Whether a move is pending: until it is done, Stripe's metadata names the former owner and has no effect.
function isTransferPending(tx, stripeId) {
  const found = new DynamicModel({ moves: false })
  tx.db().newQuery(`SELECT EXISTS (
    SELECT 1 FROM ${TABLES.customer_tasks} WHERE customer = {:stripeId} AND kind = 'move' AND outcome = '') AS moves
  `).bind({ stripeId }).one(found)
  return found.moves
}

// Drops pending updates with the former owner's address or name.
function dropUpdates(tx, stripeId) {
  tx.db().newQuery(`DELETE FROM ${TABLES.customer_tasks} WHERE kind = 'update' AND customer = {:stripeId}`)
    .bind({ stripeId }).execute()
}

module.exports = { dropUpdates, enqueueTransfer, isTransferPending }
