// A record with a value that JSON can't represent, for example an infinite number or a broken text in a JSON field. No
// transform can get it, and PocketBase's own validation refuses it: the client gets that error.
// Why here: only PocketBase has the record before it is written as JSON.

function isWritable(record) {
  try {
    JSON.stringify(record)
    return true
  } catch (_) {
    return false
  }
}

// Returns what `describe` returns. Throws PocketBase's validation error if the record can't be written as JSON.
function describeOrRefuse(app, record, operation, describe) {
  try {
    return describe()
  } catch (error) {
    if (!isWritable(record)) refuse(app, record, operation)
    throw error
  }
}

// Throws the errors of the record's fields as PocketBase would; returns if its validation accepts the record.
function refuse(app, record, operation) {
  try {
    app.validate(record)
  } catch (error) {
    throw new BadRequestError(`Failed to ${operation} record.`, error.value)
  }
}

module.exports = { describeOrRefuse, isWritable, refuse }
