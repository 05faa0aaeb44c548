/// <reference path="../pb_data/types.d.ts" />
// Marks the gateway's collections in which the dashboard had changed rules before 1763856270_collection_rules.js stored
// them: that migration stored the rules that it found. `gateway doctor` then warns until a migration saves the collection.
// RELEASED has the rules that the migrations of this time set; later ones store their own.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const HIDDEN_OF_MIRROR = ["stripe_object", "version"]
const PRIVATE = {}
const PUBLIC = { listRule: "", viewRule: "" }
const both = (rule) => ({ listRule: rule, viewRule: rule })

function released(nameOf) {
  const users = `@request.auth.collectionName = "${nameOf("users")}"`
  const memberships = `${nameOf("memberships")}_via_organization`
  const of = `organization.${memberships}`
  const isMember = `${of}.user ?= @request.auth.id`
  const isManager = `(${of}.role ?= "owner" || ${of}.role ?= "admin")`
  const mayTouchOwners = `(role != "owner" || (${isMember} && ${of}.role ?= "owner"))`
  const payer = both(`${users} && (user = @request.auth.id || (${isMember} && ${isManager}))`)
  const member = both(`${users} && (user = @request.auth.id || (${isMember}))`)
  const invite = `${users} && ${isMember} && ${isManager} && ${mayTouchOwners}`
  const own = `user != "" && user = @request.auth.id && ${users}`
  const ofOrganization = `${users} && ${memberships}.user ?= @request.auth.id`
  const self = "id = @request.auth.id"
  return {
    ...mirror(payer, [
      "charges", "checkout_sessions", "credit_notes", "customers", "invoice_payments", "invoices", "payment_methods", "payments",
      "refunds", "setup_intents", "subscription_schedules", "tax_ids",
    ]),
    ...mirror(member, ["entitlement_summaries", "subscriptions"]),
    ...mirror(PUBLIC, ["prices", "products"]),
    ...mirror(PRIVATE, ["coupons", "disputes", "promotion_codes", "stripe_objects", "tax_rates"]),
    entitlements: { ...member, hidden: ["lapsed"] },
    memberships: {
      ...both(`${users} && ${isMember}`), createRule: invite,
      updateRule: `${users} && ${isMember} && ${isManager} && @request.body.organization:changed = false && ` +
        `@request.body.user:changed = false && ((role != "owner" && @request.body.role != "owner") || ` +
        `(${isMember} && ${of}.role ?= "owner"))`,
      deleteRule: `${users} && (user = @request.auth.id || (${invite}))`,
    },
    membership_invitations: {
      ...both(`${users} && (user = @request.auth.id || (${isMember} && ${isManager}))`), createRule: invite,
      updateRule: `${users} && user = @request.auth.id && @request.body.accepted = true`,
      deleteRule: `${users} && (user = @request.auth.id || (${isMember} && ${isManager} && ${mayTouchOwners}))`,
      hidden: ["extra"],
    },
    organizations: {
      ...both(ofOrganization), createRule: users,
      updateRule: `${ofOrganization} && (${memberships}.role ?= "owner" || ${memberships}.role ?= "admin")`,
      deleteRule: `${ofOrganization} && ${memberships}.role ?= "owner"`,
    },
    exports: { ...both(own), deleteRule: own, protected: ["file"] },
    work: {
      ...both(`kind = "job" && ${own}`),
      hidden: ["at_most_once", "claim", "error", "key", "lease", "payload", "seq", "state", "version"],
    },
    erasures: { hidden: ["known"] },
    payer_changes: { hidden: ["address", "reopened"] },
    ...Object.fromEntries([
      "billing_contacts", "checkout_keys", "effects", "paused_handlers", "pending_checkouts", "reconciliations", "schedules",
      "stripe_events", "transforms", "trials",
    ].map((key) => [key, PRIVATE])),
    // A project's own auth collection has its own rules.
    ...nameOf("users") === "users" && { users: { ...both(self), createRule: "", updateRule: self, deleteRule: self, authRule: "", manageRule: null } },
  }
}

function mirror(rules, keys) {
  return Object.fromEntries(keys.map((key) => [key, { ...rules, hidden: HIDDEN_OF_MIRROR }]))
}

// Returns the stored rules with those of the release, null if they agree.
function compare(stored, { hidden = [], protected: files = [], ...rules }) {
  const all = { listRule: null, viewRule: null, createRule: null, updateRule: null, deleteRule: null, ...rules }
  const added = hidden.filter((name) => !stored.hidden.includes(name))
  const open = files.filter((name) => !stored.protected.includes(name))
  const isEqual = Object.keys(all).every((rule) => stored.rules[rule] === all[rule])
  if (isEqual && added.length + open.length === 0) return null
  return {
    ...stored, rules: { ...stored.rules, ...all }, hidden: [...stored.hidden, ...added].sort(),
    protected: [...stored.protected, ...open].sort(),
  }
}

migrate((app) => {
  const nameOf = names().namesOf(app)
  const table = nameOf("collection_rules")
  const found = arrayOf(new DynamicModel({ collection: "", rules: "" }))
  app.db().newQuery(`SELECT c.name AS collection, r.rules FROM ${table} AS r JOIN _collections AS c ON c.id = r.collection`).all(found)
  const all = released(nameOf)
  const stored = Object.fromEntries(found.map(({ collection, rules }) => [collection, rules]))
  for (const key of Object.keys(all)) {
    const text = stored[nameOf(key)]
    const difference = text && compare(JSON.parse(text), all[key])
    if (!difference) continue
    const rules = JSON.stringify({ ...JSON.parse(text), released: difference })
    app.db().newQuery(`UPDATE ${table} SET rules = {:rules} WHERE collection = (SELECT id FROM _collections WHERE name = {:name})`)
      .bind({ rules, name: nameOf(key) }).execute()
  }
}, (app) => {
  app.db().newQuery(`UPDATE ${names().namesOf(app)("collection_rules")} SET rules = json_remove(rules, '$.released')`).execute()
})
