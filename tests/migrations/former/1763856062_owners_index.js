/// <reference path="../pb_data/types.d.ts" />
// Organizations without an owner are looked for every few seconds: pb_hooks/lib/teams/vacancies.js.

migrate((app) => {
  const memberships = app.findCollectionByNameOrId("memberships")
  memberships.addIndex("idx_memberships_owner", false, "organization", "role = 'owner'")
  app.save(memberships)
}, (app) => {
  const memberships = app.findCollectionByNameOrId("memberships")
  memberships.removeIndex("idx_memberships_owner")
  app.save(memberships)
})
