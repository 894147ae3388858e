/**
 * What becomes of one subscription of the Python service: pure. What we would read otherwise than Python did is made
 * explicit here, and what we refuse is disabled with the reason, so that nothing fails only at its first delivery.
 */
import { JsonPathLimitError, JsonPathSyntaxError } from '@pacifica/jsonpath'
import { type Auth, authorizationHeader, UnusableAuthError } from '../../subscriptions/secrets.ts'
import { compileSubscription } from '../../subscriptions/subscription.ts'

/** A row of `eventmatch` as it is; columns that an old schema lacks are missing. */
export interface PythonSubscription {
  readonly uuid: string
  readonly name: string
  readonly user: string
  readonly jsonpath: string
  readonly target_url: string
  readonly version?: string | null
  readonly extensions?: string | null
  readonly auth?: string | null
  readonly error?: string | null
  readonly disabled?: unknown
  readonly deleted?: unknown
}

export interface UpgradedSubscription {
  readonly uuid: string
  readonly targetUrl: string
  readonly version: 'v0.1' | 'v1.0'
  readonly extensions: string
  /** Its secrets still plain. */
  readonly auth: Auth
  /** Why it is disabled now; undefined when it stays as it was. */
  readonly refused: string | undefined
  /** For whoever runs the upgrade. */
  readonly notes: readonly string[]
}

export function upgradeSubscription(row: PythonSubscription): UpgradedSubscription {
  const notes: string[] = []
  const refusals: (string | undefined)[] = []
  const read = <T>(result: Read<T>): T => {
    refusals.push(result.refused)
    if (result.note !== undefined) notes.push(result.note)
    return result.value
  }
  const extensions = read(readExtensions(row.extensions))
  const stored = read(readAuth(row.auth))
  const target = read(readTarget(row.target_url, stored))
  const version = read(readVersion(row.version))
  read(readExpression(row.jsonpath))
  const reasons = refusals.filter((reason) => reason !== undefined)
  const refused = reasons.length === 0 || row.deleted ? undefined : reasons.join('; ')
  if (refused !== undefined) notes.push(`disabled: ${refused}`)
  return {
    uuid: row.uuid,
    targetUrl: target.url,
    version,
    extensions,
    auth: target.auth,
    refused,
    notes: row.deleted ? [] : notes,
  }
}

interface Read<T> {
  readonly value: T
  readonly refused?: string | undefined
  readonly note?: string | undefined
}

function readExtensions(text: string | null | undefined): Read<string> {
  if (text === null || text === undefined) return { value: '{}' }
  return isObject(parsed(text))
    ? { value: text }
    : { value: '{}', refused: 'extensions was no JSON object' }
}

/** Python sent an empty text for what is missing in `basic` and `header`, and nothing at all for another type. */
function readAuth(text: string | null | undefined): Read<Auth> {
  if (text === null || text === undefined) return { value: {} }
  const given = parsed(text)
  if (!isObject(given)) return { value: {}, refused: 'auth was no JSON object' }
  const { type } = given
  if (type === 'basic') {
    const { username, password } = members(given['basic'])
    return sendable({ type, basic: { username: word(username), password: word(password) } })
  }
  if (type === 'header') {
    const { type: scheme, credentials } = members(given['header'])
    return sendable({ type, header: { type: word(scheme), credentials: word(credentials) } })
  }
  const note = `auth was of the type ${JSON.stringify(type)}, for which Python sent nothing: emptied`
  return { value: {}, ...(type === undefined ? {} : { note }) }
}

function sendable(auth: Auth): Read<Auth> {
  try {
    authorizationHeader(auth)
    return { value: auth }
  } catch (error) {
    if (error instanceof UnusableAuthError) return { value: auth, refused: error.message }
    throw error
  }
}

/**
 * `user:password@` is refused in our URLs: it moves into `auth`. As in Python's client, it loses to `basic`, wins over
 * `header`, and counts only with a password beside the user.
 */
function readTarget(url: string, auth: Auth): Read<{ url: string; auth: Auth }> {
  const refused = refuseUrl(url)
  if (refused !== undefined) return { value: { url, auth }, refused }
  const parts = new URL(url)
  const user = /^[a-z]+:\/*([^/?#]*)@/i.exec(url.trim())?.[1]
  if (user === undefined) return { value: { url, auth } }
  const [username, password] = [decode(parts.username), decode(parts.password)]
  parts.username = ''
  parts.password = ''
  const bare = { url: parts.href, auth }
  if (!user.includes(':'))
    return {
      value: bare,
      note: 'the user without password was taken out of target_url: it was never sent',
    }
  if (auth.type === 'basic')
    return { value: bare, note: 'the password in target_url was dropped: auth was sent instead' }
  const moved = sendable({ type: 'basic', basic: { username, password } })
  return {
    value: { ...bare, auth: moved.value },
    refused: moved.refused,
    note: 'user and password moved from target_url to auth',
  }
}

function refuseUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return 'target_url is no URL: write http://host/path or https://host/path'
  const { protocol } = new URL(url)
  if (protocol === 'http:' || protocol === 'https:') return undefined
  return `the scheme of target_url is ${protocol.slice(0, -1)}: only http and https are possible`
}

function readVersion(version: string | null | undefined): Read<'v0.1' | 'v1.0'> {
  if (version === 'v0.1' || version === 'v1.0') return { value: version }
  if (version === null || version === undefined) return { value: 'v0.1' }
  return { value: 'v0.1', note: `version was ${JSON.stringify(version)}: it is v0.1 now` }
}

function readExpression(jsonpath: string): Read<undefined> {
  try {
    compileSubscription(jsonpath, 'jsonpath2')
  } catch (error) {
    if (error instanceof JsonPathSyntaxError || error instanceof JsonPathLimitError)
      return { value: undefined, refused: `jsonpath: ${error.message}` }
    throw error
  }
  if (!jsonpath.includes('\\')) return { value: undefined }
  const note = `jsonpath has a backslash: Python took it literally, here it is an escape as in JSON, so other events may match: ${jsonpath}`
  return { value: undefined, note }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}

function word(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
