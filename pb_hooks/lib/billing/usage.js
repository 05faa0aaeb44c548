// The Stripe customer that the usage of a user or organization on a meter is reported for: one with a running
// subscription that the meter bills. The primary customer goes first, then that of the newest subscription.
// Returns {customer, since}: "" if there is none; `since` is when that customer's first such subscription began, in
// Unix seconds.
// Why here: the join over JSON columns is one SQL query; PocketBase's record API would need several reads.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { ENTITLING } = require(`${__hooks}/lib/statuses.js`)

function readMetered(app, { user, organization, meter }) {
  const [column, payer] = organization ? ["organization", organization] : ["user", user]
  if (!payer || !meter) return { customer: "", since: 0 }
  const found = arrayOf(new DynamicModel({ customer: "", since: 0 }))
  app.db().newQuery(`
    SELECT customer.stripe_id AS customer, min(min(
      coalesce(unixepoch(nullif(subscription.created, '')), 0),
      coalesce(unixepoch(nullif(subscription.current_period_start, '')), unixepoch())
    )) OVER (PARTITION BY customer.id) AS since
    FROM ${TABLES.subscriptions} subscription
    JOIN ${TABLES.customers} customer ON customer.id = subscription.customer
    JOIN json_each(subscription.items) item
    JOIN ${TABLES.prices} price ON price.stripe_id = item.value ->> 'price'
    WHERE subscription.${column} = {:payer} AND customer.${column} = {:payer} AND NOT customer.deleted
      AND subscription.status IN (${ENTITLING}) AND price.meter = {:meter}
    ORDER BY customer.[[primary]] DESC, subscription.created DESC, subscription.id
    LIMIT 1
  `).bind({ payer: `${payer}`, meter: `${meter}` }).all(found)
  return found.length ? { customer: found[0].customer, since: found[0].since } : { customer: "", since: 0 }
}

module.exports = { readMetered }
