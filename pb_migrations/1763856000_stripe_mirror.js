/// <reference path="../pb_data/types.d.ts" />
// The collections that mirror Stripe, one row per object. Only the gateway (a superuser) writes them.
//
// Every row: `stripe_id` (unique) and `stamp` (hidden: which state of the object the row shows, see
// docs/decisions/003). Relations may name a row that has not arrived yet.
const names = () => require(`${__hooks}/lib/migration_names.js`)

// Read access: everyone, the user who owns the row, or superusers only. Users never write.
const PUBLIC = () => ""
const OWNED = (users) => `@request.auth.collectionName = "${users}" && user = @request.auth.id`
const SUPERUSERS = () => null

const text = (name) => ({ name, type: "text", max: 5000 })
const url = (name) => ({ name, type: "text", max: 20000 })
const number = (name) => ({ name, type: "number" })
const bool = (name) => ({ name, type: "bool" })
const date = (name) => ({ name, type: "date" })
const json = (name) => ({ name, type: "json", maxSize: 2000000 })
const to = (collection, name) => ({ name, type: "relation", maxSelect: 1, to: collection })

const user = to("users", "user")
const customer = to("customers", "customer")
const created = date("created")
const metadata = json("metadata")
const deleted = bool("deleted")

const COLLECTIONS = {
  // Products and prices.
  products: [PUBLIC, [text("name"), text("description"), bool("active"), to("prices", "default_price"),
    json("images"), json("marketing_features"), text("unit_label"), metadata, deleted, created]],
  prices: [PUBLIC, [to("products", "product"), bool("active"), text("type"), text("currency"),
    number("unit_amount"), text("billing_scheme"), text("interval"), number("interval_count"),
    text("usage_type"), number("trial_period_days"), text("lookup_key"), text("nickname"),
    text("tax_behavior"), metadata, deleted, created]],
  coupons: [SUPERUSERS, [text("name"), number("percent_off"), number("amount_off"), text("currency"),
    text("duration"), number("duration_in_months"), number("max_redemptions"),
    number("times_redeemed"), date("redeem_by"), bool("valid"), metadata, deleted, created]],
  promotion_codes: [SUPERUSERS, [text("code"), to("coupons", "coupon"), customer, bool("active"),
    number("max_redemptions"), number("times_redeemed"), date("expires_at"), metadata, created]],
  tax_rates: [SUPERUSERS, [text("display_name"), number("percentage"), bool("inclusive"),
    bool("active"), text("country"), text("jurisdiction"), metadata, created]],

  // Customers. `primary` marks the one that /checkout uses for a user; `claims` are the ownership claims, see
  // pb_hooks/lib/mirror/ownership.js.
  customers: [OWNED, [user, bool("primary"), { name: "claims", type: "text", max: 20000, hidden: true },
    text("email"), text("name"), text("phone"), text("currency"), number("balance"),
    bool("delinquent"), json("address"), metadata, deleted, created]],
  tax_ids: [OWNED, [customer, user, text("type"), text("value"), text("country"),
    text("verification_status"), deleted, created]],
  payment_methods: [OWNED, [customer, user, text("type"), text("brand"), text("last4"),
    number("exp_month"), number("exp_year"), metadata, created]],
  setup_intents: [OWNED, [customer, user, text("status"), text("usage"),
    to("payment_methods", "payment_method"), text("last_error"), metadata, created]],

  // Purchases. `payments` are PaymentIntents.
  subscriptions: [OWNED, [customer, user, text("status"), to("prices", "price"), number("quantity"),
    json("items"), text("currency"), date("current_period_start"), date("current_period_end"),
    bool("cancel_at_period_end"), date("cancel_at"), date("canceled_at"), date("ended_at"),
    date("trial_end"), json("pause_collection"), metadata, created]],
  subscription_schedules: [OWNED, [customer, user, to("subscriptions", "subscription"),
    text("status"), json("current_phase"), json("phases"), text("end_behavior"),
    date("released_at"), date("canceled_at"), date("completed_at"), metadata, created]],
  checkout_sessions: [OWNED, [customer, user, text("mode"), text("status"), text("payment_status"),
    text("currency"), number("amount_total"), to("subscriptions", "subscription"),
    to("payments", "payment"), to("setup_intents", "setup_intent"), to("invoices", "invoice"),
    text("email"), text("client_reference_id"), text("payment_link"), date("expires_at"), metadata,
    created]],
  payments: [OWNED, [customer, user, text("status"), text("currency"), number("amount"),
    number("amount_received"), text("description"), text("last_error"), date("canceled_at"),
    metadata, created]],
  charges: [OWNED, [customer, user, to("payments", "payment"), text("status"), text("currency"),
    number("amount"), number("amount_captured"), number("amount_refunded"), bool("paid"),
    bool("refunded"), bool("disputed"), text("failure_code"), text("failure_message"),
    text("brand"), text("last4"), url("receipt_url"), metadata, created]],
  refunds: [OWNED, [customer, user, to("payments", "payment"), to("charges", "charge"),
    text("status"), text("reason"), text("currency"), number("amount"), text("failure_reason"),
    metadata, created]],
  disputes: [SUPERUSERS, [customer, user, to("payments", "payment"), to("charges", "charge"),
    text("status"), text("reason"), text("currency"), number("amount"), date("evidence_due_by"),
    metadata, created]],
  invoices: [OWNED, [customer, user, to("subscriptions", "subscription"), to("payments", "payment"),
    text("status"), text("number"), text("billing_reason"), text("currency"), number("total"),
    number("amount_due"), number("amount_paid"), number("amount_remaining"), json("lines"),
    url("hosted_invoice_url"), url("invoice_pdf"), date("due_date"), date("period_start"),
    date("period_end"), date("paid_at"), date("next_payment_attempt"), metadata, deleted, created]],
  invoice_payments: [OWNED, [customer, user, to("invoices", "invoice"), to("payments", "payment"),
    to("charges", "charge"), text("status"), text("currency"), number("amount_paid"),
    date("paid_at"), created]],
  credit_notes: [OWNED, [customer, user, to("invoices", "invoice"), text("status"), text("number"),
    text("type"), text("reason"), text("currency"), number("total"), url("pdf"), metadata,
    created]],

  // Active Stripe Entitlements, one row per customer.
  entitlement_summaries: [OWNED, [customer, user, json("lookup_keys")]],
  // Entitlements, one row per user and feature, for PocketBase rules to read.
  entitlements: [OWNED, [customer, user, text("feature"), bool("active"), date("active_until"),
    number("limit"), created]],
}

// Relations that are searched from the other side have an index; that of `user` serves the rules.
const SEARCHED = ["user", "customer", "payment", "charge", "invoice"]

migrate((app) => {
  const nameOf = names().namesOf(app)
  for (const [key, [, fields]] of Object.entries(COLLECTIONS)) {
    const name = nameOf(key)
    app.save(new Collection({
      name, type: "base",
      fields: [
        { name: "stripe_id", type: "text", required: true, max: 255 },
        ...fields.filter((field) => field.type !== "relation"),
        { name: "stamp", type: "text", hidden: true },
      ],
      indexes: [`CREATE UNIQUE INDEX idx_${name}_stripe_id ON ${name} (stripe_id)`],
    }))
  }
  // Relations are added afterwards, because the collections refer to each other.
  for (const [key, [rule, fields]] of Object.entries(COLLECTIONS)) {
    const name = nameOf(key)
    const collection = names().find(app, key)
    for (const field of fields.filter((field) => field.type === "relation")) {
      collection.fields.add(new RelationField({
        name: field.name, maxSelect: 1, collectionId: names().find(app, field.to).id,
      }))
      if (SEARCHED.includes(field.name)) {
        collection.addIndex(`idx_${name}_${field.name}`, false, field.name, "")
      }
    }
    if (key === "customers") {
      collection.addIndex(`idx_${name}_primary`, true, "user", "`primary` AND user != ''")
      collection.addIndex(`idx_${name}_email`, false, "email COLLATE NOCASE", "")
    }
    if (key === "prices") collection.addIndex(`idx_${name}_lookup_key`, false, "lookup_key", "")
    if (key === "entitlements") {
      collection.addIndex(`idx_${name}_user_feature`, false, "user, feature", "")
    }
    collection.listRule = collection.viewRule = rule(nameOf("users"))
    app.save(collection)
  }
}, (app) => {
  for (const name in COLLECTIONS) {
    const collection = names().find(app, name)
    collection.listRule = collection.viewRule = null
    collection.indexes = []
    for (const field of COLLECTIONS[name][1]) {
      if (field.type === "relation") collection.fields.removeByName(field.name)
    }
    app.save(collection)
  }
  for (const name in COLLECTIONS) app.delete(names().find(app, name))
})
