const NAMED = 20

/** A file that could not be had, and why. */
export interface UnavailableFile {
  readonly path: string
  readonly reason: string
}

/** Some of an event's files are missing or are not what the event says; all are named at once. */
export class FilesUnavailableError extends Error {
  override readonly name = 'FilesUnavailableError'
  readonly code = 'FILES_UNAVAILABLE'
  readonly files: readonly UnavailableFile[]

  constructor(folder: string, files: readonly UnavailableFile[]) {
    const named = files.slice(0, NAMED).map(({ path, reason }) => `${path}: ${reason}`)
    if (files.length > NAMED) named.push(`and ${files.length - NAMED} more`)
    super(`${files.length} of the event's files cannot be had from ${folder}: ${named.join('; ')}`)
    this.files = files
  }
}
