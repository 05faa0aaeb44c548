// Removes personal data from Stripe's objects, from events and from rows. Pure.
// Why here: late deliveries about a deleted person are redacted in the commit transaction.
//
// known  values of the person in lower case, such as the address: a text that contains one becomes null. A short one
//        must be the whole text: "Ann" is part of "annual".

// A member of a redacted object, by which `gateway reconcile` recognizes it.
const MARK = "pocketbase_erased"

const setOf = (text) => new Set(text.split(/\s+/))

// Hashes about a person: only country, state and tax status stay, which tax returns need.
const PERSONS = setOf(`address billing_details shipping shipping_details customer_details customer_address
  customer_shipping collected_information owner evidence individual company payer_details identification`)
const KEPT_OF_PERSONS = setOf("object country state tax_exempt")

// Personal values wherever they occur.
const VALUES = setOf(`email phone receipt_email customer_email customer_name customer_phone customer_tax_ids
  individual_name business_name verified_name verified_email verified_phone verified_address payer_email payer_name
  payer_id payer buyer_id cashtag account_holder_name account_holder_email account_number iban routing_number sort_code
  last4 dynamic_last4 fingerprint iin tax_ids
  ip ip_address client_ip customer_purchase_ip user_agent
  receipt_url hosted_invoice_url invoice_pdf pdf hosted_voucher_url hosted_verification_url hosted_instructions_url
  custom_fields comment footer client_reference_id preferred_locales`)

// Further ones by kind of object.
const VALUES_OF = {
  "customer": setOf("name description"), "card": setOf("name"), "bank_account": setOf("name"), "source": setOf("name"),
  "tax_id": setOf("value verification owner"), "checkout.session": setOf("url"), "billing_portal.session": setOf("url"),
}
const NONE = new Set()

// The seller's objects inside of others.
const CATALOGUE = setOf("price plan product coupon promotion_code tax_rate shipping_rate")

// The gateway's own metadata: ids, prices and quantities, from which entitlements follow.
const OWN_METADATA = "pocketbase_"

// Returns a redacted copy; `kind` is the object of a hash that does not name its own.
function redact(value, known = [], kind = "") {
  if (typeof value === "string") return mentions(value, known) ? null : value
  if (Array.isArray(value)) return value.map((each) => redact(each, known))
  if (!isHash(value)) return value
  const object = typeof value.object === "string" ? value.object : kind
  const copy = {}
  for (const name in value) {
    copy[name] = CATALOGUE.has(object) ? redactValues(value[name], known) : redactMember(name, value[name], known, object)
  }
  return copy
}

function redactMember(name, value, known, object) {
  if (value === null || value === undefined) return value
  if (name === "metadata" && isHash(value)) return redactMetadata(value)
  if (PERSONS.has(name)) return strip(value)
  if (VALUES.has(name) || (VALUES_OF[object] || NONE).has(name)) return Array.isArray(value) ? [] : strip(value)
  return redact(value, known)
}

function redactMetadata(metadata) {
  const copy = {}
  for (const name in metadata) if (name.startsWith(OWN_METADATA)) copy[name] = metadata[name]
  return copy
}

// Empties a hash about a person.
function strip(value) {
  if (Array.isArray(value)) return []
  if (!isHash(value)) return null
  const copy = {}
  for (const name in value) copy[name] = KEPT_OF_PERSONS.has(name) ? value[name] : strip(value[name])
  return copy
}

// Replaces only texts that contain a known value: in data that belongs to others.
function redactValues(value, known) {
  if (typeof value === "string") return mentions(value, known) ? null : value
  if (Array.isArray(value)) return value.map((each) => redactValues(each, known))
  if (!isHash(value)) return value
  const copy = {}
  for (const name in value) copy[name] = redactValues(value[name], known)
  return copy
}

function mentions(text, known) {
  if (known.length === 0) return false
  const lower = text.toLowerCase()
  return known.some((value) => value.length < 5 ? lower === value : lower.includes(value))
}

// Returns a Stripe object as text, redacted and marked.
function redactObjectText(text, known = []) {
  const object = JSON.parse(text)
  return isHash(object) ? JSON.stringify({ ...redact(object, known), [MARK]: true }) : text
}

// Returns an event as text: its object, and what an update replaced in it.
function redactEventText(text, known = []) {
  const event = JSON.parse(text)
  if (!isHash(event) || !isHash(event.data)) return JSON.stringify(redact(event, known))
  const { object, previous_attributes } = event.data
  const kind = isHash(object) && typeof object.object === "string" ? object.object : ""
  const data = { ...event.data, object: redact(object, known) }
  if (previous_attributes) data.previous_attributes = redact(previous_attributes, known, kind)
  return JSON.stringify({ ...event, data })
}

// The object that a collection's rows show, for the rules by kind.
const KINDS = { customers: "customer", tax_ids: "tax_id", checkout_sessions: "checkout.session" }

// Returns the columns of a row that change, as they are stored. JSON columns are text; `stripe_object` is left out.
function redactColumns(collection, values, known = []) {
  const changed = {}
  for (const name in values) {
    if (name === "stripe_object") continue
    const before = values[name]
    const after = redactColumn(before, (value) => redactMember(name, value, known, KINDS[collection] || ""))
    if (after !== before) changed[name] = after
  }
  return changed
}

// Returns a stored value after `change`, which gets the parsed value of a JSON column.
function redactColumn(before, change) {
  if (typeof before === "string" && /^[[{]/.test(before)) {
    const parsed = parse(before)
    if (parsed !== undefined) {
      const text = JSON.stringify(change(parsed))
      return text === JSON.stringify(parsed) ? before : text
    }
  }
  const after = change(before)
  if (after !== null) return after
  return typeof before === "number" ? 0 : typeof before === "string" ? "" : null
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch (_) {
    return undefined
  }
}

function isHash(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

module.exports = { mentions, redactColumn, redactColumns, redactEventText, redactObjectText, redactValues }
