/// <reference path="../pb_data/types.d.ts" />
// Refuses to delete the gateway's collections in the dashboard or by an import. Migrations can.
// Why here: both are requests to PocketBase.

onCollectionDeleteRequest((e) => {
  require(`${__hooks}/lib/mirror/collections_guard.js`).refuseDeletion(e.collection)
  e.next()
})

onCollectionsImportRequest((e) => {
  if (e.deleteMissing) require(`${__hooks}/lib/mirror/collections_guard.js`).refuseLoss(e.app, [...e.collectionsData])
  e.next()
})
