/** From a task event on the transport to what people see of it, on both engines. */
import { randomUUID } from 'node:crypto'
import { type TaskEvent, taskEventId, writeTaskEvent } from '@pacifica/core'
import {
  createHealth,
  createInProcessTransport,
  createLifetime,
  createMetrics,
  type LifetimeControl,
  type Transport,
} from '@pacifica/platform'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES, silentLog as log } from '../../../../test/harness/index.ts'
import { ACCEPTED, openScene, type Scene, YES } from '../../../../test/harness/scene.ts'
import type { Availability } from '../database/availability.ts'
import { purgeEvents } from '../purge/purge.ts'
import { followTasks } from './follow.ts'

const timeoutMs = 60_000

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  let life: LifetimeControl
  let transport: Transport
  let away = false
  const health = createHealth()
  const metrics = createMetrics()

  beforeAll(async () => {
    scene = await openScene(engine)
    life = createLifetime({ log }, { graceMs: 30_000 })
    transport = createInProcessTransport({ log }, { again: { firstMs: 2, maxMs: 5 } })
    const availability: Availability = {
      get away() {
        return away
      },
      lost() {},
      working() {},
      suspect() {},
      onBack() {},
    }
    const { sql: database } = scene
    const channel = transport.taskEvents
    followTasks({ life, log, health, metrics, database, availability, channel })
  }, 300_000)
  afterAll(async () => {
    expect(await life.stop('the test is over')).toBe(true)
    await transport.close()
    await scene.close()
  })

  /** A delivery that its dispatcher has, and the event that it is of. */
  async function delivered(type: string, user = 'ann') {
    const { uuid: subscription } = await scene.subscribe(type, user, {
      targetUrl: 'dispatch://shouting',
    })
    const event = await scene.accept(scene.anEvent(type))
    await scene.match()
    await scene.answer(YES)
    const [delivery] = await scene.deliver(ACCEPTED)
    if (delivery === undefined) throw new Error('nothing was delivered')
    return { event, subscription, deliveryId: delivery.uuid }
  }

  const taskEvent = (deliveryId: string, parts: Partial<TaskEvent> = {}): TaskEvent => ({
    taskId: randomUUID(),
    sequence: 1,
    dispatcher: 'shouting',
    state: 'waiting',
    status: '202 Accepted',
    attempt: 0,
    deliveries: [{ deliveryId, replay: 0 }],
    event: { source: '/s', id: 'E-1', digest: 'ab' },
    exception: null,
    filesTaken: 0,
    bytesTaken: 0,
    bundles: [],
    created: '2026-11-22T08:00:00.000Z',
    started: null,
    settled: null,
    time: '2026-11-22T08:00:00.000Z',
    ...parts,
  })
  const publish = (body: string, id = 'x', state = 'done') =>
    transport.taskEvents.publish({ id, state, body }, { timeoutMs })
  const tell = async (event: TaskEvent) => {
    const outcome = await publish(writeTaskEvent(event, undefined), taskEventId(event), event.state)
    expect(outcome).toEqual({ kind: 'accepted' })
  }
  const tasksOf = async (event: string, user = 'ann') => {
    const { body } = await scene.as(user).get(`/events/${event}`)
    return body.deliveries[0]?.tasks
  }

  test('a task is shown under its delivery, from the event and from the subscription alike', async () => {
    const { event, subscription, deliveryId } = await delivered('whole')
    const waiting = taskEvent(deliveryId)
    const { taskId } = waiting
    const started = '2026-11-22T08:00:01.000Z'
    const settled = '2026-11-22T08:00:09.000Z'
    const running = { state: 'running', status: '102 Processing', attempt: 1, started }
    const failure = {
      ...{ state: 'failed', status: '500 Internal Server Error', attempt: 1, started, settled },
      exception: { type: 'TypeError', value: 'no luck' },
      ...{ filesTaken: 2, bytesTaken: 5_000_000_000 },
      bundles: [{ bundle: 'b.tar', jobId: 7 }],
    }
    await tell(waiting)
    await tell(taskEvent(deliveryId, { taskId, sequence: 2, time: started, ...running }))
    await tell(taskEvent(deliveryId, { taskId, sequence: 5, time: settled, ...failure }))
    const shown = {
      ...{ task: taskId, dispatcher: 'shouting', replay: 0, state: 'failed', attempt: 1 },
      status: '500 Internal Server Error',
      ...{ created: waiting.created, started, settled },
      ...{ exception_type: 'TypeError', exception_value: 'no luck' },
      ...{ files_taken: 2, bytes_taken: 5_000_000_000 },
      bundles: [{ bundle: 'b.tar', job_id: 7 }],
      events: [
        { state: 'waiting', status: '202 Accepted', attempt: 0, time: waiting.time },
        { state: 'running', status: '102 Processing', attempt: 1, time: started },
        { state: 'failed', status: '500 Internal Server Error', attempt: 1, time: settled },
      ],
    }
    expect(await tasksOf(event)).toEqual([shown])
    const { body } = await scene.as('ann').get(`/eventmatch/${subscription}/deliveries`)
    expect(body[0].tasks).toEqual([shown])
  })

  test('whatever order they come in, and however often, the newest is what the task is', async () => {
    const { event, deliveryId } = await delivered('disorder')
    const taskId = randomUUID()
    const at = (sequence: number, state: string) =>
      taskEvent(deliveryId, { taskId, sequence, state })
    for (const told of [at(12, 'done'), at(10, 'waiting'), at(11, 'running'), at(12, 'done')])
      await tell(told)
    const [task, ...others] = await tasksOf(event)
    expect(others).toEqual([])
    expect(task.state).toBe('done')
    const states = task.events.map(({ state }: { state: string }) => state)
    expect(states).toEqual(['waiting', 'running', 'done'])
  })

  test('a replay that made another task shows both, the older first', async () => {
    const { event, deliveryId } = await delivered('replayed')
    const again = [{ deliveryId, replay: 1 }]
    const created = '2026-11-22T09:00:00.000Z'
    await tell(taskEvent(deliveryId, { deliveries: again, created, state: 'done' }))
    await tell(taskEvent(deliveryId, { state: 'failed' }))
    expect(await tasksOf(event)).toMatchObject([
      { replay: 0, state: 'failed' },
      { replay: 1, state: 'done' },
    ])
  })

  test('an event of several deliveries is told to each, and to those that are gone to none', async () => {
    const [one, two] = [await delivered('several', 'bob'), await delivered('several-2', 'cleo')]
    const deliveries = [one.deliveryId, randomUUID(), two.deliveryId].map((deliveryId) => ({
      deliveryId,
      replay: 0,
    }))
    await tell(taskEvent('', { deliveries }))
    expect(await tasksOf(one.event, 'bob')).toHaveLength(1)
    expect(await tasksOf(two.event, 'cleo')).toHaveLength(1)
    expect(await tasksOf(one.event, 'cleo')).toBeUndefined()
  })

  test('of a delivery that nobody knows, and of none, it is taken and dropped', async () => {
    await tell(taskEvent(randomUUID()))
    await tell(taskEvent('', { deliveries: [] }))
  })

  test('what is no task event is refused for good, with the reason', async () => {
    for (const [body, reason] of [
      ['5', 'not a number|a number'],
      ['{"specversion":"1.0","type":"t","source":"s","id":"1"}', '"type" is t'],
      [writeTaskEvent(taskEvent('nobody'), undefined), 'deliveryId'],
    ] as const) {
      const outcome = await publish(body)
      expect(outcome).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(`it is no task event: .*(${reason})`),
      })
    }
  })

  test('while the database is away it is offered again, and stored when it is back', async () => {
    const { event, deliveryId } = await delivered('patient')
    away = true
    const told = tell(taskEvent(deliveryId, { state: 'done' }))
    setTimeout(() => {
      away = false
    }, 20)
    await told
    expect(await tasksOf(event)).toMatchObject([{ state: 'done' }])
  })

  test('it goes with its event when that is purged', async () => {
    const { event, deliveryId } = await delivered('purged')
    await tell(taskEvent(deliveryId, { state: 'done' }))
    const rows = () => scene.sql.query('SELECT FROM task_event WHERE delivery = $1', [deliveryId])
    expect(await rows()).toHaveLength(1)
    await purgeEvents(scene.sql, { which: { uuids: [event] } })
    expect(await rows()).toEqual([])
    await tell(taskEvent(deliveryId, { state: 'done', sequence: 2 }))
    expect(await rows()).toEqual([])
  })

  test('many at once are all stored', async () => {
    const { event, deliveryId } = await delivered('many')
    const taskId = randomUUID()
    const sequences = Array.from({ length: 40 }, (_, index) => index + 1)
    await Promise.all(
      [...sequences, ...sequences].map((sequence) =>
        tell(taskEvent(deliveryId, { taskId, sequence })),
      ),
    )
    const [task] = await tasksOf(event)
    expect(task.events).toHaveLength(40)
  })

  test('it is ready while it listens', async () => {
    const { checks } = await health.report()
    expect(checks).toMatchObject({ 'task events': 'ok' })
    expect(await metrics.text()).toMatch(/pacifica_task_events_total\{result="stored"\} \d/)
  })
})
