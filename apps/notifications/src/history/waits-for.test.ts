/** What people are told of a delivery that is due and does not go out. */
import { createMetrics } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACCEPTED, openScene, REFUSED, type Scene, YES } from '../../../../test/harness/scene.ts'
import { DEFAULT_CAPS } from '../deliver/caps.ts'
import { laneGauges } from '../deliver/lane-metrics.ts'
import { followAll } from '../deliver/lanes.ts'
import { backlogGauges } from '../metrics.ts'

let scene: Scene
let trouble: string | undefined
beforeAll(async () => {
  scene = await openScene('postgresql', undefined, () => trouble)
}, 300_000)
afterAll(() => scene?.close())

interface Shown {
  readonly state: string
  readonly waits_for: string | null
  readonly event: string
}

test('a due delivery says which cap it waits for, and metrics count its lane', async () => {
  const { uuid } = await scene.subscribe('crowded', 'ann', { maxConcurrency: 1 })
  const events = [scene.anEvent('crowded'), scene.anEvent('crowded')]
  for (const event of events) await scene.accept(event)
  await scene.match()
  await scene.answer(YES)
  const [claimed] = await scene.claim()
  const shown = async () => {
    const { body } = await scene.as('ann').get(`/eventmatch/${uuid}/deliveries`)
    return (body as Shown[]).map(({ state, waits_for }) => [state, waits_for]).sort()
  }
  const reason = '1 of 1 requests to its target are in flight'
  expect(await shown()).toEqual([
    ['delivering', null],
    ['pending', reason],
  ])
  const other = (await scene.as('ann').get(`/eventmatch/${uuid}/deliveries?state=pending`)).body[0]
  const { body } = await scene.as('ann').get(`/events/${other.event}`)
  expect(body.deliveries).toMatchObject([{ waits_for: reason }])

  const metrics = createMetrics()
  laneGauges({ metrics, sql: scene.sql }, DEFAULT_CAPS)
  backlogGauges({ metrics, sql: scene.sql })
  const text = await metrics.text()
  expect(text).toContain('pacifica_deliveries_in_flight 1\n')
  expect(text).toContain('pacifica_lanes_due{waits_for="subscription"} 1\n')
  expect(text).toContain('pacifica_lanes_due{waits_for="turn"} 0\n')
  expect(text).toContain('pacifica_lanes_slowed 0\n')
  expect(text).toMatch(/pacifica_oldest_due_seconds\{what="delivery"\} \d/)

  await scene.finish(claimed ? [claimed] : [], ACCEPTED)
  expect(await shown()).toEqual([
    ['delivered', null],
    ['pending', 'it waits for its turn'],
  ])
  await scene.deliver(REFUSED)
})

test('a dispatch that is due says when there is no connection to the broker, and not where that is', async () => {
  const targetUrl = 'dispatch://example'
  const { uuid } = await scene.subscribe('dispatched', 'carl', { targetUrl })
  await scene.accept(scene.anEvent('dispatched'))
  await scene.match()
  await scene.answer(YES)
  await followAll(scene.sql)
  const shown = async () =>
    (await scene.as('carl').get(`/eventmatch/${uuid}/deliveries`)).body[0].waits_for
  expect(await shown()).toBe('it waits for its turn')
  trouble = 'no connection to the broker at broker.site:5672: connect ECONNREFUSED'
  expect(await shown()).toBe(
    'there is no connection to the message broker: it goes out when there is',
  )
  trouble = undefined
})
