/// <reference path="../pb_data/types.d.ts" />
// Teams: an organization may pay instead of a user. Who belongs to it stands in `memberships`.
//
// Two rules decide everything: MEMBER may see what the organization may use, MANAGER sees and does what
// costs money. The gateway asks PocketBase for the update rule of `organizations`, which is MANAGER.

const IS_USER = '@request.auth.collectionName = "users"'
const USER = "user = @request.auth.id"

// Conditions on one path are about one membership.
const isMember = (path) => `${path}memberships_via_organization.user ?= @request.auth.id`
const isManager = (path) =>
  `${isMember(path)} && ${path}memberships_via_organization.role ?!= "member"`
const isOwner = (path) => `${isMember(path)} && ${path}memberships_via_organization.role ?= "owner"`

const orTheirs = (rule) => `${IS_USER} && (${USER} || (${rule("organization.")}))`
const BEFORE = `${IS_USER} && ${USER}`

// What a user may have, and so may an organization: readable by its members, or by who manages it.
const BY_MEMBERS = ["subscriptions", "entitlement_summaries", "entitlements"]
const BY_MANAGERS = ["customers", "tax_ids", "payment_methods", "setup_intents",
  "subscription_schedules", "checkout_sessions", "payments", "charges", "refunds", "invoices",
  "invoice_payments", "credit_notes"]
const BY_NOBODY = ["disputes"]
const PAID_FOR = [...BY_MEMBERS, ...BY_MANAGERS, ...BY_NOBODY]

function addTeams(app) {
  const organizations = new Collection({
    name: "organizations", type: "base",
    fields: [
      { name: "name", type: "text", required: true, max: 200 },
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
  })
  app.save(organizations)
  app.save(new Collection({
    name: "memberships", type: "base",
    fields: [
      { name: "organization", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: organizations.id },
      { name: "user", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: app.findCollectionByNameOrId("users").id },
      { name: "role", type: "select", required: true, maxSelect: 1,
        values: ["owner", "admin", "member"] },
      { name: "created", type: "autodate", onCreate: true },
    ],
    indexes: [
      "CREATE UNIQUE INDEX idx_memberships_organization_user ON memberships (organization, user)",
      "CREATE INDEX idx_memberships_user ON memberships (user)",
    ],
  }))
}

// Whoever creates an organization becomes its owner, and the last owner stays: pb_hooks/teams.pb.js.
// To delete one is the superusers' matter, because its subscriptions would go on.
function setTeamRules(app) {
  const organizations = app.findCollectionByNameOrId("organizations")
  organizations.listRule = organizations.viewRule = `${IS_USER} && ${isMember("")}`
  organizations.createRule = IS_USER
  organizations.updateRule = `${IS_USER} && ${isManager("")}`
  app.save(organizations)

  const memberships = app.findCollectionByNameOrId("memberships")
  const manages = `${IS_USER} && ${isManager("organization.")}`
  const owns = isOwner("organization.")
  const kept = "@request.body.organization:changed = false && @request.body.user:changed = false"
  memberships.listRule = memberships.viewRule = `${IS_USER} && ${isMember("organization.")}`
  memberships.createRule = `${manages} && (role != "owner" || (${owns}))`
  memberships.updateRule =
    `${manages} && ${kept} && ((role != "owner" && @request.body.role != "owner") || (${owns}))`
  memberships.deleteRule = `${IS_USER} && (${USER} || (${manages} && (role != "owner" || (${owns}))))`
  app.save(memberships)
}

migrate((app) => {
  addTeams(app)
  setTeamRules(app)
  const organizations = app.findCollectionByNameOrId("organizations")
  for (const name of PAID_FOR) {
    const collection = app.findCollectionByNameOrId(name)
    collection.fields.add(new RelationField({
      name: "organization", maxSelect: 1, collectionId: organizations.id,
      cascadeDelete: name === "entitlements",
    }))
    collection.addIndex(`idx_${name}_organization`, false, "organization", "")
    if (name === "customers") {
      collection.addIndex("idx_customers_primary_organization", true, "organization",
        "`primary` AND organization != ''")
    }
    if (name === "subscriptions") {
      // Who has bought a trial, also for an organization.
      collection.addIndex("idx_subscriptions_trial", false,
        "json_extract(metadata, '$.pocketbase_user')", "trial_end != '' AND json_valid(metadata)")
    }
    if (!BY_NOBODY.includes(name)) {
      const rule = BY_MEMBERS.includes(name) ? isMember : isManager
      collection.listRule = collection.viewRule = orTheirs(rule)
    }
    app.save(collection)
  }
}, (app) => {
  for (const name of PAID_FOR) {
    const collection = app.findCollectionByNameOrId(name)
    if (!BY_NOBODY.includes(name)) collection.listRule = collection.viewRule = BEFORE
    collection.removeIndex(`idx_${name}_organization`)
    if (name === "customers") collection.removeIndex("idx_customers_primary_organization")
    if (name === "subscriptions") collection.removeIndex("idx_subscriptions_trial")
    app.save(collection)
    collection.fields.removeByName("organization")
    app.save(collection)
  }
  for (const name of ["memberships", "organizations"]) {
    const collection = app.findCollectionByNameOrId(name)
    for (const rule of ["list", "view", "create", "update", "delete"]) collection[`${rule}Rule`] = null
    app.save(collection)
  }
  for (const name of ["memberships", "organizations"]) {
    app.delete(app.findCollectionByNameOrId(name))
  }
})
