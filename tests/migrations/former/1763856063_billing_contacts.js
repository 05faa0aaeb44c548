/// <reference path="../pb_data/types.d.ts" />
// Whose address an organization's Stripe customer has, also when that member has left or deleted the account:
// pb_hooks/lib/customers/billing_contacts.js. Superusers only.

migrate((app) => {
  app.save(new Collection({
    name: "billing_contacts", type: "base",
    fields: [
      { name: "customer", type: "text" }, // the Stripe customer's id
      { name: "user", type: "text" }, // empty: the address is no member's, and is kept
      { name: "email", type: "text" }, // the customer's address that `user` is about
      { name: "asked", type: "date" }, // when Stripe was last to be told of another
    ],
    indexes: ["CREATE UNIQUE INDEX idx_billing_contacts_customer ON billing_contacts (customer)"],
  }))
}, (app) => {
  app.delete(app.findCollectionByNameOrId("billing_contacts"))
})
