/// <reference path="../pb_data/types.d.ts" />
// Teams: an organization can pay instead of a user. `memberships` has its members.
//
// Two rules: MEMBER may read the organization's entitlements, MANAGER may read its billing and buy. The gateway asks
// PocketBase for the update rule of `organizations`, which is MANAGER.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const USER = "user = @request.auth.id"

// The rules, with the names of the collections.
function buildRules(nameOf) {
  const isUser = `@request.auth.collectionName = "${nameOf("users")}"`
  const memberships = `${nameOf("memberships")}_via_organization`
  // All conditions on one path apply to the same membership.
  const isMember = (path) => `${path}${memberships}.user ?= @request.auth.id`
  const isManager = (path) => `${isMember(path)} && ${path}${memberships}.role ?!= "member"`
  const isOwner = (path) => `${isMember(path)} && ${path}${memberships}.role ?= "owner"`
  const orTheirs = (rule) => `${isUser} && (${USER} || (${rule("organization.")}))`
  return { isUser, isMember, isManager, isOwner, orTheirs, before: `${isUser} && ${USER}` }
}

// Collections whose rows belong to a user or an organization: readable by its members or managers.
const BY_MEMBERS = ["subscriptions", "entitlement_summaries", "entitlements"]
const BY_MANAGERS = ["customers", "tax_ids", "payment_methods", "setup_intents",
  "subscription_schedules", "checkout_sessions", "payments", "charges", "refunds", "invoices",
  "invoice_payments", "credit_notes"]
const BY_NOBODY = ["disputes"]
const PAID_FOR = [...BY_MEMBERS, ...BY_MANAGERS, ...BY_NOBODY]

function addTeams(app) {
  const nameOf = names().namesOf(app)
  const name = nameOf("memberships")
  app.save(new Collection({
    name: nameOf("organizations"), type: "base",
    fields: [
      { name: "name", type: "text", required: true, max: 200 },
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
  }))
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "organization", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: names().find(app, "organizations").id },
      { name: "user", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: names().find(app, "users").id },
      { name: "role", type: "select", required: true, maxSelect: 1,
        values: ["owner", "admin", "member"] },
      { name: "created", type: "autodate", onCreate: true },
    ],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_organization_user ON ${name} (organization, user)`,
      `CREATE INDEX idx_${name}_user ON ${name} (user)`,
    ],
  }))
}

// The user who creates an organization becomes its owner, and the last owner stays: pb_hooks/teams.pb.js.
// Only superusers delete organizations, because their subscriptions would continue.
function setTeamRules(app, { isUser, isMember, isManager, isOwner }) {
  const organizations = names().find(app, "organizations")
  organizations.listRule = organizations.viewRule = `${isUser} && ${isMember("")}`
  organizations.createRule = isUser
  organizations.updateRule = `${isUser} && ${isManager("")}`
  app.save(organizations)

  const memberships = names().find(app, "memberships")
  const manages = `${isUser} && ${isManager("organization.")}`
  const owns = isOwner("organization.")
  const kept = "@request.body.organization:changed = false && @request.body.user:changed = false"
  memberships.listRule = memberships.viewRule = `${isUser} && ${isMember("organization.")}`
  memberships.createRule = `${manages} && (role != "owner" || (${owns}))`
  memberships.updateRule =
    `${manages} && ${kept} && ((role != "owner" && @request.body.role != "owner") || (${owns}))`
  memberships.deleteRule = `${isUser} && (${USER} || (${manages} && (role != "owner" || (${owns}))))`
  app.save(memberships)
}

migrate((app) => {
  addTeams(app)
  const rules = buildRules(names().namesOf(app))
  setTeamRules(app, rules)
  for (const name of PAID_FOR) {
    const collection = names().find(app, name)
    collection.fields.add(new RelationField({
      name: "organization", maxSelect: 1, collectionId: names().find(app, "organizations").id,
      cascadeDelete: name === "entitlements",
    }))
    collection.addIndex(`idx_${collection.name}_organization`, false, "organization", "")
    if (name === "customers") {
      collection.addIndex(`idx_${collection.name}_primary_organization`, true, "organization",
        "`primary` AND organization != ''")
    }
    if (name === "subscriptions") {
      // The user who bought a trial, also for an organization.
      collection.addIndex(`idx_${collection.name}_trial`, false,
        "json_extract(metadata, '$.pocketbase_user')", "trial_end != '' AND json_valid(metadata)")
    }
    if (!BY_NOBODY.includes(name)) {
      const rule = BY_MEMBERS.includes(name) ? rules.isMember : rules.isManager
      collection.listRule = collection.viewRule = rules.orTheirs(rule)
    }
    app.save(collection)
  }
}, (app) => {
  const { before } = buildRules(names().namesOf(app))
  for (const name of PAID_FOR) {
    const collection = names().find(app, name)
    if (!BY_NOBODY.includes(name)) collection.listRule = collection.viewRule = before
    collection.removeIndex(`idx_${collection.name}_organization`)
    if (name === "customers") collection.removeIndex(`idx_${collection.name}_primary_organization`)
    if (name === "subscriptions") collection.removeIndex(`idx_${collection.name}_trial`)
    app.save(collection)
    collection.fields.removeByName("organization")
    app.save(collection)
  }
  for (const name of ["memberships", "organizations"]) {
    const collection = names().find(app, name)
    for (const rule of ["list", "view", "create", "update", "delete"]) collection[`${rule}Rule`] = null
    app.save(collection)
  }
  for (const name of ["memberships", "organizations"]) {
    app.delete(names().find(app, name))
  }
})
