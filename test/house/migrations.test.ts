/**
 * Processes of the last version go on while those of the next one start, so a migration only adds. Those of
 * before the first release are left out: they ran on nobody's tables but a test's.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './imports.ts'

const BEFORE_THE_FIRST_RELEASE = [
  '20200101000000_python_schema_3_0',
  '20261122000000_events_deliveries_attempts',
  '20261122000000_tasks',
  '20261122050000_eventlogmatch_times',
  '20261122t_event_state',
]

const BREAKING = [
  [/\bDROP\s+(TABLE|COLUMN|VIEW|TYPE)\b/i, 'drops what an older process may use'],
  [/\bRENAME\b/i, 'renames what an older process may use'],
  [/\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b/i, 'changes the type of a column'],
  [
    /\bADD\s+COLUMN\b(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i,
    'adds a column that must be given',
  ],
  [
    /\bALTER\s+COLUMN\s+(\S+)\s+SET\s+NOT\s+NULL\b(?![^;]*\1\s+SET\s+DEFAULT)/i,
    'makes a column needed',
  ],
] as const

/** What an older process would not survive. */
function breaking(sql: string): string[] {
  const text = sql.replace(/--.*$/gm, '')
  return BREAKING.flatMap(([pattern, why]) => (pattern.test(text) ? [why] : []))
}

test.each(['notifications', 'dispatcher'])('the migrations of %s only add', async (service) => {
  const folder = join(ROOT, 'prisma', service, 'migrations')
  const names = (await readdir(folder)).filter((name) => /^\d/.test(name))
  expect(names.filter((name) => BEFORE_THE_FIRST_RELEASE.includes(name))).not.toEqual([])
  for (const name of names.filter((one) => !BEFORE_THE_FIRST_RELEASE.includes(one))) {
    const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8')
    expect([name, breaking(sql)]).toEqual([name, []])
  }
})

test.each([
  ['ALTER TABLE "t" DROP COLUMN "a";', 1],
  ['ALTER TABLE "t" RENAME COLUMN "a" TO "b";', 1],
  ['ALTER TABLE "t" ALTER COLUMN "a" TYPE TEXT;', 1],
  ['ALTER TABLE "t" ADD COLUMN "a" TEXT NOT NULL, ADD COLUMN "b" TEXT DEFAULT \'\';', 1],
  ['ALTER TABLE "t" ALTER COLUMN "a" SET NOT NULL;', 1],
  ['ALTER TABLE "t" ALTER COLUMN "a" SET NOT NULL, ALTER COLUMN "a" SET DEFAULT 1;', 0],
  [
    'ALTER TABLE "t" ADD COLUMN "a" TEXT NOT NULL DEFAULT \'\'; CREATE TABLE "u" (x INT NOT NULL);',
    0,
  ],
  ['DROP INDEX "i"; -- DROP TABLE "t"', 0],
])('%s is found out, or is harmless', (sql, count) => {
  expect(breaking(sql)).toHaveLength(count)
})
