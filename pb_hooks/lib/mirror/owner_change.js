// Moves the rows of a transferred customer in parts, if it has more than one transaction should move
// (deferred_work.js). A part uses the customer's current owner.
// Why here: each part is a PocketBase transaction.
const { updateEntitlements } = require(`${__hooks}/lib/entitlements/entitlements.js`)
const { finish } = require(`${__hooks}/lib/mirror/deferred_work.js`)
const { moveRows } = require(`${__hooks}/lib/mirror/owners.js`)
const { columnsOf, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { noPayers } = require(`${__hooks}/lib/entitlements/payers.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)

function doPart(app, [task]) {
  runTransaction(app, (tx) => {
    const customer = findOne(tx, "customers", task.object)
    const payers = noPayers()
    const isDone = !customer || moveRows(tx, customer.id, columnsOf(readPayer(customer)), payers)
    if (isDone) finish(tx, task)
    updateEntitlements(tx, payers)
  })
}

module.exports = { doPart }
