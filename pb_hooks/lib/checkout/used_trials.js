// Users who have had a trial, once ever: their own, or of an organization that they bought one for. The rows of
// subscriptions show it, and `trials` keeps it for deleted rows.
//
// A person may have several accounts: by addresses that differ in case only, or one after the other. A verified
// address speaks for all of them. One that nobody verified may be another person's, so it takes a trial only from
// accounts that have not verified it either.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { hashEmail } = require(`${__hooks}/lib/customers/addresses.js`)
const { nameOf, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { metadata: keys } = require(`${__hooks}/lib/vocabulary.json`)

// The user's accounts: this one, and those with the same address.
const ACCOUNTS = `
  SELECT {:user} AS id
  UNION SELECT id FROM ${TABLES.users} WHERE email != '' AND email = {:email} COLLATE NOCASE AND (verified OR NOT {:verified})
`

function hasHadTrial(app, user, payer = ["user", user.id]) {
  const [column, id] = payer
  const found = new DynamicModel({ count: 0 })
  const email = user.email()
  app.db().newQuery(`
    WITH accounts AS (${ACCOUNTS})
    SELECT (SELECT count(*) FROM ${TABLES.subscriptions} WHERE user IN (SELECT id FROM accounts) AND trial_end != '')
         + (SELECT count(*) FROM ${TABLES.subscriptions} WHERE ${column} = {:id} AND trial_end != '')
         + (SELECT count(*) FROM ${TABLES.subscriptions} WHERE trial_end != '' AND json_valid(metadata)
              AND json_extract(metadata, '$.${keys.user}') IN (SELECT id FROM accounts))
         + (SELECT count(*) FROM ${TABLES.trials} WHERE holder IN ({:hash}, {:unverified}, {:payer})
              OR holder IN (SELECT id FROM accounts)) AS count
  `).bind({
    user: user.id, email, verified: user.verified(), id, payer: nameOf(payer),
    hash: email ? hashEmail(email) : user.id, unverified: user.verified() ? user.id : holderOf(user),
  }).one(found)
  return found.count > 0
}

// The key of a user's trial after the account is deleted.
function holderOf(user) {
  if (!user.email()) return user.id
  return user.verified() ? hashEmail(user.email()) : `unverified/${hashEmail(user.email())}`
}

// The user is about to be deleted. Without an address there is nothing that another account could have too.
function keepTrialOf(tx, user) {
  if (user.email() && hasHadTrial(tx, user)) keepTrial(tx, holderOf(user))
}

// A subscription's row is about to be deleted: its trial was the payer's, and the user's who has bought it.
function keepTrials(tx, subscription) {
  const { [keys.user]: buyer } = JSON.parse(subscription.getString("metadata") || "{}") || {}
  for (const holder of [readPayer(subscription), buyer]) if (holder) keepTrial(tx, holder)
}

function keepTrial(tx, holder) {
  tx.db().newQuery(`
    INSERT OR IGNORE INTO ${TABLES.trials} (holder, since)
    VALUES ({:holder}, ${NOW})
  `).bind({ holder }).execute()
}

module.exports = { hasHadTrial, holderOf, keepTrialOf, keepTrials }
