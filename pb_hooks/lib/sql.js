// A list of values as named placeholders: for a few of them several times faster than json_each.
function placeholders(list) {
  const values = {}
  list.forEach((value, i) => { values[`i${i}`] = value })
  return { list: list.map((_, i) => `{:i${i}}`).join(","), values }
}

module.exports = { placeholders }
