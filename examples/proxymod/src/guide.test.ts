import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const ROOT = new URL('../../../', import.meta.url)

test('the guide shows this code, and that of the official example, as it is', async () => {
  const guide = await readFile(new URL('docs/guides/from-the-python-dispatcher.md', ROOT), 'utf8')
  const blocks = [...guide.matchAll(/```\w+\n\/\/ (examples\S+)\n([\s\S]*?)```/g)]
  expect(blocks).toHaveLength(5)
  for (const [, path = '', code = ''] of blocks) {
    expect(await readFile(new URL(path, ROOT), 'utf8')).toContain(code.trim())
  }
})
