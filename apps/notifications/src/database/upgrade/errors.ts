/** What `dbsync` and a start say when a database is not what they can use: each in one line, with what to do. */

/** A start finds the tables of the Python service. */
export class PythonTablesError extends Error {
  readonly code = 'TABLES_OF_PYTHON'
  constructor() {
    super(
      'The database holds the tables of the Python service: stop that service, then run pacifica-notifications-cmd dbsync',
    )
  }
}

/** A start is told not to migrate. */
export class MigrationsPendingError extends Error {
  readonly code = 'MIGRATIONS_PENDING'
  constructor(pending: readonly string[]) {
    super(
      `The database lacks ${pending.length} migrations (${pending.join(', ')}) and MIGRATE_AT_START is no: run pacifica-notifications-cmd dbsync`,
    )
  }
}

/** The tables cannot be upgraded, or not be given back. Nothing was changed. */
export class UpgradeError extends Error {
  readonly code = 'UPGRADE'
}
