/** A name leads out of the folder that it must stay in. Nothing was read or written. */
export class WorkspaceEscapeError extends Error {
  override readonly name = 'WorkspaceEscapeError'
  readonly code = 'WORKSPACE_ESCAPE'
  /** The name as it was given. */
  readonly path: string

  constructor(path: string, reason: string) {
    super(`${JSON.stringify(path)} ${reason}; nothing outside the task's folder may be named`)
    this.path = path
  }
}

/** Something in the folder cannot go into a bundle. */
export class BundleEntryError extends Error {
  override readonly name = 'BundleEntryError'
  readonly code = 'BUNDLE_ENTRY'
  /** Relative to the folder. */
  readonly path: string

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${JSON.stringify(path)} cannot be bundled: ${reason}`, options)
    this.path = path
  }
}

/**
 * A file was written to while it was bundled: whoever writes it must finish before the upload begins.
 * A handler that gets it has left something running that still writes.
 */
export class BundleFileChangedError extends Error {
  override readonly name = 'BundleFileChangedError'
  readonly code = 'BUNDLE_FILE_CHANGED'
  /** Relative to the folder. */
  readonly path: string

  constructor(path: string, change: string) {
    super(`${JSON.stringify(path)} changed while it was read: ${change}`)
    this.path = path
  }
}

/** The thread that reads a bundle's files ended before it was done, and gave no reason. */
export class BundleThreadEndedError extends Error {
  override readonly name = 'BundleThreadEndedError'
  readonly code = 'BUNDLE_THREAD_ENDED'

  constructor(done: number, files: number) {
    super(`reading stopped after ${done} of ${files} files; the process may be out of memory`)
  }
}
