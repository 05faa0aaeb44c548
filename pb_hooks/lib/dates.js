// Conversion of dates between columns (2026-01-01 00:00:00.000Z), JavaScript, Unix seconds and SQL.
// Why here: hooks write and compare dates inside SQL statements. Python's dates are in gateway/dates.py.

// The last date that a column can have; for what never ends.
const FOREVER = "9999-12-31 23:59:59.999Z"
// Later times count as never: rounding and grace periods must not lead into the year 10000.
const NEVER_MS = Date.parse("9999-01-01T00:00:00Z")

// The current time, as an SQL expression.
const NOW = "strftime('%Y-%m-%d %H:%M:%fZ')"

// A time relative to now, as an SQL expression: an SQLite modifier in quotes, such as '-10 minutes', or a
// placeholder for one.
function sqlFromNow(modifier) {
  return `strftime('%Y-%m-%d %H:%M:%fZ', 'now', ${modifier})`
}

// Unix seconds of a column, as an SQL expression; NULL for an empty one.
function sqlToUnix(column) {
  return `CAST(strftime('%s', ${column}) AS INTEGER)`
}

// A column from milliseconds since 1970.
function toColumn(milliseconds) {
  if (milliseconds > NEVER_MS) return FOREVER
  return new Date(milliseconds).toISOString().replace("T", " ")
}

// A column from Unix seconds.
function unixToColumn(seconds) {
  return new Date(seconds * 1000).toISOString().replace("T", " ")
}

// A column some seconds from now, or before now.
function fromNow(seconds) {
  return toColumn(Date.now() + seconds * 1000)
}

// Milliseconds since 1970 of a column, 0 for an empty one.
function toTime(column) {
  return column ? Date.parse(column.replace(" ", "T")) : 0
}

module.exports = { FOREVER, NOW, fromNow, sqlFromNow, sqlToUnix, toColumn, toTime, unixToColumn }
