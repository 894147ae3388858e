import { expect, test } from 'vitest'
import { streaksOf } from './streaks.ts'

const fails = (...names: string[]) => ({
  matches: names.map((subscription) => ({
    subscription,
    owner: 'ann',
    disabled: false,
    failure: `${subscription} failed`,
  })),
  recovered: [],
})
const recovers = (...recovered: string[]) => ({ matches: [], recovered })
const matches = {
  matches: [{ subscription: 'ok', owner: 'ann', disabled: false, failure: undefined }],
  recovered: [],
}

test('failures in a row add up, and a match is none', () => {
  expect(streaksOf([fails('a'), matches, fails('a', 'b')])).toEqual([
    { subscription: 'a', run: 2, recovered: false, failed: 2, lastReason: 'a failed' },
    { subscription: 'b', run: 1, recovered: false, failed: 1, lastReason: 'b failed' },
  ])
})

test('a success ends the row; only what failed after it counts', () => {
  expect(streaksOf([fails('a'), fails('a'), recovers('a'), fails('a')])).toMatchObject([
    { run: 1, recovered: true, failed: 3 },
  ])
  expect(streaksOf([recovers('a')])).toEqual([
    { subscription: 'a', run: 0, recovered: true, failed: 0, lastReason: undefined },
  ])
})
