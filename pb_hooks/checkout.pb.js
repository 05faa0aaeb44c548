/// <reference path="../pb_data/types.d.ts" />
// Routes of /checkout, and the trials that deleted rows leave behind.
// Why here: pending checkouts and used trials are counted in a transaction, across all gateways.

// Transforms first: other hooks of a write may open a transaction, and the gateway is called before one.
require(`${__hooks}/lib/transforms/hooks.js`)

// Prices of a purchase without a user: {prices}.
routerAdd("POST", "/api/gateway/prices", (e) => {
  const { readPrices } = require(`${__hooks}/lib/checkout/prices.js`)
  const { prices } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "PRICES")
  return e.json(200, { prices: readPrices(prices) })
}, $apis.requireSuperuserAuth())

// Ends a pending checkout after its session is over at Stripe: {buyer, number}.
routerAdd("POST", "/api/gateway/pending-checkout/end", (e) => {
  const { buyer, number } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "PENDING_CHECKOUT")
  require(`${__hooks}/lib/checkout/pending_checkouts.js`).endPendingCheckout($app, buyer, number)
  return e.noContent(204)
}, $apis.requireSuperuserAuth())

// Deleting a subscription's row does not give its payer another trial.
onRecordDeleteExecute((e) => {
  if (e.record.getString("trial_end")) require(`${__hooks}/lib/checkout/used_trials.js`).keepTrials(e.app, e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("subscriptions"))
