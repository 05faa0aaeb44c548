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
    ...readCustomers(app, user.id),
    prices,
    subscription: readSubscription(app, user.id, asked.subscription),
    standing: asked.order ? readStanding(app, user, prices, asked.order) : null,
  }
}

// The customer that is used for the user, if there is one, and how many were deleted.
function readCustomers(app, userId) {
  const found = arrayOf(new DynamicModel({ stripe_id: "", primary: false, deleted: false }))
  app.db().newQuery("SELECT stripe_id, `primary`, deleted FROM customers WHERE user = {:user}")
    .bind({ user: userId }).all(found)
  const used = found.find((customer) => customer.primary && !customer.deleted)
  return {
    customer: used ? used.stripe_id : "",
    deleted_customers: found.filter((customer) => customer.deleted).length,
  }
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
