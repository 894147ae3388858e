/** One step of authorizing, with a store in memory. */
import { createSlots } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { silentLog } from '../../../../test/harness/index.ts'
import { authorizeStep } from './authorize.ts'
import type { PolicyAnswer } from './policy-client.ts'

test('an answer of Policy is recorded when a database that was away is back, and the question asked once', async () => {
  const question = { event: 'e', owner: 'ann', jsondata: '{}', claim: 1, asked: 1 }
  const questions = [question]
  const asked: string[] = []
  const recorded: string[] = []
  const errors: unknown[] = []
  let tries = 0
  const slots = createSlots(1, (error) => errors.push(error))
  const yes: PolicyAnswer = { kind: 'allowed', status: 200, body: 'yes' }
  const step = authorizeStep(
    {
      store: {
        claim: async () => questions.splice(0),
        async record({ event }, answer) {
          tries += 1
          if (tries <= 2) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
          recorded.push(`${event} ${answer.kind}`)
          return { denied: 0, firstAfterMs: undefined }
        },
      },
      policy: {
        async ask(owner) {
          asked.push(owner)
          return yes
        },
        close: async () => {},
      },
      ...{ slots, watch: { saw() {} }, deliverBell: { ring() {} }, log: silentLog },
      metrics: { policyAnswered() {}, authorized() {}, settled() {} },
      ...{ random: () => 0.5, abandoning: new AbortController().signal },
    },
    { leaseMs: 600_000 },
  )
  expect(await step()).toBe(true)
  await slots.drained()
  expect({ asked, recorded, errors }).toEqual({
    ...{ asked: ['ann'], recorded: ['e allowed'], errors: [] },
  })
})
