/// <reference path="../pb_data/types.d.ts" />
// The member with the address of an organization's Stripe customer, also after leaving or deletion of the account:
// pb_hooks/lib/customers/billing_contacts.js. Superusers only.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("billing_contacts")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "customer", type: "text" }, // the Stripe customer's id
      { name: "user", type: "text" }, // empty if no member has the address, which is then kept
      { name: "email", type: "text" }, // the customer's address that belongs to `user`
      { name: "asked", type: "date" }, // time of the last update to another address
    ],
    indexes: [`CREATE UNIQUE INDEX idx_${name}_customer ON ${name} (customer)`],
  }))
}, (app) => {
  app.delete(names().find(app, "billing_contacts"))
})
