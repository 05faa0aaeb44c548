/// <reference path="../pb_data/types.d.ts" />
// Customers: the buyer of a request, and the changes of users and customers that are made at Stripe.
// Why here: the buyer is read with the user's own token and API rules; an item of the queue is stored in the transaction
// of the change that it follows from.

// Transforms first: other hooks of a write may open a transaction, and the gateway is called before one.
require(`${__hooks}/lib/transforms/hooks.js`)

// Everything that /checkout and /portal read from PocketBase, in one call with the user's own token.
routerAdd("POST", "/api/gateway/buyer", (e) => {
  const { readBuyer } = require(`${__hooks}/lib/customers/buyer.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "BUYER")
  return e.json(200, readBuyer($app, e.auth, e.requestInfo(), asked))
}, $apis.bodyLimit(65536), $apis.requireAuth(require(`${__hooks}/lib/names.js`).nameOf("users")))

// The update at Stripe for a claimed change of a customer: see lib/customers/stripe_changes.js.
routerAdd("POST", "/api/gateway/customers/change", (e) => {
  const { readChange } = require(`${__hooks}/lib/customers/stripe_changes.js`)
  return e.json(200, readChange($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "CHANGE")))
}, $apis.requireSuperuserAuth())

// A superuser may give a customer another owner: its rows follow, and Stripe's metadata.
onRecordUpdateRequest((e) => {
  require(`${__hooks}/lib/customers/manual_transfer.js`).transfer(e)
}, require(`${__hooks}/lib/names.js`).nameOf("customers"))

// A changed name or e-mail address of a user goes to Stripe: the item of the queue is stored together with the change.
onRecordUpdate((e) => {
  const before = e.record.original()
  const isSame = before.email() === e.record.email()
    && before.getString("name") === e.record.getString("name")
  if (isSame) return e.next()
  const app = e.app
  app.runInTransaction((tx) => {
    e.app = tx
    const { enqueueAddressUpdates, saveContacts } = require(`${__hooks}/lib/customers/billing_contacts.js`)
    saveContacts(tx, e.record.id, before.email())
    e.next()
    require(`${__hooks}/lib/customers/stripe_changes.js`).enqueueUserUpdate(tx, e.record)
    if (before.email() !== e.record.email()) enqueueAddressUpdates(tx, e.record.id)
  })
  e.app = app
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

// Runs in the transaction of the deletion, while the rows still have their user.
onRecordDeleteExecute((e) => {
  require(`${__hooks}/lib/customers/customer_deletion.js`).enqueueCustomerDeletion(e.app, e.record)
  require(`${__hooks}/lib/teams/invitations.js`).deleteOfUser(e.app, e.record.id)
  require(`${__hooks}/lib/customers/billing_contacts.js`).saveContacts(e.app, e.record.id, e.record.email())
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

onRecordDeleteExecute((e) => {
  require(`${__hooks}/lib/customers/customer_deletion.js`).enqueueOrganizationDeletion(e.app, e.record.id)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("organizations"))

// A user who has just verified an e-mail address gets the purchases that were made with it.
onRecordAfterCreateSuccess((e) => {
  const { claimByEmail } = require(`${__hooks}/lib/mirror/ownership.js`)
  claimByEmail(e.app, e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

onRecordAfterUpdateSuccess((e) => {
  const before = e.record.original()
  const proved = !before.verified() || before.email() !== e.record.email()
  if (proved) require(`${__hooks}/lib/mirror/ownership.js`).claimByEmail(e.app, e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))
