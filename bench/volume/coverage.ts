/** Which statements of the sources no case has run: found by their text, so that a new one is missed at once. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A statement as it stands in a source: what is filled in at run time is left out. */
export interface Written {
  readonly file: string
  readonly parts: readonly string[]
}

const ROOT = join(import.meta.dirname, '../..')

/**
 * What is not measured, by how the path begins, and why. Everything else that begins like a statement has to be run by
 * a case.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'apps/notifications/src/database/upgrade/': 'dbsync: once, while nothing else runs',
  'apps/notifications/src/database/move.ts': 'dbmove: once, while nothing else runs',
  'apps/notifications/src/database/migrations.ts': "asks PostgreSQL's own tables",
}

const FOLDERS = ['apps/notifications/src', 'apps/dispatcher/src']

export async function writtenStatements(): Promise<Written[]> {
  const written: Written[] = []
  for (const file of await sources()) {
    const source = await readFile(join(ROOT, file), 'utf8')
    written.push(...statementsIn(source).map((parts) => ({ file, parts })))
  }
  return written.sort((a, b) => a.file.localeCompare(b.file))
}

async function sources(): Promise<string[]> {
  const found = await Promise.all(
    FOLDERS.map(async (folder) => {
      const files = await readdir(join(ROOT, folder), { recursive: true })
      return files.map((file) => `${folder}/${file}`)
    }),
  )
  const isElsewhere = (file: string) =>
    Object.keys(ELSEWHERE).some((beginning) => file.startsWith(beginning))
  return found
    .flat()
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|\/generated\//.test(file))
    .filter((file) => !isElsewhere(file))
}

const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm
const LITERAL = /`([^`]*)`|'((?:SELECT|WITH|INSERT|UPDATE|DELETE) [^'\n]*)'/g
/** In capitals, as statements are written here. */
const STATEMENT = /^\s*(SELECT|WITH|INSERT INTO|UPDATE|DELETE FROM) /
/** What is filled in; also what goes on behind a literal within a literal. */
const FILLED_IN = /\$\{[^}]*(\}|$)/
/** Shorter ones are in many statements. */
const SHORTEST = 12

export function statementsIn(source: string): string[][] {
  const statements: string[][] = []
  for (const [, template, quoted] of source.replace(COMMENT, '').matchAll(LITERAL)) {
    const text = template ?? quoted ?? ''
    if (!STATEMENT.test(text)) continue
    const parts = text.split(FILLED_IN).map((part) => flat(part ?? ''))
    const telling = parts.filter((part) => part.length >= SHORTEST)
    if (telling.length > 0) statements.push(telling)
  }
  return statements
}

export function flat(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** Those that are in no statement that was run. */
export function missedBy(run: readonly string[], written: readonly Written[]): Written[] {
  const texts = [...new Set(run.map(flat))]
  return written.filter(
    ({ parts }) => !texts.some((text) => parts.every((part) => text.includes(part))),
  )
}
