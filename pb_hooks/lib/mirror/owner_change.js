// Moves the rows of a transferred customer in parts, if it has more than one transaction should move
// (lib/work/parts.js). A part uses the customer's current owner.
// Why here: each part is a PocketBase transaction.
const { updateEntitlements } = require(`${__hooks}/lib/entitlements/entitlements.js`)
const { moveRows } = require(`${__hooks}/lib/mirror/owners.js`)
const { columnsOf, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { finish } = require(`${__hooks}/lib/work/parts.js`)
const { noPayers } = require(`${__hooks}/lib/entitlements/payers.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)

function doPart(app, [item]) {
  let isDone = false
  runTransaction(app, (tx) => {
    const customer = findOne(tx, "customers", item.object)
    const payers = noPayers()
    isDone = !customer || moveRows(tx, customer.id, columnsOf(readPayer(customer)), payers)
    if (isDone) finish(tx, item)
    updateEntitlements(tx, payers)
  })
  return !isDone
}

module.exports = { doPart }
