/// <reference path="../../.local/pb_data/types.d.ts" />
// Plans: members of an organization write them while it has the entitlement `pro`.
// Tips: users read them who have `pro` themselves or through an organization.

const IS_USER = '@request.auth.collectionName = "users"'
const IS_MEMBER = `${IS_USER} && organization.memberships_via_organization.user ?= @request.auth.id`

// Conditions on one path, or with one alias, are about one row.
const TEAM_HAS_PRO = 'organization.entitlements_via_organization.feature ?= "pro"' +
  " && organization.entitlements_via_organization.active_until ?> @now"
const PRO = "@collection.entitlements:pro"
const USER_OR_TEAM_HAS_PRO = `${PRO}.feature ?= "pro" && ${PRO}.active_until ?> @now` +
  ` && (${PRO}.user ?= @request.auth.id` +
  ` || ${PRO}.organization.memberships_via_organization.user ?= @request.auth.id)`

migrate((app) => {
  app.save(new Collection({
    name: "plans", type: "base",
    listRule: IS_MEMBER,
    viewRule: IS_MEMBER,
    createRule: `${IS_MEMBER} && ${TEAM_HAS_PRO}`,
    updateRule: `${IS_MEMBER} && ${TEAM_HAS_PRO} && @request.body.organization:changed = false`,
    deleteRule: IS_MEMBER,
    fields: [
      { name: "organization", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: app.findCollectionByNameOrId("organizations").id },
      { name: "title", type: "text", required: true, max: 200 },
    ],
  }))
  app.save(new Collection({
    name: "tips", type: "base",
    listRule: `${IS_USER} && ${USER_OR_TEAM_HAS_PRO}`,
    viewRule: `${IS_USER} && ${USER_OR_TEAM_HAS_PRO}`,
    fields: [{ name: "title", type: "text", required: true, max: 200 }],
  }))
}, (app) => {
  for (const name of ["plans", "tips"]) app.delete(app.findCollectionByNameOrId(name))
})
