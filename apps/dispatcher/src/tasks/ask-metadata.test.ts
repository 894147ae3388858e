import { expect, test } from 'vitest'
import { metadataAsker } from './ask-metadata.ts'

const WANTED = { key: 'pacifica-dispatcher.task', value: 'T-1' }
const options = { atLeast: 1, since: new Date(0), signal: new AbortController().signal }

function asker(...answers: (number[] | Error)[]) {
  let asked = 0
  const { awaitTransactions } = metadataAsker({
    async transactionsWith() {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? []
      asked += 1
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  return { awaitTransactions, asked: () => asked }
}

test('what Metadata knows is believed at once', async () => {
  expect(await asker([68]).awaitTransactions(WANTED, { ...options, withinMs: 60_000 })).toEqual([
    68,
  ])
})

test('what it does not know yet is asked again, also when an answer fails to come', async () => {
  const { awaitTransactions, asked } = asker([], new Error('away'), [68])
  expect(await awaitTransactions(WANTED, { ...options, withinMs: 60_000 })).toEqual([68])
  expect(asked()).toBe(3)
})

test('what it does not know when enough time has passed has never arrived', async () => {
  expect(await asker([]).awaitTransactions(WANTED, { ...options, withinMs: 0 })).toBeUndefined()
})

test('no answer is not taken for a no', async () => {
  const asking = asker(new Error('away')).awaitTransactions(WANTED, { ...options, withinMs: 0 })
  await expect(asking).rejects.toThrow('away')
})

test('the question ends with the run', async () => {
  const stop = new AbortController()
  const signal = stop.signal
  const asking = asker([]).awaitTransactions(WANTED, { ...options, signal, withinMs: 600_000 })
  stop.abort(new Error('the process ends'))
  await expect(asking).rejects.toThrow('the process ends')
})
