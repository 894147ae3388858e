/** Why an event could not even be spooled: the only reasons for POST /receive to answer 503. */

/** As much waits as SPOOL_MAX allows. */
export class SpoolFullError extends Error {
  readonly code = 'SPOOL_FULL'
  readonly retryAfterS = 60
  constructor() {
    super(
      'the event was not accepted: the database is away, and the spool is full; send it again later',
    )
  }
}

/** The disk refused. */
export class SpoolUnwritableError extends Error {
  readonly code = 'SPOOL_UNWRITABLE'
  readonly retryAfterS = 60
  constructor(cause: unknown) {
    super(
      'the event was not accepted: the database is away, and the spool cannot be written; send it again later',
      { cause },
    )
  }
}

/** Said at the start. */
export class SpoolFolderError extends Error {
  readonly code = 'SPOOL_FOLDER'
  constructor(folder: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `${folder}, where events are kept while the database is away, cannot be used (${reason}): ` +
        'set DATA_DIR to a folder that this service may write to',
      { cause },
    )
  }
}

/** What stands in a spool file is not what was written. */
export class SpoolFileError extends Error {
  readonly code = 'SPOOL_FILE'
}
