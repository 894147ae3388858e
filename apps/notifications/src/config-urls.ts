/** The database URL that existing sites have in a form that is not ours: what is taken, and what to do about the rest. */
import type { Kind, Parsed } from '@pacifica/platform'

type Advice = readonly (readonly [scheme: RegExp, advice: string])[]

const POSTGRESQL = /^postgres(ql|ext|qlext)?(\+\w+)?:\/\//i
const DATABASE = 'postgresql://user:password@host:5432/database'
const NO_DATABASE: Advice = [
  [
    /^(apsw|sqlite)/i,
    `SQLite is not used: name a PostgreSQL database (${DATABASE}), or remove the line to have an embedded one in DATA_DIR; "switch from the Python service" in the guides says how to take the rows along`,
  ],
  [
    /^mysql|^mariadb/i,
    `MySQL is not used: name a PostgreSQL database (${DATABASE}); "switch from the Python service" in the guides says how to take the rows along`,
  ],
]

/** What peewee's URLs for PostgreSQL look like is taken too: `postgres://`, `postgresql+pool://`, `postgresext://`. */
export const databaseUrl: Kind<string> = {
  expects: DATABASE,
  parse(text) {
    if (POSTGRESQL.test(text) && URL.canParse(text.replace(POSTGRESQL, 'postgresql://')))
      return { value: text }
    return refuse(text, NO_DATABASE)
  },
}

function refuse(text: string, known: Advice): Parsed<never> {
  const advice = known.find(([scheme]) => scheme.test(text))?.[1]
  return advice === undefined ? { wrong: undefined } : { wrong: undefined, advice }
}
