import { expect, test } from 'vitest'
import { atomOf } from '../conditions/atom.ts'
import type { Program } from '../program.ts'
import { Node } from './node.ts'

test('those who wait here need not be told apart again when nobody waits behind them any more', () => {
  const root = new Node()
  const [here, other] = [{} as Program, {} as Program]
  const posting = root.posting(atomOf(['type'], { kind: 'equals', value: 't' }))
  posting.add(here)
  posting.behind = new Node(posting)
  const behind = posting.behind.posting(atomOf(['size'], { kind: 'exists' }))
  behind.add(other)
  behind.remove(other)
  expect(posting.behind.isEmpty).toBe(true)
  expect(root.isEmpty).toBe(false)
  posting.remove(here)
  expect(root.isEmpty).toBe(true)
})
