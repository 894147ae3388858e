/** Metadata's side: each event is posted once, at a steady rate, whatever happens. What got its 200 must not be lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventText } from './events.ts'
import { SECRETS } from './secrets.ts'

export interface Posted {
  readonly number: number
  /** undefined: nobody answered. */
  readonly status: number | undefined
  /** The event's id, of a 200. */
  readonly uuid: string | undefined
}

export interface Client {
  readonly posted: readonly Posted[]
  /** How many got their 200 so far. */
  readonly accepted: number
  /** Posts on until then, and then waits for the answers. */
  end(): Promise<void>
}

/** Requests not answered yet: with more of them the client waits, as a queue in Metadata would. */
const OPEN_AT_MOST = 200
const TIMEOUT_MS = 120_000

export function startPosting(url: string, options: { rate: number }): Client {
  const posted: Posted[] = []
  const open = new Set<Promise<void>>()
  let accepted = 0
  let ending = false

  async function one(number: number) {
    const answer = await post(url, number)
    if (answer.status === 200) accepted += 1
    posted.push(answer)
  }

  async function flow() {
    const began = performance.now()
    for (let number = 0; !ending; number += 1) {
      while (open.size >= OPEN_AT_MOST) await Promise.race(open)
      const posting = one(number).finally(() => open.delete(posting))
      open.add(posting)
      await sleep(Math.max(0, began + ((number + 1) * 1_000) / options.rate - performance.now()))
    }
    await Promise.all(open)
  }

  const flowing = flow()
  return {
    posted,
    get accepted() {
      return accepted
    },
    end() {
      ending = true
      return flowing
    },
  }
}

async function post(url: string, number: number): Promise<Posted> {
  try {
    const answer = await fetch(`${url}/receive`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${SECRETS.receive}`,
      },
      body: eventText(number),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await answer.text()
    return { number, status: answer.status, uuid: answer.status === 200 ? text : undefined }
  } catch {
    return { number, status: undefined, uuid: undefined }
  }
}
