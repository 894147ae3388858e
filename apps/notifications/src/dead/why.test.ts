import type { DeadMessage } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { whyItDied } from './why.ts'

const EVENT = '{"specversion":"1.0","type":"t","source":"/s","id":"1"}'
const DISPATCH = {
  'pacifica-delivery': '2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11',
  'pacifica-replay': 0,
  'pacifica-digest': 'abab',
}

function why(
  queue: string | undefined,
  reason: string,
  body = EVENT,
  more: Partial<DeadMessage> = {},
) {
  const death =
    queue === undefined ? undefined : { queue, reason, count: 1, first: undefined, last: undefined }
  const message = {
    body: Buffer.from(body),
    properties: {},
    headers: {},
    exchange: '',
    routingKey: '',
  }
  return whyItDied({ ...message, key: 'k', death, ...more }, { maxBody: 100 })
}

test('what its consumer refused is told as POST /receive and the dispatcher tell it', () => {
  expect(why('pacifica.receive', 'rejected', '{')).toMatch(
    /^it holds no event: the event is not JSON/,
  )
  expect(why('pacifica.receive', 'rejected', ' '.repeat(101))).toMatch(/MAX_BODY/)
  const zipped = { properties: { contentEncoding: 'gzip' } }
  expect(why('pacifica.receive', 'rejected', EVENT, zipped)).toMatch(/gzip is not accepted/)
  expect(why('pacifica.dispatch.x', 'rejected')).toMatch(/^it is no dispatch: .*pacifica-delivery/)
  const dispatch = { headers: DISPATCH }
  expect(why('pacifica.dispatch.x', 'rejected', '[]', dispatch)).toMatch(/^it holds no event: /)
})

test('what looks well now, or belongs to somebody else, leads to the log of its consumer', () => {
  for (const queue of ['pacifica.receive', 'pacifica.notifications.tasks', 'theirs'])
    expect(why(queue, 'rejected')).toMatch(/log of that consumer/)
  expect(why('pacifica.dispatch.x', 'rejected', EVENT, { headers: DISPATCH })).toMatch(/log/)
})

test('every reason of a broker is told, also one that is not known', () => {
  expect(why('pacifica.dispatch.x', 'delivery_limit')).toMatch(/as often as its queue allows/)
  expect(why('q', 'expired')).toMatch(/time to live/)
  expect(why('q', 'maxlen')).toMatch(/full/)
  expect(why('q', 'bored')).toBe('the broker says: bored')
  expect(why(undefined, '')).toMatch(/somebody put it into pacifica.dead/)
})
