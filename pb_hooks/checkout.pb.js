/// <reference path="../pb_data/types.d.ts" />
// What /checkout needs besides the buyer, and what Stripe is to be told about customers.

// Transforms come before the hooks below, which open transactions.
require(`${__hooks}/lib/transforms/hooks.js`)

// Prices for a purchase without a user: {prices}.
routerAdd("POST", "/api/gateway/prices", (e) => {
  const { readPrices } = require(`${__hooks}/lib/checkout/prices.js`)
  const { prices } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "PRICES")
  return e.json(200, { prices: readPrices(prices) })
}, $apis.requireSuperuserAuth())

// A purchase under way is over, as Stripe says: {buyer, number}.
routerAdd("POST", "/api/gateway/attempt/end", (e) => {
  const { buyer, number } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "ATTEMPT")
  require(`${__hooks}/lib/checkout/purchase_history.js`).endPendingCheckout($app, buyer, number)
  return e.noContent(204)
}, $apis.requireSuperuserAuth())

// What Stripe is to be told about customers: {limit, lease}.
routerAdd("POST", "/api/gateway/tasks/take", (e) => {
  const { takeTasks } = require(`${__hooks}/lib/customers/tasks.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "TAKE")
  return e.json(200, { tasks: takeTasks($app, asked) })
}, $apis.requireSuperuserAuth())

routerAdd("POST", "/api/gateway/tasks/end", (e) => {
  const ended = require(`${__hooks}/lib/requests/schemas.js`).read(e, "END")
  require(`${__hooks}/lib/customers/tasks.js`).endTask($app, ended)
  return e.noContent(204)
}, $apis.requireSuperuserAuth())

// A superuser may give a customer another owner: its rows follow, and Stripe's metadata.
onRecordUpdateRequest((e) => {
  require(`${__hooks}/lib/customers/manual_transfer.js`).update(e)
}, require(`${__hooks}/lib/names.js`).nameOf("customers"))

// Stripe's customer follows the user: what it is to be told is kept with the change itself.
onRecordUpdate((e) => {
  const before = e.record.original()
  const isSame = before.email() === e.record.email()
    && before.getString("name") === e.record.getString("name")
  if (isSame) return e.next()
  const app = e.app
  app.runInTransaction((tx) => {
    e.app = tx
    const { noteAddress, remember } = require(`${__hooks}/lib/customers/billing_contacts.js`)
    remember(tx, e.record.id, before.email())
    e.next()
    require(`${__hooks}/lib/customers/tasks.js`).noteUpdate(tx, e.record)
    if (before.email() !== e.record.email()) noteAddress(tx, e.record.id)
  })
  e.app = app
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

// Runs in the transaction of the deletion, before anything loses its user.
onRecordDeleteExecute((e) => {
  require(`${__hooks}/lib/customers/customer_deletion.js`).enqueueCustomerDeletion(e.app, e.record)
  require(`${__hooks}/lib/teams/invitations.js`).deleteOfUser(e.app, e.record.id)
  require(`${__hooks}/lib/customers/billing_contacts.js`).remember(e.app, e.record.id, e.record.email())
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

onRecordDeleteExecute((e) => {
  require(`${__hooks}/lib/customers/customer_deletion.js`).forgetOrganization(e.app, e.record.id)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("organizations"))

// Whoever tidies up rows does not give out new trials.
onRecordDeleteExecute((e) => {
  if (e.record.getString("trial_end")) require(`${__hooks}/lib/checkout/used_trials.js`).keepTrials(e.app, e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("subscriptions"))
