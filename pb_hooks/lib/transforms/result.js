// Applies a transform's result to a write (its shape: call.js).
// Why here: the write is PocketBase's request, and the client gets PocketBase's error.
const { failed, unavailable } = require(`${__hooks}/lib/transforms/errors.js`)
const { typeOf } = require(`${__hooks}/lib/transforms/table.js`)

// Sets the result's values and returns their names, or throws the error as PocketBase would. With `isAsked`, the error
// of a failed transform has its cause.
function applyResult(record, entry, operation, result, isAsked) {
  if (!result) throw unavailable()
  if (result.values) return setValues(record, entry, operation, result.values, isAsked)
  if (result.errors) throw fieldErrors(operation, result)
  if (result.refused) throw new ApiError(result.refused.status, result.refused.message, {})
  logFailure(entry, operation, result)
  if (result.failed === "error") {
    throw failed(isAsked && result.cause)
  }
  if (!entry.open || !isAway(result)) throw unavailable()
  mark(record, entry, operation, true)
  return []
}

// Failures that a client can't cause: otherwise it could bypass the transform.
function isAway(result) {
  return ["unreachable", "timeout", "unavailable"].includes(result.failed)
}

function logFailure(entry, operation, result) {
  $app.logger().error("transform failed", "collection", entry.collection, "operation", operation,
    "outcome", result.failed, "reason", result.reason || "", "open", entry.open)
}

function fieldErrors(operation, { errors, message }) {
  const data = {}
  for (const name in errors) data[name] = new ValidationError(errors[name].code, errors[name].message)
  return new BadRequestError(message || `Failed to ${operation} record.`, data)
}

function setValues(record, entry, operation, values, isAsked) {
  if (operation === "delete") return []
  const names = Object.keys(values)
  for (const name of names) {
    if (!maySet(typeOf(entry, name), name, operation, values[name])) {
      const reason = `it returned "${name}", which can't be set`
      logFailure(entry, operation, { failed: reason })
      throw failed(isAsked && `The transform failed: ${reason}.`)
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

// Sets `transform_skipped`, if the collection has that field: whether the record was written without its transform.
function mark(record, entry, operation, skipped) {
  if (operation === "delete" || typeOf(entry, "transform_skipped") !== "bool") return
  record.set("transform_skipped", skipped)
}

module.exports = { applyResult, logFailure }
