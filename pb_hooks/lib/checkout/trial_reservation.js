// The reservation of a user's one trial for one payer, as a row of `checkout_keys`.
// Why here: it is one atomic SQL statement across all gateways.
const { NOW, sqlFromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { isPendingOver } = require(`${__hooks}/lib/checkout/pending_checkouts.js`)
const { holderOf } = require(`${__hooks}/lib/checkout/used_trials.js`)
const { nameOf } = require(`${__hooks}/lib/mirror/payer.js`)

// Whether the user's one trial may be this payer's. It is reserved for one payer while a session can be open: otherwise
// a user could open a session for each of many organizations and complete all of them.
function reserveTrial(app, user, payer) {
  const id = $security.sha256(`${holderOf(user)}|trial`).slice(0, 15)
  const name = nameOf(payer)
  const held = readReservation(app, id)
  const isFree = !!held.payer && held.payer !== name && isPendingOver(app, held.payer)
  app.db().newQuery(`
    INSERT INTO ${TABLES.checkout_keys} (id, trial_payer, since)
    VALUES ({:id}, {:name}, ${NOW})
    ON CONFLICT (id) DO UPDATE SET trial_payer = excluded.trial_payer, since = excluded.since
    WHERE trial_payer = {:name} OR ({:isFree} AND trial_payer = {:payer} AND since = {:since})
       OR since < ${sqlFromNow("'-1 day'")}
  `).bind({ id, name, isFree, payer: held.payer, since: held.since }).execute()
  return readReservation(app, id).payer === name
}

function readReservation(app, id) {
  const found = arrayOf(new DynamicModel({ trial_payer: "", since: "" }))
  app.db().newQuery(`SELECT trial_payer, since FROM ${TABLES.checkout_keys} WHERE id = {:id}`).bind({ id }).all(found)
  return found.length ? { payer: found[0].trial_payer, since: found[0].since } : { payer: "", since: "" }
}

module.exports = { reserveTrial }
