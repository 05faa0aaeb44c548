// PocketBase refused a value that a transform set in a field that the client did not send. The client can't correct
// that, so it is a mistake of the transform's author: a 500 with a line in the log.
const { note } = require(`${__hooks}/lib/transforms/result.js`)

// A unique value may be taken by the time of the write. That is not a mistake, and another try may succeed.
const NOT_UNIQUE = "validation_not_unique"

// Does the write. `set` names the fields that the transform has set, `body` holds what the client has sent.
function blameTransform(entry, operation, set, body, write) {
  if (set.length === 0) return write()
  try {
    return write()
  } catch (error) {
    throw translate(error, entry, operation, set.filter((name) => !(name in body)))
  }
}

// `own` names the fields that are only the transform's. The client still reads the errors of its own fields.
function translate(error, entry, operation, own) {
  const { status, message, data } = error.value || {}
  if (status !== 400 || !data) return error
  const found = JSON.parse(JSON.stringify(data))
  const mistakes = own.filter((name) => found[name] && found[name].code !== NOT_UNIQUE)
  if (mistakes.length === 0) return error
  const reason = `PocketBase refuses ${mistakes.map((name) => `${name} (${found[name].code})`).join(", ")}`
  note(entry, operation, { failed: "error", reason })
  const rest = {}
  for (const name in found) {
    if (!mistakes.includes(name)) rest[name] = new ValidationError(found[name].code, found[name].message)
  }
  if (Object.keys(rest).length > 0) return new BadRequestError(message, rest)
  return new ApiError(500, "Something went wrong while processing the record.", {})
}

module.exports = { blameTransform }
