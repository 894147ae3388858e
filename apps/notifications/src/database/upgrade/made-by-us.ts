/** What our migrations added to the Python service's tables, read out of the migrations themselves. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIGRATIONS, PYTHON_SCHEMA } from '../migrations.ts'

export interface MadeByUs {
  /** Names of all migrations, the Python schema's included. */
  readonly migrations: readonly string[]
  readonly tables: readonly string[]
  readonly functions: readonly string[]
  /** Some may have gone since. */
  readonly columns: readonly { readonly table: string; readonly column: string }[]
}

export async function readMadeByUs(): Promise<MadeByUs> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true })
  const migrations = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const ours = migrations.filter((name) => name !== PYTHON_SCHEMA)
  const texts = await Promise.all(
    ours.map((name) => readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8')),
  )
  return { migrations, ...madeBy(texts.join('\n')) }
}

/** Exported for its test. */
export function madeBy(script: string): Omit<MadeByUs, 'migrations'> {
  const statements = script.replaceAll(/--.*/g, '').split(';')
  const created = (what: RegExp) =>
    statements.flatMap((text) => {
      const name = what.exec(text)?.[1]
      return name === undefined ? [] : [name]
    })
  const tables = created(/^\s*CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)/i)
  const functions = created(/^\s*CREATE FUNCTION "?(\w+)/i)
  const columns = statements.flatMap((text) => {
    const table = /^\s*ALTER TABLE (?:ONLY )?"?(\w+)/i.exec(text)?.[1]
    if (table === undefined || tables.includes(table)) return []
    const added = text.matchAll(/\bADD COLUMN (?:IF NOT EXISTS )?"?(\w+)/gi)
    return [...added].map(([, column = '']) => ({ table, column }))
  })
  return { tables, functions, columns }
}
