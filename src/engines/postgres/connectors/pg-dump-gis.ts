import { archiveConnector } from '../archive-connector.js'
import { archiveRestoreWithExtensions } from '../archive-restore.js'

/**
 * pg_dump's custom format for databases with PostGIS: its extensions are made before the restore, with the admin account where
 * one is configured, so that an ordinary user can restore the rest.
 */
export const pgDumpGis = archiveConnector('pg-dump-gis', archiveRestoreWithExtensions)
