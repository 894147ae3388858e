/** `npm run bench:volume` on few rows: every statement of the services is among those that it explains. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Measured } from '../../bench/volume/case.ts'
import { missedBy, statementsIn, writtenStatements } from '../../bench/volume/coverage.ts'
import { sizeFor } from '../../bench/volume/numbers.ts'
import { readOptions, VolumeOptionError } from '../../bench/volume/options.ts'
import { figuresOf } from '../../bench/volume/plan.ts'
import { measurePlans } from '../../bench/volume/plans.ts'
import { measurePurge } from '../../bench/volume/purge.ts'
import { missedText, plansText, preparedText, purgeText } from '../../bench/volume/report.ts'
import { type FilledSite, openFilled } from '../../bench/volume/site.ts'
import { createTestDatabase } from '../harness/index.ts'

const databases: { drop(): Promise<void> }[] = []
let site: FilledSite

beforeAll(async () => {
  const createDatabase = async () => {
    const database = await createTestDatabase()
    databases.push(database)
    return database
  }
  site = await openFilled({ createDatabase }, sizeFor(2_000), () => {})
}, 600_000)

afterAll(async () => {
  await site?.close()
  for (const database of databases) await database.drop()
})

test('every statement of both services is explained, and none of them is an error', async () => {
  const plans = await measurePlans(site, () => {})
  const run = plans.flatMap(({ cases }) => cases.flatMap(textsOf))
  const missed = missedBy(run, await writtenStatements())
  // Add a case for it to bench/volume/cases-*.ts, or say in ELSEWHERE (bench/volume/coverage.ts) why there is none.
  expect(missed).toEqual([])
  expect(missedText(missed)).toContain('Every statement')
  expect(plansText(plans)).toContain('| RETENTION: a batch of 500 events |')
  // What is prepared is explained a second time, by the plan that is kept for it.
  expect(preparedText(plans)).toContain('deliver: claim 50, record them')
}, 600_000)

test('an explained case leaves nothing behind', async () => {
  const count = () =>
    site.notifications.database.query(
      'SELECT count(*) AS events, max(sequence) AS last FROM eventlog',
    )
  const before = await count()
  await measurePlans(site, () => {}, /POST \/receive/)
  const [{ events }] = (await count()) as [{ events: number }]
  expect(events).toBe((before as [{ events: number }])[0].events)
})

test('a purge is timed with the work beside it', async () => {
  const purge = await measurePurge(site.dispatcher, 1)
  expect(purge.rows).toBeGreaterThan(100)
  expect([...purge.during.keys()]).toEqual([...purge.idle.keys()])
  expect(purgeText([purge])).toContain('| accept a task |')
}, 600_000)

test('a statement is found in a source by what stands in it', () => {
  const source = [
    '/** `SELECT in a comment` */',
    'const one = `',
    '  SELECT a, b FROM things',
    '  WHERE $' + '{conditions.join(" AND ")} ORDER BY something`',
    "const two = 'DELETE FROM things WHERE id = $1'",
    'const none = `things WHERE nothing`',
  ].join('\n')
  expect(statementsIn(source)).toEqual([
    ['SELECT a, b FROM things WHERE', 'ORDER BY something'],
    ['DELETE FROM things WHERE id = $1'],
  ])
  const written = statementsIn(source).map((parts) => ({ file: 'a.ts', parts }))
  expect(missedBy(['SELECT a, b FROM things\n WHERE true ORDER BY something'], written)).toEqual([
    written[1],
  ])
})

test('a plan that reads a whole table, or sorts it, is flagged; one that reads a page is not', () => {
  const scan = (rows: number) => ({
    'Node Type': 'Seq Scan',
    'Relation Name': 'things',
    'Actual Rows': 1,
    'Actual Loops': 1,
    'Rows Removed by Filter': rows - 1,
  })
  const flagsOf = (plan: Parameters<typeof figuresOf>[0]['Plan']) =>
    figuresOf({ Plan: plan, 'Planning Time': 1, 'Execution Time': 1 }).flags
  expect(flagsOf(scan(100))).toEqual([])
  expect(flagsOf(scan(20_000))).toEqual(['reads all of things (20 000 rows)'])
  const sorted = { 'Node Type': 'Index Scan', 'Actual Rows': 9_000, 'Actual Loops': 1 }
  expect(flagsOf({ 'Node Type': 'Sort', 'Actual Rows': 100, Plans: [sorted] })).toEqual([
    'sorts 9 000 rows',
  ])
})

test('a prepared statement whose kept plan reads far more is marked', () => {
  const figures = (pages: number) => ({ planMs: 1, ms: 1, pages, shape: 'things_pkey', flags: [] })
  const run = (name: string, generic: number) => ({
    name,
    ...{ first: [], again: [{ text: 'SELECT', figures: figures(7), generic: figures(generic) }] },
  })
  const cases = [run('well', 8), run('few', 99), run('badly', 2_000)]
  const text = preparedText([{ service: 'dispatcher', cases }])
  expect(text).toContain('3 runs, of which 1 read more than 10 times')
  expect(text.match(/\*\*\w+\*\*/g)).toEqual(['**badly**'])
})

test('the size is said by a number', () => {
  expect(readOptions([]).events).toBe(1_000_000)
  expect(readOptions(['5000', '--only', 'GET']).only?.test('GET /events')).toBe(true)
  for (const wrong of [['many'], ['10'], ['5000', '6000']])
    expect(() => readOptions(wrong)).toThrow(VolumeOptionError)
})

function textsOf({ first }: Measured): string[] {
  return first.map(({ text }) => text)
}
