/** Why files cannot be had, and what can be wrong with a cart: one class and one code for each cause. */

const NAMED = 20

/** Why a file could not be had: it is not there, nobody asked for it, it is too short, or it has other bytes. */
export type UnavailableCode = 'FILES_MISSING' | 'FILES_EXTRA' | 'FILES_TRUNCATED' | 'FILES_ALTERED'

/** A file that could not be had, and why. */
export interface UnavailableFile {
  /** `<subdir>/<name>`. */
  readonly path: string
  /** In words: `it has 3 bytes, the event says 10`. */
  readonly reason: string
  /** The same, for programs. */
  readonly code: UnavailableCode
}

/** Some of an event's files are missing or are not what the event says; all are named at once. */
export class FilesUnavailableError extends Error {
  override readonly name: string = 'FilesUnavailableError'
  /** `FILES_UNAVAILABLE` when the files have several causes. */
  readonly code: UnavailableCode | 'FILES_UNAVAILABLE' = 'FILES_UNAVAILABLE'
  /** Every file at fault, in the order in which they were found out; the message names the first 20. */
  readonly files: readonly UnavailableFile[]

  /** @param from the folder or service that was to have them */
  constructor(from: string, files: readonly UnavailableFile[]) {
    const named = files.slice(0, NAMED).map(({ path, reason }) => `${path}: ${reason}`)
    if (files.length > NAMED) named.push(`and ${files.length - NAMED} more`)
    super(`${files.length} of the event's files cannot be had from ${from}: ${named.join('; ')}`)
    this.files = files
  }
}

/** They are not there at all. */
export class FilesMissingError extends FilesUnavailableError {
  override readonly name = 'FilesMissingError'
  override readonly code = 'FILES_MISSING'
}

/** They came, and nobody asked for them. */
export class FilesExtraError extends FilesUnavailableError {
  override readonly name = 'FilesExtraError'
  override readonly code = 'FILES_EXTRA'
}

/** They are shorter than the event says. */
export class FilesTruncatedError extends FilesUnavailableError {
  override readonly name = 'FilesTruncatedError'
  override readonly code = 'FILES_TRUNCATED'
}

/** They have other bytes than the event says: longer, or with another hash. */
export class FilesAlteredError extends FilesUnavailableError {
  override readonly name = 'FilesAlteredError'
  override readonly code = 'FILES_ALTERED'
}

const CLASSES = {
  FILES_MISSING: FilesMissingError,
  FILES_EXTRA: FilesExtraError,
  FILES_TRUNCATED: FilesTruncatedError,
  FILES_ALTERED: FilesAlteredError,
}

/** The class of their common cause; `FilesUnavailableError` itself for several causes. */
export function unavailable(
  from: string,
  files: readonly UnavailableFile[],
): FilesUnavailableError {
  const [code, ...more] = new Set(files.map((file) => file.code))
  const Cause = code === undefined || more.length > 0 ? FilesUnavailableError : CLASSES[code]
  return new Cause(from, files)
}

/** A name of the event's cannot be given to a file: taken twice, or there already with other content. */
export class FileNameTakenError extends Error {
  override readonly name = 'FileNameTakenError'
  readonly code = 'FILE_NAME_TAKEN'
  /** `<subdir>/<name>`. */
  readonly path: string

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`)
    this.path = path
  }
}

/** More bytes than `maxBytes`. Both numbers are in bytes. */
export class DownloadTooLargeError extends Error {
  override readonly name = 'DownloadTooLargeError'
  readonly code = 'DOWNLOAD_TOO_LARGE'
  /** How many there are, or had come when the limit was met. */
  readonly bytes: number
  /** How many were allowed. */
  readonly maxBytes: number

  constructor(bytes: number, maxBytes: number, what: string) {
    super(`${what} ${bytes} bytes, and at most ${maxBytes} are allowed`)
    this.bytes = bytes
    this.maxBytes = maxBytes
  }
}

/** Cartd gave up on the cart. */
export class CartFailedError extends Error {
  override readonly name = 'CartFailedError'
  readonly code = 'CART_FAILED'
  /** Its uuid. */
  readonly cart: string

  constructor(cart: string, reason: string) {
    super(`Cartd could not make cart ${cart}: ${reason || 'it gave no reason'}`)
    this.cart = cart
  }
}

/** Cartd knows nothing of a cart that it had accepted. */
export class CartUnknownError extends Error {
  override readonly name = 'CartUnknownError'
  readonly code = 'CART_UNKNOWN'
  /** Its uuid. */
  readonly cart: string

  constructor(cart: string, url: URL | string) {
    super(`Cartd does not know cart ${cart} any more (404 from ${url})`)
    this.cart = cart
  }
}

/** The tar of a cart ended too soon or is no tar. Files that had come whole stay. */
export class CartBrokenError extends Error {
  override readonly name = 'CartBrokenError'
  readonly code = 'CART_BROKEN'

  constructor(bytes: number, where: string, cause: Error, also = '') {
    super(`the cart's tar broke off after ${bytes} bytes${where}: ${cause.message}${also}`, {
      cause,
    })
  }
}

/** A cart holds what must not be unpacked: a link, a device, or a name that leaves its folder. */
export class CartMemberError extends Error {
  override readonly name = 'CartMemberError'
  readonly code = 'CART_MEMBER'
  /** As the tar has it. */
  readonly member: string

  constructor(member: string, reason: string) {
    super(`the cart was refused: ${JSON.stringify(member)} ${reason}`)
    this.member = member
  }
}
