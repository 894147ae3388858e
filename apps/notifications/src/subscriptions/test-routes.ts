/** POST /eventmatch/UUID/test. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { type Bell, errorReply, type HttpApp, type Sql, sleep } from '@pacifica/platform'
import { isSettled } from '../deliver/delivery.ts'
import { type DeliveryRow, findDelivery } from '../history/deliveries.ts'
import { DeliveryReply, deliveryView, OrNull, Uuid } from '../history/delivery-view.ts'
import { EventNotFoundError } from '../history/routes.ts'
import type { Identify } from '../identity/index.ts'
import { ownSubscription } from './own.ts'
import type { SubscriptionStore } from './store.ts'
import { SubscriptionDisabledError, storeTest, TEST_TYPE, testEvent } from './test-event.ts'

const LONGEST_WAIT_S = 60

const TestBody = Type.Object(
  {
    wait: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: LONGEST_WAIT_S,
        description: 'Seconds to wait for the outcome; 0 when not given.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ wait: 30 }] },
)

const TestReply = Type.Object({
  event: Type.String({ ...Uuid, description: 'To watch: GET /events/UUID.' }),
  delivery: DeliveryReply,
})

export interface TestRouteNeeds {
  readonly sql: Sql
  readonly identify: Identify
  readonly subscriptions: SubscriptionStore
  readonly deliverBell: Bell
  /** Ends waiting when the service stops. */
  readonly stopping: AbortSignal
}

export function testRoute(app: HttpApp, needs: TestRouteNeeds): void {
  const own = ownSubscription({ store: needs.subscriptions, identify: needs.identify })
  app.post(
    '/eventmatch/:uuid/test',
    {
      schema: {
        tags: ['subscriptions'],
        summary: 'Send a test event to the target',
        description:
          `An event of type \`${TEST_TYPE}\` goes the way of every delivery, to this subscription alone, whatever its ` +
          'expression says. It is tried once. With `wait` the reply tells the outcome.',
        params: Type.Object({ uuid: Type.String({ description: 'The subscription.' }) }),
        body: OrNull(TestBody),
        response: {
          200: { ...TestReply, description: 'It is over: `delivery.state` says how.' },
          202: { ...TestReply, description: 'It is under way.' },
          400: errorReply,
          401: errorReply,
          403: errorReply,
          409: errorReply,
          415: errorReply,
          503: errorReply,
        },
      },
    },
    async (request, reply) => {
      const { subscription, viewer } = await own(request, request.params.uuid)
      if (subscription.disabled !== null) throw new SubscriptionDisabledError(subscription)
      const test = await storeTest(needs.sql, testEvent(subscription, new Date()), subscription)
      needs.deliverBell.ring()
      request.log.info({ ...test, subscription: subscription.uuid, user: viewer.user }, 'test.sent')
      const delivery = await outcome(needs, test.delivery, (request.body?.wait ?? 0) * 1000)
      const settled = isSettled(delivery.state)
      const body: Static<typeof TestReply> = { event: test.event, delivery: deliveryView(delivery) }
      return reply.code(settled ? 200 : 202).send(body)
    },
  )
}

const FIRST_LOOK_MS = 25
const LONGEST_LOOK_MS = 500

/** Looks at the row until the delivery is settled or the time is over: whoever sends it may be another process. */
async function outcome(needs: TestRouteNeeds, uuid: string, waitMs: number): Promise<DeliveryRow> {
  const end = performance.now() + waitMs
  let pauseMs = FIRST_LOOK_MS
  for (;;) {
    const row = await findDelivery(needs.sql, uuid)
    if (row === undefined) throw new EventNotFoundError(uuid)
    const leftMs = end - performance.now()
    if (isSettled(row.state) || leftMs <= 0 || needs.stopping.aborted) return row
    await sleep(Math.min(pauseMs, leftMs), needs.stopping)
    pauseMs = Math.min(pauseMs * 2, LONGEST_LOOK_MS)
  }
}
