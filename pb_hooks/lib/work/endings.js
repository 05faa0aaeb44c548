// Effects of the end of an item (done, parked or cancelled), by handler.
// Why here: they are stored in the transaction that ends the item.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

// Loaded on use, because the modules require the queue; by a literal path, so that lib/health/hook_files.js finds them.
const BY_HANDLER = {
  "gateway.customers.sync": () => require(`${__hooks}/lib/customers/stripe_changes.js`),
}

// Called after the items were stored as ended.
function applyEnds(tx, items) {
  const ours = items.filter(({ handler }) => BY_HANDLER[handler])
  if (ours.length === 0) return
  const found = arrayOf(new DynamicModel({ handler: "", key: "", status: "", payload: "", result: "" }))
  const { list, values } = placeholders(ours.map(({ id }) => id))
  tx.db().newQuery(`
    SELECT handler, key, status, coalesce(payload, 'null') AS payload, coalesce(result, '') AS result FROM ${TABLES.work}
    WHERE status IN ('done', 'parked', 'cancelled') AND id IN (${list})
  `).bind(values).all(found)
  for (const item of found) BY_HANDLER[item.handler]().end(tx, Object.assign({}, item))
}

module.exports = { applyEnds }
