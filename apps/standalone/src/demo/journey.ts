/** What the steps know and have learnt, and where they look: the public APIs of both services. */
import { getJson, UnexpectedAnswerError } from './client.ts'
import type { DemoSite } from './site.ts'

export interface Sample {
  /** Holds event.json, and the event's files below data/. */
  readonly folder: string
  /** What the demo subscribes with. */
  readonly jsonpath: string
}

export interface Journey extends DemoSite {
  readonly sample: Sample
  readonly withinMs: number
  /** How many bundles Ingest had been given before. */
  readonly uploadsBefore: number
  /** Ids, as soon as they are known. */
  subscription: string
  event: string
  task?: TaskView
}

/** Looks at what the services say of themselves, and returns the line that is printed; throws when it cannot be true. */
export interface Step {
  readonly name: string
  readonly run: (journey: Journey) => Promise<string>
}

export interface DeliveryView {
  subscription: string
  state: string
  reason: string | null
  policy: { state: string; status_code: number | null; body: string | null } | null
  attempts: { outcome: string; error: string | null; duration_ms: number }[]
}

export interface EventView {
  state: string
  match_count: number | null
  reason: string | null
  deliveries: DeliveryView[]
}

export interface TaskView {
  taskID: string
  taskStatus: string
  eventID: string | null
  exceptionType: string | null
  exceptionValue: string | null
  filesTaken: number
  bytesTaken: number
  bundles: { bundle: string | null; jobId: number | null }[]
}

export function readEvent({ running }: Journey, event: string): Promise<EventView> {
  return getJson<EventView>(`${running.notificationsUrl}/events/${event}`)
}

/** Undefined while it is not matched yet. */
export async function readMatched(journey: Journey, event: string): Promise<EventView | undefined> {
  const view = await readEvent(journey, event)
  if (view.state === 'unmatchable') throw new UnexpectedAnswerError(view.reason ?? view.state)
  return view.state === 'matched' ? view : undefined
}

export async function readDelivery(journey: Journey): Promise<DeliveryView> {
  const [delivery] = (await readEvent(journey, journey.event)).deliveries
  if (delivery === undefined) throw new UnexpectedAnswerError('the event has no delivery')
  return delivery
}

/** The task of an event, by its id within CloudEvents, once it has ended. */
export async function readEndedTask(
  { running }: Journey,
  eventID: string,
): Promise<TaskView | undefined> {
  const newest = await getJson<{ taskID: string }[]>(`${running.dispatcherUrl}/?limit=10`)
  for (const { taskID } of newest) {
    const task = await getJson<TaskView>(`${running.dispatcherUrl}/get/${taskID}`)
    if (task.eventID !== eventID) continue
    return /^(202|102) /.test(task.taskStatus) ? undefined : task
  }
  return undefined
}

export function endedTaskOf({ task }: Journey): TaskView {
  if (task === undefined) throw new UnexpectedAnswerError('there is no task')
  return task
}

export function failureOf(task: TaskView, otherwise: string): string {
  if (task.exceptionType === null) return `${task.taskStatus}: ${otherwise}`
  return `${task.taskStatus}: ${task.exceptionType}: ${task.exceptionValue}`
}
