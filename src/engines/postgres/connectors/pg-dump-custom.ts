import { archiveConnector } from '../archive-connector.js'
import { archiveRestore } from '../archive-restore.js'

/** pg_dump's custom format, restored by pg_restore. */
export const pgDumpCustom = archiveConnector('pg-dump-custom', archiveRestore)
