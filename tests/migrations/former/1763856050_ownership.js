/// <reference path="../pb_data/types.d.ts" />
// Users are found by their address whatever its case, and the verified address of a deleted user is kept as a hash
// with the customers to forget: only who verifies it too gets what stays of them (lib/customers/customer_deletion.js). Of users who
// were deleted before none is known, so nobody gets theirs by an address.

migrate((app) => {
  const users = app.findCollectionByNameOrId("users")
  users.addIndex("idx_users_email_nocase", false, "email COLLATE NOCASE", "")
  app.save(users)
  const tasks = app.findCollectionByNameOrId("customer_tasks")
  tasks.fields.add(new TextField({ name: "address", hidden: true }))
  app.save(tasks)
}, (app) => {
  app.db().newQuery("DELETE FROM customer_tasks WHERE kind = 'move'").execute()
  const tasks = app.findCollectionByNameOrId("customer_tasks")
  tasks.fields.removeByName("address")
  app.save(tasks)
  const users = app.findCollectionByNameOrId("users")
  users.removeIndex("idx_users_email_nocase")
  app.save(users)
})
