/**
 * Takes secrets out of whatever is about to be logged. Two nets: members whose name says that they are secret, at
 * any depth that is logged; and `user:password@` in any text of the finished line.
 */
import { remembered } from '../remembered.ts'

const SECRET =
  /^(proxy-?)?authorization$|^auth$|passw(or)?d|passphrase|secret|token|credential|cookie|api-?_?key|private-?_?key/i
const CREDENTIALS_IN_URL = /(\b[a-z][a-z0-9+.-]*:\\?\/\\?\/)[^\s"\\/?#]*@/gi
const MASK = '***'
const MAX_DEPTH = 8
/** The names of members are few, and each is looked at with every line. */
const isSecretName = remembered(1_000, (name) => SECRET.test(name))

/** A copy of `value` in which secret members read `***`; what holds no secret comes back as it is. */
export function redact(value: Record<string, unknown>): Record<string, unknown> {
  return redactObject(value, 0)
}

/** `amqp://user:pass@host` → `amqp://***@host`, wherever it stands in the text. */
export function maskCredentials(text: string): string {
  return text.includes('@') ? text.replace(CREDENTIALS_IN_URL, `$1${MASK}@`) : text
}

function redactObject(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const [name, member] of Object.entries(value)) {
    const clean = isSecretName(name) && isSecretValue(member) ? MASK : redactAny(member, depth + 1)
    if (clean === member) continue
    copy ??= { ...value }
    copy[name] = clean
  }
  return copy ?? value
}

function redactAny(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) return '[too deep to log]'
  if (Array.isArray(value)) return redactArray(value, depth)
  return isPlain(value) ? redactObject(value, depth) : value
}

function redactArray(value: unknown[], depth: number): unknown[] {
  const copy = value.map((item) => redactAny(item, depth + 1))
  return copy.some((item, index) => item !== value[index]) ? copy : value
}

/** A count of tokens or `hasSecret: true` gives nothing away. */
function isSecretValue(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null)
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
