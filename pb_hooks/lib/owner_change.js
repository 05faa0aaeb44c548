// A customer changed hands, and has more rows than one transaction should move: the rest, in parts.
// See lib/follow_ups.js; a part is always about the customer's owner of now.
const { entitle } = require(`${__hooks}/lib/entitlements.js`)
const { finish } = require(`${__hooks}/lib/follow_ups.js`)
const { moveRows } = require(`${__hooks}/lib/owners.js`)
const { columnsOf, readPayer } = require(`${__hooks}/lib/payer.js`)
const { noPayers } = require(`${__hooks}/lib/payers.js`)
const { findOne } = require(`${__hooks}/lib/records.js`)
const { runTransaction } = require(`${__hooks}/lib/transaction.js`)

function doPart(app, [task]) {
  runTransaction(app, (tx) => {
    const customer = findOne(tx, "customers", task.subject)
    const payers = noPayers()
    const isDone = !customer || moveRows(tx, customer.id, columnsOf(readPayer(customer)), payers)
    if (isDone) finish(tx, task)
    entitle(tx, payers)
  })
}

module.exports = { doPart }
