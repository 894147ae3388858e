/** Holds real replies against a service's own OpenAPI description. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

interface Operation {
  readonly security?: readonly Record<string, string[]>[]
  readonly summary?: string
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>
}

interface ApiDocument {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly securitySchemes?: Record<string, object> }
}

export interface Described {
  readonly document: ApiDocument
  /** Every operation: `GET /events/{uuid}`. */
  readonly operations: readonly string[]
  /** Operations and statuses that a reply was held against so far: `GET /events/{uuid} 200`. */
  readonly seen: ReadonlySet<string>
  /** Operations without a summary, or whose success has no description of its own. */
  readonly incomplete: readonly string[]
  /** Asks, and throws when the description does not know the status, or the body is not what it says. */
  ask(operation: string, url: string, init?: RequestInit): Promise<Response>
}

export class UndescribedReplyError extends Error {}

/** Reads `/docs/json` of a running service. */
export async function describedApi(base: string): Promise<Described> {
  const document = (await (await fetch(`${base}/docs/json`)).json()) as ApiDocument
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const operations = new Map<string, Operation>()
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods))
      operations.set(`${method.toUpperCase()} ${path}`, operation)
  const seen = new Set<string>()
  return {
    document,
    operations: [...operations.keys()],
    seen,
    incomplete: [...operations].filter(([, { summary }]) => !summary).map(([name]) => name),
    async ask(name, url, init = {}) {
      const [method] = name.split(' ')
      const answer = await fetch(`${base}${url}`, { ...init, ...(method && { method }) })
      const text = await answer.clone().text()
      const documented = operations.get(name)?.responses[String(answer.status)]
      if (documented === undefined)
        throw new UndescribedReplyError(`${name} answered ${answer.status}, undescribed: ${text}`)
      seen.add(`${name} ${answer.status}`)
      const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? ''
      const schema = documented.content?.['application/json']?.schema
      if (schema === undefined || type !== 'application/json') return answer
      if (!ajv.validate({ ...schema, components: document.components }, JSON.parse(text)))
        throw new UndescribedReplyError(
          `${name} ${answer.status}: ${ajv.errorsText()}\nin ${text.slice(0, 1_000)}`,
        )
      return answer
    },
  }
}
