/** What dispatchers say of tasks, from the transport to the timelines. Acknowledged when it is committed. */
import { EventFormatError, readTaskEvent, type TaskEvent } from '@pacifica/core'
import {
  batcher,
  type Consumer,
  type Health,
  isUnavailable,
  type Lifetime,
  type Log,
  type Metrics,
  RefusedMessageError,
  type Sql,
  type TaskEventMessage,
  type TaskEvents,
} from '@pacifica/platform'
import { type Availability, DatabaseUnavailableError } from '../database/availability.ts'
import { type Stored, storeTaskEvents } from './store.ts'

export interface FollowNeeds {
  readonly life: Lifetime
  readonly log: Log
  readonly health: Health
  readonly metrics: Metrics
  readonly database: Sql
  readonly availability: Availability
  readonly channel: TaskEvents
}

/** Starts to consume, and does not wait for a broker that is away. */
export function followTasks(needs: FollowNeeds): void {
  const { life, log, health, database, availability, channel } = needs
  const count = counter(needs.metrics)
  const group = batcher<TaskEvent, Stored>((events) => storeTaskEvents(database, events), {
    ...{ maxItems: 100, waitMs: 3, concurrency: 1 },
    repeatSingly: (error) => !isUnavailable(error),
  })
  life.onClose('task events in hand', () => group.close())

  async function accept(message: TaskEventMessage): Promise<void> {
    const event = read(message)
    if (availability.away) throw new DatabaseUnavailableError()
    try {
      const stored = await group.add(event)
      count(stored)
      log.debug({ task: event.taskId, state: event.state, ...stored }, 'task_event.taken')
    } catch (error) {
      if (isUnavailable(error)) availability.suspect()
      throw error
    }
  }

  let consumer: Consumer | undefined
  let trouble = 'has not begun yet'
  const beginning = channel.consume(accept).then(
    (begun) => {
      consumer = begun
      trouble = 'receives nothing from the queue'
    },
    (error: Error) => {
      trouble = error.message
    },
  )
  health.add('task events', () =>
    consumer?.consuming ? undefined : (channel.trouble() ?? trouble),
  )
  life.onClose('task events', async () => {
    await beginning
    await consumer?.stop()
  })
}

/** @throws RefusedMessageError: it becomes a dead letter */
function read({ body }: TaskEventMessage): TaskEvent {
  try {
    return readTaskEvent(body)
  } catch (cause) {
    if (!(cause instanceof EventFormatError)) throw cause
    throw new RefusedMessageError(`it is no task event: ${cause.message}`, { cause })
  }
}

function counter(metrics: Metrics): (stored: Stored) => void {
  const taken = metrics.counter({
    name: 'pacifica_task_events_total',
    help: 'Events of dispatchers about their tasks: stored; repeated, or of deliveries that are not here: dropped',
    labels: ['result'],
  })
  return ({ added }) => taken.inc({ result: added > 0 ? 'stored' : 'dropped' })
}
