// Describes collections to a gateway that registers something about them.
// Why here: the gateway that registers compares them without further calls.

// From [{name, id}] to {name: {type, columns: {name: isHidden}}}; by the id if no collection has the name any more.
function describeCollections(collections, wanted) {
  const described = {}
  for (const { name, id } of wanted) {
    const found = collections.find((each) => each.name === name) || collections.find((each) => each.id === id)
    if (found) described[name] ||= { type: found.type, columns: listColumns(found) }
  }
  return described
}

function listColumns({ fields }) {
  const columns = {}
  for (const field of fields) columns[field.name] = field.hidden
  return columns
}

module.exports = { describeCollections }
