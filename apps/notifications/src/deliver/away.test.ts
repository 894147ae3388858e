/** What cannot be sent, or cannot be recorded, because something of ours is away: nothing is lost, counted or blamed. */
import type { Transport } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ENGINES } from '../../../../test/harness/index.ts'
import { ACCEPTED, openScene, REFUSED, type Scene, YES } from '../../../../test/harness/scene.ts'
import { quietWorker } from '../../../../test/harness/worker.ts'
import { type ClaimedDelivery, lookAtDue } from './claim.ts'
import type { Outcome } from './delivery.ts'
import { dispatchTarget } from './dispatch-target.ts'
import { followAll } from './lanes.ts'
import { type Result, recordResults } from './record.ts'
import type { Target } from './target.ts'

const minute = 60_000
const gone = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

interface Trying {
  readonly target: Target
  readonly record: (result: Result) => Promise<boolean>
  readonly abandoning?: AbortSignal
}

/** Sends it to the target; answers what went wrong. */
function attempt(delivery: ClaimedDelivery, { target, ...trying }: Trying): Promise<unknown[]> {
  return quietWorker([delivery], { targetFor: () => target, ...trying }).run()
}

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())
  beforeEach(() => scene.empty())

  /** A subscription with one delivery that is due. */
  async function due(name: string, targetUrl: string): Promise<string> {
    const { uuid } = await scene.subscribe(name, 'ann', { targetUrl })
    await scene.accept(scene.anEvent(name))
    await scene.match()
    await scene.answer(YES)
    await followAll(scene.sql)
    return uuid
  }

  const claim = (dispatching: boolean) =>
    lookAtDue(scene.sql, { limit: 64, leaseMs: minute, policyTtlMs: minute, dispatching })

  const record = async (result: Result) =>
    (await recordResults(scene.sql, [result])).has(result.delivery.uuid)

  async function book(subscription: string) {
    const [row] = await scene.sql.query<object>(
      `SELECT d.state, d.attempt, d.reason, d.due IS NOT NULL AS is_due,
         m.failing_since, m.disabled, (SELECT count(*)::int FROM attempt) AS attempts
       FROM delivery d JOIN eventmatch m ON m.uuid = d.subscription WHERE m.uuid = $1`,
      [subscription],
    )
    return row
  }

  test('while the broker is away dispatches stay where they are, and all else goes out', async () => {
    const dispatched = await due('dispatched', 'dispatch://example')
    const sent = await due('sent', 'http://example.org/')
    const look = await claim(false)
    expect(look.claimed.map(({ subscription }) => subscription)).toEqual([sent])
    await scene.finish(look.claimed, ACCEPTED)
    expect(await claim(false)).toMatchObject({ claimed: [], blocked: false, late: false })
    expect(await book(dispatched)).toMatchObject({ state: 'pending', attempt: 0, reason: null })
    const back = await claim(true)
    expect(back.claimed.map(({ subscription }) => subscription)).toEqual([dispatched])
  })

  test.each([0, 1])(
    'a dispatch that meets a broker just gone (%i attempts before) is due again soon: no attempt, nobody blamed',
    async (before) => {
      const subscription = await due('dispatched', 'dispatch://example')
      const claimed = [...(await claim(true)).claimed]
      if (before > 0) {
        await scene.finish(claimed, REFUSED)
        await scene.sql.query('UPDATE delivery SET due = now()')
        await scene.sql.query('UPDATE eventmatch SET failing_since = NULL')
        await followAll(scene.sql)
        claimed.splice(0, 1, ...(await claim(true)).claimed)
      }
      const away = { kind: 'away', reason: 'no connection to the broker' } as const
      const transport = { publish: async () => away } as Partial<Transport> as Transport
      const target = dispatchTarget({ transport }, { timeoutMs: minute })
      expect(claimed).toHaveLength(1)
      for (const delivery of claimed)
        expect(await attempt(delivery, { target, record })).toEqual([])
      expect(await book(subscription)).toEqual({
        ...{ state: 'pending', attempt: before, reason: away.reason, is_due: true },
        ...{ failing_since: null, disabled: null, attempts: before },
      })
    },
  )

  test.each(['unroutable', 'refused', 'unknown'] as const)(
    'a dispatch that is %s was an attempt',
    async (kind) => {
      await due('dispatched', 'dispatch://example')
      const [delivery] = (await claim(true)).claimed
      const transport = { publish: async () => ({ kind, reason: 'no' }) } as Partial<Transport>
      const target = dispatchTarget({ transport: transport as Transport }, { timeoutMs: minute })
      if (delivery) await attempt(delivery, { target, record })
      expect(await book(delivery?.subscription ?? '')).toMatchObject({
        ...{ state: 'retrying', attempt: 1, attempts: 1, failing_since: expect.any(Date) },
      })
    },
  )

  /** A target that counts its requests. */
  function counted() {
    const requests: string[] = []
    const target: Target = {
      async send({ uuid }): Promise<Outcome> {
        requests.push(uuid)
        return ACCEPTED
      },
    }
    return { target, requests }
  }

  test('what became of a delivery is recorded when the database is back, and the request is not repeated', async () => {
    const subscription = await due('sent', 'http://example.org/')
    const [delivery] = (await claim(true)).claimed
    let tries = 0
    const { target, requests } = counted()
    const later = async (result: Result) => {
      tries += 1
      if (tries <= 2) throw gone()
      return await record(result)
    }
    if (delivery) expect(await attempt(delivery, { target, record: later })).toEqual([])
    expect(requests).toHaveLength(1)
    expect(await book(subscription)).toMatchObject({ state: 'delivered', attempt: 1, attempts: 1 })
  })

  test('so is what was recorded just before the connection was lost: once', async () => {
    const subscription = await due('sent', 'http://example.org/')
    const [delivery] = (await claim(true)).claimed
    const answers: boolean[] = []
    const { target } = counted()
    const twice = async (result: Result) => {
      answers.push(await record(result))
      if (answers.length === 1) throw gone()
      return answers[1] === true
    }
    if (delivery) expect(await attempt(delivery, { target, record: twice })).toEqual([])
    expect(answers).toEqual([true, true])
    expect(await book(subscription)).toMatchObject({ state: 'delivered', attempt: 1, attempts: 1 })
  })

  test('a worker that has to end waits no longer for the database', async () => {
    await due('sent', 'http://example.org/')
    const [delivery] = (await claim(true)).claimed
    const stop = new AbortController()
    const record = async () => {
      stop.abort()
      throw gone()
    }
    const trying = { target: counted().target, record, abandoning: stop.signal }
    if (delivery) expect(await attempt(delivery, trying)).toMatchObject([{ code: 'ECONNREFUSED' }])
  })
})
