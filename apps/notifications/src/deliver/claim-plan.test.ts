/**
 * What a claim costs does not grow with a backlog: on PostgreSQL, by the pages that the plan really touches, with 1 000 and
 * with 100 000 deliveries due to a subscription that is full, beside others that have something due; planned for its values
 * and, as it is prepared, for any.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  emptyTables,
  fillDue,
  type MigratedDatabase,
  openMigrated,
} from '../../../../test/harness/index.ts'
import { CLAIM } from './claim-statement.ts'
import { followAll } from './lanes.ts'

const [few, many] = [1_000, 100_000]
/** limit, lease, how old a yes may be, caps of a subscription, a host, a user, whether dispatches go out, who claims */
const values = `64, 60000, 600000, 8, 32, 32, true, gen_random_uuid(), '{}', '{}', '{}'`

let home: MigratedDatabase
beforeAll(async () => {
  home = await openMigrated('postgresql', 'notifications')
}, 300_000)
afterAll(() => home?.close())

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly Plan[]
}

const MODES = ['force_custom_plan', 'force_generic_plan'] as const
type Mode = (typeof MODES)[number]

/** A claim that is rolled back: pages touched, rows of `delivery` read, and tables that were read from end to end. */
async function cost(mode: Mode) {
  let plan: Plan | undefined
  const undone = new Error('undone')
  await home.database
    .transaction(async (sql) => {
      await sql.query(`SET LOCAL plan_cache_mode = ${mode}`)
      await sql.query(`PREPARE claim AS ${CLAIM}`)
      const explain = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE claim (${values})`
      const rows = await sql.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(explain)
      await sql.query('DEALLOCATE claim')
      plan = rows[0]?.['QUERY PLAN'][0]?.Plan
      throw undone
    })
    .catch((error) => expect(error).toBe(undone))
  if (plan === undefined) throw new Error('there is no plan')
  const pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
  const open = [plan]
  const scanned: string[] = []
  let rows = 0
  for (const node of open) {
    open.push(...(node.Plans ?? []))
    const relation = node['Relation Name']
    if (relation !== 'delivery' || node['Node Type'] === 'ModifyTable') continue
    if (node['Node Type'] === 'Seq Scan') scanned.push(relation)
    rows += (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
  }
  return { pages, rows, scanned }
}

async function costs() {
  const [custom, generic] = [await cost(MODES[0]), await cost(MODES[1])]
  return { [MODES[0]]: custom, [MODES[1]]: generic } as Record<
    Mode,
    Awaited<ReturnType<typeof cost>>
  >
}

/** Eight of the backlog are in flight; of 20 others one delivery each is due. */
async function prepare(backlog: number, attempt: number) {
  const { database } = home
  await emptyTables(database)
  await fillDue(database, { name: 'hanging', count: backlog, attempt, user: 'unlucky' })
  for (let n = 0; n < 20; n += 1)
    await fillDue(database, { name: `other${n}`, count: 1, user: `u${n}` })
  await followAll(database)
  await database.query('VACUUM ANALYZE')
}

const fillLane = `
  UPDATE delivery SET state = 'delivering', due = now() + interval '1 minute' WHERE uuid IN (
    SELECT uuid FROM delivery WHERE subscription = md5('hanging')::uuid ORDER BY due LIMIT 8)`

test.each([
  ['first attempts', 0],
  ['retries', 1],
])(
  'a claim beside a backlog of %s',
  async (_name, attempt) => {
    await prepare(few, attempt)
    const small = await costs()
    await home.database.query(fillLane)
    const smallFull = await costs()
    await prepare(many, attempt)
    const large = await costs()
    await home.database.query(fillLane)
    const largeFull = await costs()
    for (const mode of MODES) {
      const all = [small, smallFull, large, largeFull].map((each) => each[mode])
      expect(all.flatMap(({ scanned }) => scanned)).toEqual([])
      // The indexes of the larger table are a level or two higher: some pages more for each row that is touched.
      expect(large[mode].rows).toBeLessThanOrEqual(small[mode].rows + 20)
      expect(largeFull[mode].rows).toBeLessThanOrEqual(smallFull[mode].rows + 20)
      expect(large[mode].rows).toBeLessThan(500)
      expect(large[mode].pages).toBeLessThan(small[mode].pages * 2)
      expect(largeFull[mode].pages).toBeLessThan(smallFull[mode].pages * 2)
    }
  },
  300_000,
)
