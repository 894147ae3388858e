/** Who may ask what, as OpenAPI tells it: https://spec.openapis.org/oas/v3.1.0#security-scheme-object */

export type SecurityScheme = { readonly description: string } & (
  | { readonly type: 'apiKey'; readonly in: 'header'; readonly name: string }
  | { readonly type: 'http'; readonly scheme: 'basic' | 'bearer' }
)

export interface ApiSecurity {
  readonly schemes: Readonly<Record<string, SecurityScheme>>
  /** The names of the schemes that a route takes, one of which is enough; `nobody` when it may be asked without. */
  readonly of: (path: string) => readonly string[]
}

/** In a list of schemes: nothing has to be shown. */
export const NOBODY = 'nobody'

/** Open to everybody who reaches the port. */
const OPERATIONS = ['/healthz', '/readyz', '/metrics']

export function securityOf(security: ApiSecurity, path: string): Record<string, string[]>[] {
  if (OPERATIONS.includes(path)) return []
  return security.of(path).map((name) => (name === NOBODY ? {} : { [name]: [] }))
}
