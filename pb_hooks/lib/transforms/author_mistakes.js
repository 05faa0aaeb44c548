// PocketBase refused a value that a transform set in a field that the client did not send. The client can't correct
// that, so it is a mistake of the transform's author: a 500 with a line in the log.
// Why here: PocketBase validates the record inside its request, after the transform.
const { failed } = require(`${__hooks}/lib/transforms/errors.js`)
const { logFailure } = require(`${__hooks}/lib/transforms/result.js`)

// A unique value may be taken by the time of the write. That is not the author's mistake, and another try may succeed.
const NOT_UNIQUE = "validation_not_unique"

// Runs the write. `set` has the names of the fields that the transform set, `body` is the client's body. With `isAsked`,
// the error has the mistakes.
function blameTransform(entry, operation, set, body, write, isAsked) {
  if (set.length === 0) return write()
  try {
    return write()
  } catch (error) {
    throw translate(error, entry, operation, set.filter((name) => !(name in body)), isAsked)
  }
}

// `own` has the names of fields that only the transform set. The client still gets the errors of its own fields.
function translate(error, entry, operation, own, isAsked) {
  const { status, message, data } = error.value || {}
  if (status !== 400 || !data) return error
  const found = JSON.parse(JSON.stringify(data))
  const mistakes = own.filter((name) => found[name] && found[name].code !== NOT_UNIQUE)
  if (mistakes.length === 0) return error
  const reason = `PocketBase refuses ${mistakes.map((name) => `${name} (${found[name].code})`).join(", ")}`
  logFailure(entry, operation, { failed: "error", reason })
  const rest = {}
  for (const name in found) {
    if (!mistakes.includes(name)) rest[name] = new ValidationError(found[name].code, found[name].message)
  }
  if (Object.keys(rest).length > 0) return new BadRequestError(message, rest)
  return failed(isAsked && `${reason}.`)
}

module.exports = { blameTransform }
