/** Who may use the dispatcher's API: whoever shows one of the tokens of API_TOKENS, the same as for notifications. */
import {
  type ApiSecurity,
  type ApiToken,
  bearerToken,
  knownSecrets,
  NOBODY,
  readApiTokens,
} from '@pacifica/platform'
import type { DispatcherConfig } from './config.ts'

/** No token, or none that we know: 401. */
export class TokenError extends Error {
  readonly code = 'TOKEN'
  readonly challenge = 'Bearer realm="dispatcher"'
}

/** @throws TokenError */
export type Guard = (request: {
  readonly headers: { readonly authorization?: string | undefined }
}) => void

/** Undefined where everybody who reaches the port may ask. */
export function guardOf({ apiTokens }: Pick<DispatcherConfig, 'apiTokens'>): Guard | undefined {
  if (apiTokens === undefined || apiTokens === 'off') return undefined
  return tokenGuard(readApiTokens(apiTokens))
}

export function tokenGuard(tokens: readonly ApiToken[]): Guard {
  const known = knownSecrets(tokens.map((value) => ({ secret: value.token, value })))
  return ({ headers: { authorization } }) => {
    const shown = bearerToken(authorization)
    if (shown === undefined)
      throw new TokenError('show one of the tokens of API_TOKENS: Authorization: Bearer TOKEN')
    if (known.find(shown) === undefined) throw new TokenError('the bearer token is not known here')
  }
}

export function dispatcherSecurity(guard: Guard | undefined): ApiSecurity {
  const description = 'One of the tokens of API_TOKENS.'
  return {
    schemes: { token: { type: 'http', scheme: 'bearer', description } },
    of: () => (guard === undefined ? [NOBODY, 'token'] : ['token']),
  }
}
