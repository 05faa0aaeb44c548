/// <reference path="../pb_data/types.d.ts" />
// Refuses to delete the gateway's collections in the dashboard or by an import. Migrations can.

onCollectionDeleteRequest((e) => {
  require(`${__hooks}/lib/mirror/collections_guard.js`).refuseDeletion(e.collection)
  e.next()
})

onCollectionsImportRequest((e) => {
  if (e.deleteMissing) require(`${__hooks}/lib/mirror/collections_guard.js`).refuseLoss(e.app, [...e.collectionsData])
  e.next()
})

// Nor do they empty or change the table of transforms: that would let writes pass without them.
onRecordDelete((e) => {
  require(`${__hooks}/lib/transforms/table_rows.js`).refuseDeletion(e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))

onRecordUpdate((e) => {
  require(`${__hooks}/lib/transforms/table_rows.js`).refuseChange(e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
