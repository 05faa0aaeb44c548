// Purchases of guests. A guest can enter the e-mail address of another person's account: that account sees the
// purchase, but the purchase must not block its own. It counts only if the user verified the address after the
// purchase, or if metadata names the payer.
// Why here: part of the SQL that reads the buyer in one call.
const { ADDRESS } = require(`${__hooks}/lib/mirror/ownership.js`)
const { metadata: keys } = require(`${__hooks}/lib/vocabulary.json`)

// SQL: whether an object's metadata marks a guest's purchase (gateway/checkout/session_params.py).
function isGuest(metadata) {
  return `json_valid(${metadata}) AND coalesce(json_extract(${metadata}, '$.${keys.guest}') = 'true', false)`
}

// Whether a purchase {guest, claims} counts as the payer's; `claims` are those of its customer.
function counts({ guest, claims }, payer) {
  return !guest || JSON.parse(claims || "[]")
    .some(([kind, , claimed, , proved]) => claimed === payer && (kind < ADDRESS || proved))
}

module.exports = { counts, isGuest }
