/**
 * Files of static credentials, which both services read. One entry a line, words separated by blanks; blank lines and `#` comments are passed
 * over.
 */
import { readFileSync } from 'node:fs'

export interface ApiToken {
  readonly token: string
  readonly user: string
  readonly admin: boolean
}

/** What may be shown at POST /receive. */
export type ReceiveCredential =
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }

/** A file of credentials cannot be used; names the line, never what stands in it. */
export class CredentialFileError extends Error {
  readonly code = 'CREDENTIAL_FILE'
}

/**
 * API_TOKENS: `token user`, or `token user admin`.
 * @throws CredentialFileError
 */
export function readApiTokens(path: string): ApiToken[] {
  return readEntries(path, '"token user" or "token user admin"', ([token, user, role, ...rest]) => {
    const isRole = role === undefined || role === 'admin'
    if (!token || !user || !isRole || rest.length > 0) return undefined
    return { token, user, admin: role === 'admin' }
  })
}

/**
 * RECEIVE_AUTH: `bearer token` or `basic user password`.
 * @throws CredentialFileError
 */
export function readReceiveCredentials(path: string): ReceiveCredential[] {
  return readEntries(
    path,
    '"bearer token" or "basic user password"',
    ([scheme, first, second, ...rest]) => {
      if (!first || rest.length > 0) return undefined
      if (scheme === 'bearer' && second === undefined) return { scheme, token: first }
      if (scheme === 'basic' && second !== undefined)
        return { scheme, user: first, password: second }
      return undefined
    },
  )
}

function readEntries<T>(
  path: string,
  form: string,
  parse: (words: string[]) => T | undefined,
): T[] {
  const lines = read(path)
    .split(/\r?\n/)
    .map((line) => line.trim())
  const entries = lines.flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return []
    const entry = parse(line.split(/\s+/))
    if (entry === undefined)
      throw new CredentialFileError(`${path}, line ${index + 1}: write ${form}`)
    return [entry]
  })
  if (entries.length === 0)
    throw new CredentialFileError(`${path} holds no entry: write ${form}, one a line`)
  return entries
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new CredentialFileError(`${path} cannot be read (${code})`, { cause })
  }
}

/** The token of an `Authorization: Bearer` header; undefined when the header is another one, or none. */
export function bearerToken(authorization: string | string[] | undefined): string | undefined {
  return /^bearer +(.*)$/i.exec(String(authorization))?.[1]?.trim()
}
