// What a verdict of the gateway does to a write; see call.js.
const { typeOf } = require(`${__hooks}/lib/transforms/table.js`)

// Applies a verdict: sets values and returns their names, or throws the error as PocketBase would.
function settle(record, entry, operation, verdict) {
  if (!verdict) throw unavailable()
  if (verdict.values) return apply(record, entry, operation, verdict.values)
  if (verdict.errors) throw fieldErrors(operation, verdict)
  if (verdict.refused) throw new ApiError(verdict.refused.status, verdict.refused.message, {})
  note(entry, operation, verdict)
  if (verdict.failed === "error") {
    throw new ApiError(500, "Something went wrong while processing the record.", {})
  }
  if (!entry.open || !isAway(verdict)) throw unavailable()
  mark(record, entry, operation, true)
  return []
}

// What a client can't bring about: else it could open the door for itself.
function isAway(verdict) {
  return ["unreachable", "timeout", "unavailable"].includes(verdict.failed)
}

function unavailable() {
  return new ApiError(503, "This can't be written right now. Please try again.", {})
}

function note(entry, operation, verdict) {
  $app.logger().error("transform failed", "collection", entry.collection, "operation", operation,
    "outcome", verdict.failed, "reason", verdict.reason || "", "open", entry.open)
}

function fieldErrors(operation, { errors, message }) {
  const data = {}
  for (const name in errors) data[name] = new ValidationError(errors[name].code, errors[name].message)
  return new BadRequestError(message || `Failed to ${operation} record.`, data)
}

function apply(record, entry, operation, values) {
  if (operation === "delete") return []
  const names = Object.keys(values)
  for (const name of names) {
    if (!maySet(typeOf(entry, name), name, operation, values[name])) {
      note(entry, operation, { failed: `it returned "${name}", which can't be set` })
      throw new ApiError(500, "Something went wrong while processing the record.", {})
    }
    record.set(name, values[name])
  }
  mark(record, entry, operation, false)
  return names
}

function maySet(type, name, operation, value) {
  if (!type || type === "autodate" || type === "password" || name === "tokenKey") return false
  if (name === "id") return operation === "create"
  return type !== "file" || value === null || value.length === 0
}

// A record shows whether it was written without its transform, if it has a field for that.
function mark(record, entry, operation, skipped) {
  if (operation === "delete" || typeOf(entry, "transform_skipped") !== "bool") return
  record.set("transform_skipped", skipped)
}

module.exports = { note, settle }
