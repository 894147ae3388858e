/** The same work before each row: how fast one thread is at that moment. */
import { createHash } from 'node:crypto'
import { medianOf } from './figures.ts'

const TIMES = 9
const ITEMS = Array.from({ length: 400 }, (_, n) => ({
  name: `item ${n}`,
  size: n * 7,
  tags: ['a', 'b'],
}))

/** Milliseconds: parsing, writing and hashing of the same text, the median of several times. */
export function calibrate(): number {
  return medianOf(
    Array.from({ length: TIMES }, () => {
      const from = performance.now()
      work()
      return performance.now() - from
    }),
  )
}

function work(): string {
  let text = JSON.stringify(ITEMS)
  const hash = createHash('sha256')
  for (let left = 60; left > 0; left -= 1) {
    text = JSON.stringify(JSON.parse(text))
    hash.update(text)
  }
  return hash.digest('hex')
}
