// What a signed-in user is to the shop: who they are, their Stripe customer, and the prices and the
// subscription asked for.
const { readPrices } = require(`${__hooks}/lib/prices.js`)
const { readStanding } = require(`${__hooks}/lib/standing.js`)

// `asked`: {prices, order}; with an order, what the buyer has is answered as well.
function readBuyer(app, user, asked) {
  const prices = readPrices(app, asked.prices)
  return {
    user: {
      id: user.id, email: user.email(), verified: user.verified(), name: user.getString("name"),
    },
    customer: readCustomer(app, user.id),
    deleted_customers: countDeleted(app, user.id),
    prices,
    subscription: readSubscription(app, user.id, asked.subscription),
    standing: asked.order ? readStanding(app, user, prices, asked.order) : null,
  }
}

function readCustomer(app, userId) {
  const rows = app.findRecordsByFilter(
    "customers", "user = {:user} && primary = true && deleted = false", "", 1, 0, { user: userId })
  return rows.length ? rows[0].getString("stripe_id") : ""
}

function countDeleted(app, userId) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery("SELECT count(*) AS count FROM customers WHERE user = {:user} AND deleted")
    .bind({ user: userId }).one(found)
  return found.count
}

// A subscription that the user may change: one of a customer of theirs. Null for any other, whether
// there is one or not.
function readSubscription(app, userId, stripeId) {
  if (typeof stripeId !== "string" || stripeId === "") return null
  const found = arrayOf(new DynamicModel({ customer: "", stamp: "" }))
  app.db().newQuery(`
    SELECT customer.stripe_id AS customer, subscription.stamp AS stamp
    FROM subscriptions subscription JOIN customers customer ON customer.id = subscription.customer
    WHERE subscription.stripe_id = {:stripeId} AND customer.user = {:userId}
  `).bind({ stripeId, userId }).all(found)
  return found.length ? { stripe_id: stripeId, customer: found[0].customer, stamp: found[0].stamp } : null
}

module.exports = { readBuyer }
