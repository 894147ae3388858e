/** A site for tests of deliveries: notifications, a Policy and a subscriber's endpoint, and the usual steps with them. */
import { expect } from 'vitest'
import { type RunningNotifications, runNotifications, USER } from './notifications.ts'
import { type PolicyServer, startPolicy } from './policy.ts'
import { type Receiver, startReceiver } from './receiver.ts'

export interface Delivery {
  readonly uuid: string
  readonly event: string
  readonly state: string
  readonly reason: string | null
  readonly attempts: readonly {
    readonly number: number
    readonly outcome: string
    readonly status_code: number | null
    readonly body: string | null
    readonly error: string | null
    readonly duration_ms: number
  }[]
}

export interface Shown {
  readonly disabled: string | null
  readonly error: string | null
  readonly health: {
    readonly last_success: string | null
    readonly failing_since: string | null
    readonly disables_at: string | null
  }
}

export interface Site {
  readonly service: RunningNotifications
  readonly policy: PolicyServer
  readonly receiver: Receiver
  /** Subscribes to the events of one type, at a path of the receiver unless `target_url` is given. */
  subscribe(type: string, path: string, more?: object, user?: string): Promise<string>
  /** Posts an event of that type; its id. */
  post(type: string, more?: object): Promise<string>
  show(subscription: string, user?: string): Promise<Shown>
  change(subscription: string, changes: object): Promise<void>
  deliveries(subscription: string, user?: string): Promise<Delivery[]>
  /** The only delivery of a subscription, once it is in that state. */
  settled(subscription: string, state: string, user?: string): Promise<Delivery>
  metrics(): Promise<string>
  close(): Promise<void>
}

/** Quick enough for a test to wait: a second between the attempts. */
export const QUICK = { retry: { delays: [1] } }

export async function startSite(env: Readonly<Record<string, string>> = {}): Promise<Site> {
  const policy = await startPolicy()
  policy.behave('yes')
  const receiver = await startReceiver()
  const service = await runNotifications({
    POLICY_URL: policy.url,
    DELIVERY_TIMEOUT: '1s',
    POLICY_TIMEOUT: '1s',
    ...env,
  })
  let number = 0
  const deliveries = async (subscription: string, user = USER): Promise<Delivery[]> => {
    const answer = await service.call('GET', `/eventmatch/${subscription}/deliveries`, { user })
    return answer.json
  }
  return {
    service,
    policy,
    receiver,
    async subscribe(type, path, more = {}, user = USER) {
      const body = {
        name: type,
        jsonpath: `$[?(@.eventType = "${type}")]`,
        target_url: receiver.url(path),
        ...more,
      }
      const answer = await service.call('POST', '/eventmatch', { body, user })
      expect(answer.status, answer.text).toBe(200)
      return answer.json.uuid
    },
    async post(type, more = {}) {
      number += 1
      const body = {
        cloudEventsVersion: '0.1',
        eventType: type,
        source: '/test',
        eventID: `${type}.${number}`,
        data: [],
        ...more,
      }
      const headers = { 'content-type': 'application/json' }
      const answer = await service.call('POST', '/receive', { body, headers })
      expect(answer.status, answer.text).toBe(200)
      return answer.text
    },
    async show(subscription, user = USER) {
      return (await service.call('GET', `/eventmatch/${subscription}`, { user })).json
    },
    async change(subscription, changes) {
      const answer = await service.call('PUT', `/eventmatch/${subscription}`, { body: changes })
      expect(answer.status, answer.text).toBe(200)
    },
    deliveries,
    settled: (subscription, state, user) =>
      until(async () => {
        const all = await deliveries(subscription, user)
        expect(all.map((one) => one.state)).toEqual([state])
        return all[0] as Delivery
      }),
    metrics: async () => (await service.call('GET', '/metrics')).text,
    async close() {
      await service.stop()
      await receiver.close()
      await policy.close()
    },
  }
}

/** Looks again and again until it throws no more. */
export async function until<T>(look: () => Promise<T> | T, withinMs = 40_000): Promise<T> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
