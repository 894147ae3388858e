/**
 * The file of the keys that seal secrets: one key a line, 32 bytes in base64; blank lines and `#` comments are passed
 * over. The first key seals, all of them open. To rotate, put a new line first (`openssl rand -base64 32`), and drop
 * the old one when nothing is sealed with it any more.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { SecretKey } from './secret-box.ts'

const KEY_BYTES = 32

/** The key file cannot be used; says why and what to do, never what it holds. */
export class KeyFileError extends Error {
  readonly code = 'KEY_FILE'
}

/**
 * Reads the keys; where there is no file, makes one (0600, its folder 0700) with a new key. Processes that start at
 * once agree on one key.
 * @throws KeyFileError
 */
export function loadOrCreateKeyFile(path: string): [SecretKey, ...SecretKey[]] {
  const text = readPrivate(path) ?? create(path)
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const keys = lines.flatMap((line, index) =>
    line === '' || line.startsWith('#') ? [] : [parseKey(line, `${path}, line ${index + 1}`)],
  )
  const [first, ...others] = keys
  if (first === undefined)
    throw new KeyFileError(`${path} holds no key: restore it, or remove it to start with a new key`)
  return [first, ...others]
}

function readPrivate(path: string): string | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      refuseShared(path, fstatSync(file), process.getuid?.())
      return readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    if (cause instanceof KeyFileError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new KeyFileError(`${path} cannot be read (${code})`, { cause })
  }
}

/**
 * As ssh does, only of a file that is ours: somebody else's was put here, as a container's secret is, by who has seen to
 * who can read it, and we could not change its mode. Exported for its test.
 */
export function refuseShared(
  path: string,
  { mode: bits, uid }: { readonly mode: number; readonly uid: number },
  us: number | undefined,
): void {
  const mode = bits & 0o777
  if ((mode & 0o077) === 0 || process.platform === 'win32') return
  if (uid !== us) return
  throw new KeyFileError(
    `${path} can be read by others (mode ${mode.toString(8)}): chmod 600 ${path}`,
  )
}

/** Written aside and linked into place: nobody ever reads half a key, and the first of several wins. */
function create(path: string): string {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeDurably(aside, `${randomBytes(KEY_BYTES).toString('base64')}\n`)
    linkSync(aside, path)
    syncFolder(dirname(path))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EEXIST')
      throw new KeyFileError(`no key file could be made at ${path} (${code})`, { cause })
  } finally {
    unlinkIfThere(aside)
  }
  return readPrivate(path) ?? ''
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function parseKey(line: string, where: string): SecretKey {
  const key = Buffer.from(line, 'base64')
  if (
    key.length !== KEY_BYTES ||
    key.toString('base64').replace(/=+$/, '') !== line.replace(/=+$/, '')
  )
    throw new KeyFileError(
      `${where}: a key is ${KEY_BYTES} bytes in base64 (openssl rand -base64 ${KEY_BYTES})`,
    )
  const id = createHash('sha256').update('pacifica key id').update(key).digest('hex').slice(0, 8)
  return { id, key }
}
