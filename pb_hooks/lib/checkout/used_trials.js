// Users who have had a trial, once per user: their own, or that of an organization for which they bought one. The rows
// of subscriptions show it; `trials` keeps it for deleted rows.
//
// A person may have several accounts: with addresses that differ in case or in a tag (`me+shop@example.com`) only, or one
// after the other. A verified address identifies all of them. An address that is not verified may be another person's,
// so it uses up the trial only of accounts that have not verified it either.
// Why here: deletions of accounts and rows store it in their own transaction; the rule is in gateway/checkout/quote.py.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { hashEmail, withoutTag } = require(`${__hooks}/lib/customers/addresses.js`)
const { nameOf, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { metadata: keys } = require(`${__hooks}/lib/vocabulary.json`)

// The user's accounts: this one, and those with the same address, also with another tag.
const ACCOUNTS = `
  SELECT {:user} AS id
  UNION SELECT id FROM ${TABLES.users} WHERE email != '' AND (verified OR NOT {:verified}) AND (
    email = {:email} COLLATE NOCASE OR email = {:plain} COLLATE NOCASE
    OR (email >= {:from} COLLATE NOCASE AND email < {:to} COLLATE NOCASE
      AND substr(email, -length({:domain})) = {:domain} COLLATE NOCASE))
`

function hasHadTrial(app, user, payer = ["user", user.id]) {
  const [column, id] = payer
  const found = new DynamicModel({ count: 0 })
  const email = user.email()
  const plain = withoutTag(email)
  const [local, domain] = [plain.slice(0, plain.lastIndexOf("@")), plain.slice(plain.lastIndexOf("@"))]
  app.db().newQuery(`
    WITH accounts AS (${ACCOUNTS})
    SELECT (SELECT count(*) FROM ${TABLES.subscriptions} WHERE user IN (SELECT id FROM accounts) AND trial_end != '')
         + (SELECT count(*) FROM ${TABLES.subscriptions} WHERE ${column} = {:id} AND trial_end != '')
         + (SELECT count(*) FROM ${TABLES.subscriptions} WHERE trial_end != '' AND json_valid(metadata)
              AND json_extract(metadata, '$.${keys.user}') IN (SELECT id FROM accounts))
         + (SELECT count(*) FROM ${TABLES.trials} WHERE holder IN ({:hash}, {:former}, {:unverified}, {:payer})
              OR holder IN (SELECT id FROM accounts)) AS count
  `).bind({
    user: user.id, email, plain, from: `${local}+`, to: `${local},`, domain, verified: user.verified(), id,
    payer: nameOf(payer), hash: email ? hashEmail(plain) : user.id,
    // Of an account that was deleted before tags were removed.
    former: email ? hashEmail(email) : user.id, unverified: user.verified() ? user.id : holderOf(user),
  }).one(found)
  return found.count > 0
}

// The key of a user's trial after the account is deleted.
function holderOf(user) {
  if (!user.email()) return user.id
  const hash = hashEmail(withoutTag(user.email()))
  return user.verified() ? hash : `unverified/${hash}`
}

// Called before a user is deleted. Without an address no other account can be the same person's.
function keepTrialOf(tx, user) {
  if (user.email() && hasHadTrial(tx, user)) keepTrial(tx, holderOf(user))
}

// Called before a subscription's row is deleted: the trial counts for its payer and for the user who bought it.
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
