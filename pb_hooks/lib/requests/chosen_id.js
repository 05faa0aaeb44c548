// Refuses an id that the client chose for a new record. Superusers may choose ids.
// Why here: a client creates the record directly at PocketBase, which takes any id that is free. Stripe objects may
// still name a deleted record, and a new one of the same id would get them.

function refuseChosenId(e) {
  if (!e.record.id || e.hasSuperuserAuth()) return
  const problem = new ValidationError("validation_id_chosen", "The id can't be chosen.")
  throw new BadRequestError("Failed to create record.", { id: problem })
}

module.exports = { refuseChosenId }
