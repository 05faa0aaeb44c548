// Purchases of guests. Anybody may give the e-mail address of somebody who has an account: what they buy is shown to
// that account, but must not keep it from buying. It counts once the user has taken it over, by verifying the
// address after the purchase, or if something names the payer.
const { ADDRESS } = require(`${__hooks}/lib/claims.js`)

// SQL: whether an object's metadata says that a guest has bought it (gateway/checkout/session.py).
function isGuest(metadata) {
  return `json_valid(${metadata}) AND coalesce(json_extract(${metadata}, '$.pocketbase_guest') = 'true', false)`
}

// Whether a purchase counts as the payer's: {guest, claims}, `claims` being those of its customer.
function counts({ guest, claims }, payer) {
  return !guest || JSON.parse(claims || "[]")
    .some(([kind, , claimed, , proved]) => claimed === payer && (kind < ADDRESS || proved))
}

module.exports = { counts, isGuest }
