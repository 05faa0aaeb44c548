// The collections and columns that the migrations create and that hooks and gateway use. A test compares them with the
// migrations.
const COLUMNS = {
  billing_contacts: "customer user email asked",
  charges:
    "stripe_id status currency amount amount_captured amount_refunded paid refunded disputed failure_code " +
    "failure_message brand last4 receipt_url metadata created stamp customer user payment organization " +
    "presentment_details",
  checkout_attempts: "buyer number since",
  checkout_keys: "fingerprint since",
  checkout_sessions:
    "stripe_id mode status payment_status currency amount_total email client_reference_id payment_link " +
    "expires_at metadata created stamp customer user subscription payment setup_intent invoice " +
    "organization locale presentment_details",
  coupons:
    "stripe_id name percent_off amount_off currency duration duration_in_months max_redemptions " +
    "times_redeemed redeem_by valid metadata deleted created stamp",
  credit_notes:
    "stripe_id status number type reason currency total pdf metadata created stamp customer user invoice " +
    "organization out_of_band_amount",
  customer_tasks: "kind user customer version outcome error attempts due created finished address",
  customers:
    "stripe_id primary claims email name phone currency balance delinquent address metadata deleted " +
    "created stamp user organization preferred_locales",
  disputes:
    "stripe_id status reason currency amount evidence_due_by metadata created stamp customer user payment " +
    "charge organization",
  entitlement_summaries: "stripe_id lookup_keys stamp customer user organization",
  entitlements: "feature active active_until limit user sources organization",
  follow_ups: "kind subject place error created updated",
  gateway_transforms:
    "collection collection_ref operation timeout on_failure files url max_bytes gateway superusers " +
    "started request headers",
  invoice_payments:
    "stripe_id status currency amount_paid paid_at created stamp customer user invoice payment charge " +
    "organization",
  invoices:
    "stripe_id status number billing_reason currency total amount_due amount_paid amount_remaining lines " +
    "hosted_invoice_url invoice_pdf due_date period_start period_end paid_at next_payment_attempt " +
    "metadata deleted created stamp customer user subscription payment organization one_time has_more " +
    "last_finalization_error",
  membership_invitations: "organization user role accepted extra created",
  memberships: "organization user role created",
  organizations: "name created updated",
  payment_methods:
    "stripe_id type brand last4 exp_month exp_year metadata created stamp customer user organization",
  payments:
    "stripe_id status currency amount amount_received description last_error canceled_at metadata created " +
    "stamp customer user organization presentment_details",
  prices:
    "stripe_id active type currency unit_amount billing_scheme interval interval_count usage_type " +
    "trial_period_days lookup_key nickname tax_behavior metadata deleted created stamp product meter " +
    "amount_type unit_amount_decimal custom_unit_amount transform_quantity tiers_mode tiers " +
    "currency_options",
  products:
    "stripe_id name description active images marketing_features unit_label metadata deleted created " +
    "stamp default_price",
  promotion_codes:
    "stripe_id code active max_redemptions times_redeemed expires_at metadata created stamp coupon " +
    "customer",
  refunds:
    "stripe_id status reason currency amount failure_reason metadata created stamp customer user payment " +
    "charge organization presentment_details",
  setup_intents:
    "stripe_id status usage last_error metadata created stamp customer user payment_method organization",
  stripe_events:
    "stripe_id type outcome error attempts object_id account api_version livemode created received " +
    "payload",
  stripe_notifications:
    "event kind via status reason attempts collection record customer created due expires claimed settled",
  stripe_reconciliations: "started updated finished caught_up options position report error",
  subscription_schedules:
    "stripe_id status current_phase phases end_behavior released_at canceled_at completed_at metadata " +
    "created stamp customer user subscription organization",
  subscriptions:
    "stripe_id status quantity items currency current_period_start current_period_end " +
    "cancel_at_period_end cancel_at canceled_at ended_at trial_end pause_collection metadata created " +
    "stamp customer user price organization has_more",
  tax_ids:
    "stripe_id type value country verification_status deleted created stamp customer user organization",
  tax_rates:
    "stripe_id display_name percentage inclusive active country jurisdiction metadata created stamp",
  trials: "holder since",
}
// The project's own, which the hooks read.
const USERS = "users"

// Returns what is missing, one sentence each; empty if nothing is.
function findMissing(app) {
  const collections = [...app.findAllCollections()]
  const missing = []
  if (!collections.some(({ name }) => name === USERS)) missing.push(`the collection ${USERS} is missing`)
  for (const name in COLUMNS) {
    const collection = collections.find((other) => other.name === name)
    if (!collection) missing.push(`the collection ${name} is missing`)
    else missing.push(...findMissingColumns(collection).map((column) => `${name} has no column ${column}`))
  }
  return missing
}

function findMissingColumns({ name, fields }) {
  const present = {}
  for (const field of fields) present[field.name] = true
  return COLUMNS[name].split(" ").filter((column) => !present[column])
}

function isOwn(name) {
  return Object.keys(COLUMNS).includes(name)
}

// An import with "delete missing" must list our collections with their columns.
function refuseLoss(app, imported) {
  for (const { id, name, fields } of app.findAllCollections()) {
    if (!isOwn(name)) continue
    const kept = imported.find((other) => other.id === id || other.name === name)
    if (!kept) throw refusal(name)
    const listed = (kept.fields || [...fields]).map((field) => field.name)
    const lost = COLUMNS[name].split(" ").filter((column) => !listed.includes(column))
    if (lost.length > 0) throw refusal(`${name} with its column ${lost[0]}`)
  }
}

function refusal(name) {
  return new BadRequestError(`The collection ${name} belongs to the gateway and can't be deleted: payments ` +
    "and transforms depend on it. An import with \"delete missing\" must list it too.")
}

function refuseDeletion({ name }) {
  if (isOwn(name)) throw refusal(name)
}

module.exports = { COLUMNS, findMissing, findMissingColumns, refuseDeletion, refuseLoss }
