/** Posts events while services are killed, and afterwards accounts for every one of them. */
import type { TargetServer } from './target.ts'

export interface Ledger {
  readonly posted: number
  /** Events that got a 200 and never came to the target. */
  readonly undelivered: readonly string[]
  /** Events that got a 200 and have no task. */
  readonly withoutTask: readonly string[]
  /** Requests at the target beyond one for each event. */
  readonly duplicates: number
  /** Events that came more than once under different webhook ids. */
  readonly renamed: readonly string[]
}

export function anEvent(number: number): string {
  return JSON.stringify({
    cloudEventsVersion: '0.1',
    eventType: 'org.pacifica.metadata.ingest',
    source: 'http://metadata.pacifica.org/transactions',
    eventID: `ledger.${number}`,
    eventTime: '2019-01-09T09:17:26',
    extensions: {},
    contentType: 'application/json',
    data: [{ destinationTable: 'Transactions._id', value: number }],
  })
}

/**
 * Posts `count` events at a concurrency of 16, each until it is answered 200, to the addresses in turn.
 * `onPosted` is called with the number of events answered so far.
 */
export async function postAll(
  urls: readonly string[],
  count: number,
  onPosted: (answered: number) => void,
): Promise<string[]> {
  const ids: string[] = []
  let next = 0
  const poster = async () => {
    for (let number = next++; number < count; number = next++) {
      await postUntilAccepted(urls, number)
      ids.push(`ledger.${number}`)
      onPosted(ids.length)
    }
  }
  await Promise.all(Array.from({ length: 16 }, poster))
  return ids
}

async function postUntilAccepted(urls: readonly string[], number: number): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const url = urls[(number + attempt) % urls.length]
    const answer = await fetch(`${url}/receive`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: anEvent(number),
    }).catch(() => undefined)
    if (answer?.status === 200) return void (await answer.text().catch(() => ''))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The ids of all events that the dispatcher has a task for. */
export async function eventsWithTask(dispatcherUrl: string): Promise<string[]> {
  const ids: string[] = []
  let page: string | undefined = `${dispatcherUrl}/?limit=1000`
  while (page !== undefined) {
    const answer: Response = await fetch(page)
    const tasks = (await answer.json()) as { taskID: string }[]
    for (const { taskID } of tasks) {
      const task = (await (await fetch(`${dispatcherUrl}/get/${taskID}`)).json()) as {
        eventID: string
      }
      ids.push(task.eventID)
    }
    const next: string | undefined = /<([^>]+)>;\s*rel="?next/.exec(
      answer.headers.get('link') ?? '',
    )?.[1]
    page = next === undefined ? undefined : new URL(next, dispatcherUrl).href
  }
  return ids
}

export function settleLedger(
  ids: readonly string[],
  target: TargetServer,
  tasks: readonly string[],
): Ledger {
  const webhooks = new Map<string, Set<string>>()
  for (const { eventId, webhookId } of target.received)
    webhooks.set(eventId, (webhooks.get(eventId) ?? new Set()).add(webhookId))
  const tasked = new Set(tasks)
  return {
    posted: ids.length,
    undelivered: ids.filter((id) => !webhooks.has(id)),
    withoutTask: ids.filter((id) => !tasked.has(id)),
    duplicates: target.received.length - webhooks.size,
    renamed: [...webhooks].filter(([, names]) => names.size > 1).map(([id]) => id),
  }
}
