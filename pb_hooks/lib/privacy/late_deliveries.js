// Redacts deliveries and reads about customers that were erased, before they are stored.
// Why here: it is part of the commit transaction.
const { anyErasures, findErased, nameErased } = require(`${__hooks}/lib/privacy/erasures.js`)
const { redactColumns, redactEventText, redactObjectText } = require(`${__hooks}/lib/privacy/redact.js`)

// Changes the payloads, and the texts and objects of the rows. Without erasures it costs no query.
function redactDelivery(tx, { events, rows }, payloads) {
  if (!anyErasures(tx)) return
  const ofEvents = nameErased(tx, payloads)
  const ofRows = nameErased(tx, rows.map((row) => row.text + (row.object || "")))
  events.forEach((_, i) => { if (ofEvents[i]) payloads[i] = redactEventText(payloads[i]) })
  rows.forEach((row, i) => { if (ofRows[i] || ofEvents[row.event]) redactRow(row) })
}

function redactRow(row) {
  const values = JSON.parse(row.text)
  row.values = { ...values, ...redactColumns(row.collection, values) }
  row.text = JSON.stringify(row.values)
  if (row.object) row.object = redactObjectText(row.object)
}

// Claims of customers that may get an owner: an erased one stays without.
function dropErasedClaims(tx, claims) {
  if (claims.length === 0 || !anyErasures(tx)) return claims
  const erased = findErased(tx, claims.map((claim) => claim.customer_id))
  return claims.filter((claim) => !erased.has(claim.customer_id))
}

module.exports = { dropErasedClaims, redactDelivery }
