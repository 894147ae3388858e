import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import * as core from './index.ts'

test('what the guide for Python authors says is in core is exported by it', async () => {
  const guide = new URL('../../../docs/guides/from-the-python-dispatcher.md', import.meta.url)
  const text = await readFile(guide, 'utf8')
  const rows = text.split('\n').filter((line) => line.includes('| `@pacifica/core` |'))
  const names = rows.map((row) => /`(\w+)/.exec(row.split('|')[2] ?? '')?.[1])
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => name !== undefined && !(name in core))).toEqual([])
})
