// Checks the bodies of the gateway's routes as strictly as the gateway checks its own.
// Why here: users can call one of the routes themselves, and values bound to a query must have the type that the query
// expects.

// Returns the members that `shape` names, each as its check returns it. Other members are ignored, so that requests of
// newer gateways are accepted.
function readInput(e, shape) {
  return readMembers(e.requestInfo().body, shape, "")
}

function readMembers(body, shape, path) {
  const values = {}
  for (const name in shape) values[name] = shape[name](body[name], path + name)
  return values
}

function refuse(name, message) {
  throw new BadRequestError(`${name} ${message}`, {
    [name]: new ValidationError("validation_invalid_value", message),
  })
}

const isMissing = (value) => value === undefined || value === null

// A string of at most `most` UTF-16 units that matches the pattern, if one is given.
function text(most, pattern) {
  return (value, name) => {
    if (typeof value !== "string") refuse(name, "must be a string.")
    if (value.length > most) refuse(name, `must have at most ${most} characters.`)
    if (pattern && !pattern.test(value)) refuse(name, "has the wrong format.")
    return value
  }
}

function whole(least, most) {
  return (value, name) => {
    if (typeof value !== "number" || !Number.isInteger(value)) refuse(name, "must be a whole number.")
    if (value < least || value > most) refuse(name, `must be from ${least} to ${most}.`)
    return value
  }
}

function flag(value, name) {
  if (typeof value !== "boolean") refuse(name, "must be true or false.")
  return value
}

function list(most, check) {
  return (value, name) => {
    if (!Array.isArray(value)) refuse(name, "must be a list.")
    if (value.length > most) refuse(name, `must have at most ${most} items.`)
    return value.map((item) => check(item, name))
  }
}

function members(shape) {
  return (value, name) => {
    if (!isObject(value)) refuse(name, "must be an object.")
    return readMembers(value, shape, `${name}.`)
  }
}

// One of a few strings.
function choice(...values) {
  return (value, name) => {
    if (!values.includes(value)) refuse(name, `must be one of ${values.join(", ")}.`)
    return value
  }
}

// Any JSON.
function any(value) {
  return value
}

// An object of strings under any names.
function texts(mostNames, most) {
  return (value, name) => {
    if (!isObject(value) || Object.keys(value).length > mostNames) refuse(name, "must be an object of strings.")
    const check = text(most)
    const values = {}
    for (const key of Object.keys(value)) values[key] = check(value[key], name)
    return values
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

// A member that may be absent or null; `missing` is the default.
function optional(check, missing) {
  return (value, name) => isMissing(value) ? missing : check(value, name)
}

module.exports = { any, choice, flag, list, members, optional, readInput, text, texts, whole }
