// Finds billed organizations without an owner or members by their rows, no matter what removed the last one: a
// superuser, a hook or a cascading delete. See docs/decisions/023-consent-and-vacancies.md.
// Why here: the promotion, or the deletions that end the billing, must be one transaction with the check.
const { NOW, sqlFromNow } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { enqueueOrganizationDeletion } = require(`${__hooks}/lib/customers/customer_deletion.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { ENDED } = require(`${__hooks}/lib/statuses.js`)

const MAX_ORGANIZATIONS = 100

const HAS_MEMBERS = `EXISTS (SELECT 1 FROM ${TABLES.memberships} WHERE organization = customer.organization)`
const HAS_OWNER = `EXISTS (
  SELECT 1 FROM ${TABLES.memberships} WHERE organization = customer.organization AND role = 'owner')`
// Billing was ended because there are no members. A subscription that still runs ten minutes later, when the webhooks
// should have arrived, is ended again.
const IS_ENDED = `EXISTS (
  SELECT 1 FROM ${TABLES.payer_changes} change
  WHERE change.customer = customer.stripe_id AND change.kind = 'deleted' AND change.reopened = false
    AND change.payer = 'organizations/' || customer.organization
    AND (change.outcome IN ('', 'kept', 'gone', 'cancelled')
      OR change.finished > ${sqlFromNow("'-10 minutes'")}
      OR NOT EXISTS (
        SELECT 1 FROM ${TABLES.subscriptions} WHERE organization = customer.organization
          AND status NOT IN (${ENDED}))))`

// Deletions of organizations that have members again; the range of `payer` uses its index.
const IS_REOPENED = `
  payer > 'organizations/' AND payer < 'organizations0' AND kind = 'deleted' AND reopened = false
  AND outcome NOT IN ('', 'none') AND EXISTS (
    SELECT 1 FROM ${TABLES.memberships} WHERE organization = substr(${TABLES.payer_changes}.payer, length('organizations/') + 1))`

// Promotes a member of each organization without an owner, and ends the billing of those without members that the
// caller has `seen` before, so that a superuser's script may remove one member and then add another. Returns {promoted,
// ended, vacant}; the caller passes the ids in `vacant` as `seen` next time.
function checkOrganizations(app, { seen }) {
  const answer = { promoted: [], ended: [], vacant: [] }
  reopen(app)
  const ids = findVacant(app, "", {})
  // Usually there are none, and no write transaction is needed.
  if (ids.length === 0) return answer
  app.runInTransaction((tx) => {
    const { list, values } = placeholders(ids)
    for (const id of findVacant(tx, `AND customer.organization IN (${list})`, values)) promoteOrEnd(tx, id, seen, answer)
  })
  return answer
}

// Marks deletions from an earlier time without members. Also called for each new membership, which may
// be gone at the next check.
function reopen(app) {
  const found = arrayOf(new DynamicModel({ id: "" }))
  app.db().newQuery(`SELECT id FROM ${TABLES.payer_changes} WHERE ${IS_REOPENED} LIMIT 100`).all(found)
  if (found.length === 0) return
  app.db().newQuery(`UPDATE ${TABLES.payer_changes} SET reopened = true WHERE ${IS_REOPENED}`).execute()
}

function findVacant(app, condition, values) {
  const found = arrayOf(new DynamicModel({ organization: "" }))
  app.db().newQuery(`
    SELECT DISTINCT customer.organization FROM ${TABLES.customers} customer
    WHERE customer.organization > '' AND customer.deleted = false ${condition}
      AND NOT ${HAS_OWNER} AND (${HAS_MEMBERS} OR NOT ${IS_ENDED}) LIMIT ${MAX_ORGANIZATIONS}
  `).bind(values).all(found)
  return found.map(({ organization }) => organization)
}

function promoteOrEnd(tx, organization, seen, { promoted, ended, vacant }) {
  const successor = findSuccessor(tx, organization)
  if (successor) {
    promote(tx, successor)
    promoted.push({ organization, user: successor.getString("user"), membership: successor.id })
  } else if (seen.includes(organization)) {
    end(tx, organization)
    ended.push(organization)
  } else {
    vacant.push(organization)
  }
}

// The oldest admin, otherwise the oldest member.
function findSuccessor(tx, organization) {
  const find = (filter) => tx.findRecordsByFilter(
    NAMES.memberships, `organization = {:organization} ${filter}`, "created,id", 1, 0, { organization })[0]
  return find("&& role = 'admin'") || find("")
}

function promote(tx, membership) {
  membership.set("role", "owner")
  tx.save(membership)
  tx.db().newQuery(`
    INSERT INTO ${TABLES.payer_changes} (kind, payer, created, finished)
    VALUES ('promoted', {:payer}, ${NOW}, ${NOW})
  `).bind({ payer: `organizations/${membership.getString("organization")}` }).execute()
}

function end(tx, organization) {
  enqueueOrganizationDeletion(tx, organization)
  for (const each of tx.findAllRecords(NAMES.membership_invitations, $dbx.hashExp({ organization }))) tx.delete(each)
}

module.exports = { checkOrganizations, reopen }
