/** Which database URLs are taken, and what to do about the others. No message holds the password. */

export class DatabaseUrlError extends Error {
  readonly code = 'DATABASE_URL'
}

/** `postgresext` and `+pool` are what the Python services' configurations hold. */
const POSTGRESQL = /^postgres(ql|ext|qlext)?(\+\w+)?:/i
const WHAT_TO_DO =
  'Use postgresql://user:password@host:5432/database, or give no URL at all: the database is then embedded in DATA_DIR.'

/** The URL as `pg` understands it. */
export function serverUrl(url: string): URL {
  if (!POSTGRESQL.test(url)) {
    const scheme = /^[\w+.-]{1,30}(?=:)/.exec(url)?.[0]
    const problem = scheme ? `begins with "${scheme}:", but only PostgreSQL will do` : 'is none'
    throw new DatabaseUrlError(`The database URL ${problem}. ${WHAT_TO_DO}`)
  }
  const normal = url.replace(POSTGRESQL, 'postgresql:')
  // The original error would show the whole text.
  if (!URL.canParse(normal))
    throw new DatabaseUrlError(`The database URL cannot be read. ${WHAT_TO_DO}`)
  return new URL(normal)
}

/** For people: where it is, without user and password. */
export function placeOf(url: URL): string {
  const host = url.hostname || url.searchParams.get('host') || 'localhost'
  return `${host}:${url.port || 5432}${url.pathname}`
}
