import { expect, test } from 'vitest'
import { createBudget } from './budget.ts'

const never = new AbortController().signal

test('who finds enough goes on; others wait in the order of asking', async () => {
  const budget = createBudget(10)
  const order: string[] = []
  const giveBack = await budget.take(7, never)
  const large = budget.take(9, never).then((give) => {
    order.push('large')
    give?.()
  })
  const small = budget.take(1, never).then(() => order.push('small'))
  expect([budget.taken, budget.waiting], 'the small one does not overtake').toEqual([7, 2])
  giveBack?.()
  giveBack?.()
  await Promise.all([large, small])
  expect(order).toEqual(['large', 'small'])
  expect([budget.taken, budget.waiting]).toEqual([1, 0])
})

test('what is larger than all gets in alone', async () => {
  const budget = createBudget(10)
  const first = await budget.take(1, never)
  const huge = budget.take(100, never)
  expect(budget.waiting).toBe(1)
  first?.()
  expect(await huge).toBeDefined()
  expect(budget.taken).toBe(100)
})

test('who gives up while waiting takes nothing, and lets those behind pass', async () => {
  const budget = createBudget(10)
  await budget.take(5, never)
  const gone = new AbortController()
  const given = budget.take(10, gone.signal)
  const behind = budget.take(5, never)
  gone.abort()
  expect(await given).toBeUndefined()
  expect(await behind).toBeDefined()
  expect(await budget.take(1, gone.signal)).toBeUndefined()
  expect(budget.taken).toBe(10)
})

test('who does not want to wait takes what is there, and overtakes nobody', async () => {
  const budget = createBudget(10)
  const giveBack = budget.takeNow(7)
  expect(budget.takeNow(4)).toBeUndefined()
  const waiting = budget.take(4, never)
  expect(budget.takeNow(1), 'somebody waits').toBeUndefined()
  giveBack?.()
  expect(await waiting).toBeDefined()
  expect(budget.taken).toBe(4)
})
